"""The door a workstation knocks at: the core it started, or the one that holds the folder."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pacs_core.archive.models import ChangesPage
from pacs_core.archive.protocol import Door
from pacs_core.domain.errors import InvalidValue


@contextmanager
def open_door(
    find: Callable[[], tuple[str, str] | None], trust: bool | ssl.SSLContext = True
) -> Iterator[Door]:
    """A door that looks the core up again whenever it cannot be reached."""
    from pacs_core.remote.archive import RemoteDoor

    url, secret = find() or ("", "")
    door = RemoteDoor(url, secret, find=find, verify=trust)
    try:
        yield door
    finally:
        door.close()


@contextmanager
def own_feed(
    find: Callable[[], tuple[str, str] | None], trust: bool | ssl.SSLContext = True
) -> Iterator[Callable[[int, float], ChangesPage]]:
    """The change feed as the folder's owner hears it, for what speaks while nobody is signed in."""
    from pacs_core.remote.archive import RemoteDoor

    opened: list[RemoteDoor] = []

    def listen(sequence: int, wait_s: float) -> ChangesPage:
        if not opened:
            opened.append(RemoteDoor(*(find() or ("", "")), find=find, patience_s=0.5, verify=trust))
        return opened[0].as_owner().changes.since(sequence, wait_s)

    try:
        yield listen
    finally:
        for door in opened:
            door.close()


def own_trust(facts: Mapping[str, object]) -> bool | ssl.SSLContext:
    """Whom to trust as our own node: its very certificate, whatever name it bears; else the usual ones.

    The certificate's file is in the facts that only the folder's owner can read. Raises InvalidValue where it
    cannot be read.
    """
    certificate = str(facts.get("certificate", ""))
    if not certificate:
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # it is named for the network, and we call it by loopback
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(certificate)
    except (OSError, ssl.SSLError) as error:
        raise InvalidValue(
            f"{certificate} cannot be read as a certificate: {error}", "http.certificate"
        ) from None
    return context
