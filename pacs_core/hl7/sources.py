"""Who may send HL7: the sender's address and MSH-3/MSH-4 against the configured sources (contract, "HL7")."""

from __future__ import annotations

import ipaddress
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pacs_core.domain.errors import InvalidValue, Refused
from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.records import Hl7SourceRecord
from pacs_core.domain.rehearsal import rehearses
from pacs_core.hl7.charsets import known
from pacs_core.hl7.message import Header

_REMEMBER_NAME_S = 60.0


@dataclass(frozen=True, slots=True)
class Source:
    """A sender as the door knows it: its name for journal and orders, and how its fields are read."""

    name: str
    field_map: FieldMap
    configured: bool = True


def default_map_text() -> str:
    """The shipped field map."""
    return _resources().joinpath("hl7_maps", "default.toml").read_text("utf-8")


def read_map(own: str, character_set: str = "") -> FieldMap:
    """A source's map on top of the shipped one. Raises InvalidValue naming the line that is wrong."""
    read = FieldMap.read(default_map_text(), own)
    if character_set:
        read = replace(read, character_set=character_set)
    if read.character_set and known(read.character_set) is None:
        text = f"{read.character_set!r} is no character set of HL7 table 0211"
        raise InvalidValue(text, "character set")
    return read


class Sources:
    """Answers who a message is from. `configured` is asked at each message, so a change takes effect at once.

    `open_door` lets senders in that are not configured (bound to loopback); they get the default map and
    MSH-3 as their name.
    """

    def __init__(self, configured: Callable[[], Sequence[Hl7SourceRecord]], *, open_door: bool) -> None:
        self._configured = configured
        self._open_door = open_door
        self._default = read_map("")
        self._maps: dict[tuple[str, str], FieldMap] = {}
        self._resolved: dict[str, tuple[float, frozenset[str]]] = {}

    def identify(self, address: str, header: Header) -> Source | None:
        """The source, or None where it may not be heard. Raises Refused for a source with an unreadable map.

        Of the sources with that address the one named MSH-3 (and MSH-4, where the source says a facility).
        Behind a closed door, else the only one there is: an interface engine often sends under the names of
        others. Behind an open one a stranger is a stranger, and not read by another's map.
        """
        application, facility = header.component(3), header.component(4)
        configured = self._configured()
        here = [record for record in configured if self._is_at(record.host, address)]
        named = [record for record in here if _named(record, application, facility)]
        if not named and not self._open_door and len(here) == 1 and not rehearses(application):
            named = here
        if named:
            return Source(named[0].name, self._map(named[0]))
        if not self._open_door or any(_named(record, application, facility) for record in configured):
            return None  # a configured name is not lent to another address
        return Source(application or "unnamed", self._default, configured=False)

    def by_name(self, name: str) -> Source:
        """The source a journalled message came from; the default map where it is not configured now."""
        for record in self._configured():
            if record.name == name:
                return Source(name, self._map(record))
        return Source(name, self._default, configured=False)

    def _map(self, record: Hl7SourceRecord) -> FieldMap:
        key = (record.field_map, record.character_set)
        if key not in self._maps:
            try:
                self._maps[key] = read_map(record.field_map, record.character_set)
            except InvalidValue as failure:
                raise Refused(f"this source's settings cannot be read: {failure.message}") from failure
        return self._maps[key]

    def _is_at(self, host: str, address: str) -> bool:
        """Whether a configured host (address, network or name) is that address."""
        found = _address(address)
        if found is None:
            return False
        try:
            return found in ipaddress.ip_network(host.strip(), strict=False)
        except ValueError:
            return str(found) in self._addresses_of(host.strip())

    def _addresses_of(self, name: str) -> frozenset[str]:
        known = self._resolved.get(name)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        try:
            infos = socket.getaddrinfo(name, None)
        except OSError:
            infos = []
        found = frozenset(str(_address(str(info[4][0]))) for info in infos)
        self._resolved[name] = (time.monotonic() + _REMEMBER_NAME_S, found)
        return found


def _named(record: Hl7SourceRecord, application: str, facility: str) -> bool:
    if record.facility and record.facility.upper() != facility.upper():
        return False
    return record.name.upper() == application.upper()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; IPv4 inside IPv6 as IPv4, without a zone."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _resources() -> Path:
    """Where the shipped data lies, in a source tree and in a frozen program."""
    frozen = getattr(sys, "_MEIPASS", None)
    return (Path(frozen) if frozen else Path(__file__).resolve().parents[2]) / "resources"
