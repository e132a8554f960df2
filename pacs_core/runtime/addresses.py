"""The addresses of this machine that scanners and a RIS can use."""

from __future__ import annotations

import socket


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
