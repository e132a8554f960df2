"""The addresses of this machine that scanners and a RIS can use, and how places are written."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit, urlunsplit

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Where this machine reaches what listens on all its addresses."""


def place(host: str, port: int) -> str:
    """``HOST:PORT``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """The address by which this machine itself reaches a listener bound to `host`."""
    return ANY.get(host, host)


def reachable_url(url: str) -> str:
    """The URL by which this machine itself reaches an HTTP listener."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=place(reachable(parts.hostname or ""), parts.port or 80)))


def lan_addresses() -> tuple[str, ...]:
    """IPv4 addresses of this machine that are not loopback, found without sending anything."""
    found: set[str] = set()
    try:
        for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
            found.add(str(info[4][0]))
    except OSError:
        found.clear()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address; UDP connect sends no packet
            found.add(str(probe.getsockname()[0]))
        except OSError:
            return tuple(sorted(a for a in found if not a.startswith("127.")))
    return tuple(sorted(a for a in found if not a.startswith("127.")))
