"""The settings as a person sees and changes them: each key with its words, its value and its default."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from dataclasses import fields, replace

from pacs_core.archive import models as m
from pacs_core.domain.errors import InvalidValue
from pacs_core.runtime.clock import SystemClock
from pacs_core.runtime.config_file import Value, write_changes
from pacs_core.runtime.settings import KEYS, Settings, certificate_context, checked, load, typed

WORDS: dict[str, str] = {
    "site.zone": "The site's time zone, e.g. Europe/Berlin; empty: this machine's",
    "dicom.host": "Address on which DICOM is heard; 127.0.0.1: only this machine, 0.0.0.0: the network",
    "dicom.port": "Port on which DICOM is heard",
    "dicom.ae": "Our own AE title",
    "dicom.max_associations": "Most associations at a time; more are asked to come back",
    "dicom.idle_s": "Seconds that a peer may be silent before its association is ended",
    "hl7.host": "Address on which HL7 (MLLP) is heard; 127.0.0.1: only this machine",
    "hl7.port": "Port on which HL7 is heard",
    "hl7.insecure": "Let HL7 in from the network without encryption",
    "hl7.certificate": "Certificate of the HL7 listener (PEM file); with it MLLP is encrypted",
    "hl7.key": "Its private key (PEM file), where it is not in the certificate's file",
    "http.host": "Address on which DICOMweb and the API are served; 127.0.0.1: only this machine",
    "http.port": "Port on which DICOMweb and the API are served",
    "http.insecure": "Let HTTP in from the network without encryption",
    "http.certificate": "Certificate of the HTTP listener (PEM file); with it HTTP is encrypted",
    "http.key": "Its private key (PEM file), where it is not in the certificate's file",
    "http.origins": "Sites whose pages may ask this node, e.g. https://viewer.example",
    "http.hosts": "Names by which this node may be called, beside its addresses",
    "http.max_object_mb": "Megabytes of the largest single object taken over HTTP (STOW-RS, import)",
    "store.reserve_mb": "Megabytes kept free on the disk; below that nothing more is accepted",
    "reading.idle_lock_min": "Minutes after which every workstation locks at the latest; 0: as each likes",
}

AT_ONCE = frozenset({"dicom.max_associations", "dicom.idle_s", "store.reserve_mb", "reading.idle_lock_min"})
"""Keys whose change a running node follows; the others need its next start."""

_KINDS = {"str": "text", "int": "number", "bool": "yes or no", "tuple[str, ...]": "list"}


def listed(running: Settings) -> tuple[m.Setting, ...]:
    """Every key as it is in effect, and as the next start would read it; raises InvalidValue."""
    filed = load(running.data, running.config)
    plain = Settings(running.data)
    kinds = {f.name: str(f.type) for f in fields(Settings)}
    return tuple(
        m.Setting(
            key=key,
            words=WORDS[key],
            kind=_KINDS[kinds[name]],
            value=_open(getattr(filed, name)),
            default=_open(getattr(plain, name)),
            running=_open(getattr(running, name)),
            restart=key not in AT_ONCE,
        )
        for key, name in KEYS.items()
    )


def change(running: Settings, values: Mapping[str, object]) -> Settings:
    """Write new values to the file; None brings back a default. Returns what is in effect from now on.

    Raises InvalidValue naming the key, Refused where the file may not be written; then nothing was changed.
    """
    filed = load(running.data, running.config)
    plain = Settings(running.data)
    wanted: dict[str, Value | None] = {}
    for key, value in values.items():
        if key not in KEYS:
            raise InvalidValue(f"there is no setting {key}", key)
        wanted[key] = None if value is None else typed(KEYS[key], value, key)
    named = {KEYS[k]: getattr(plain, KEYS[k]) if v is None else v for k, v in wanted.items()}
    after = checked(replace(filed, **named))  # type: ignore[arg-type]  # each is of its field's type: `typed`
    _possible(after, running, set(wanted))
    file = running.config or running.data / "config.toml"
    write_changes(file, {_place(key): value for key, value in wanted.items()})
    followed = {KEYS[key]: getattr(after, KEYS[key]) for key in wanted if key in AT_ONCE}
    return replace(running, **followed)


def _place(key: str) -> tuple[str, str]:
    section, _, name = key.partition(".")
    return section, name


def _open(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _possible(after: Settings, running: Settings, changed: set[str]) -> None:
    """Refuse what the next start would fail on: a zone, address, port or certificate that is not there."""
    if "site.zone" in changed:
        SystemClock(after.site_zone)
    for door in ("hl7", "http"):
        if changed & {f"{door}.certificate", f"{door}.key"}:
            certificate_context(after, door)
    for door in ("dicom", "hl7", "http"):
        if changed & {f"{door}.host", f"{door}.port"}:
            _can_listen(after, running, door)
    _apart(after)


def _apart(after: Settings) -> None:
    """Two doors on one port: the second would not open."""
    taken: dict[int, str] = {}
    for door in ("dicom", "hl7", "http"):
        port = getattr(after, f"{door}_port")
        if port and port in taken:
            raise InvalidValue(f"port {port} is that of {taken[port].upper()} already", f"{door}.port")
        taken[port] = door


def _can_listen(after: Settings, running: Settings, door: str) -> None:
    host, port = getattr(after, f"{door}_host"), getattr(after, f"{door}_port")
    ours = {getattr(running, f"{d}_port") for d in ("dicom", "hl7", "http")}
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0], socket.SOCK_STREAM) as probe:
            probe.bind((found[4][0], 0 if port in ours else port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InvalidValue(f"port {port} is another program's", f"{door}.port") from None
        if error.errno == errno.EACCES:
            raise InvalidValue(f"this user may not listen on port {port}", f"{door}.port") from None
        raise InvalidValue(f"this machine has no address {host!r}", f"{door}.host") from None
