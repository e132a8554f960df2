"""Settings of a node: defaults, then `config.toml`, then the command line (contract.md, Shared options)."""

from __future__ import annotations

import os
import ssl
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pacs_core.domain.errors import InvalidValue

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every listener, limit and policy; each field is the key of its TOML section below.

    Ports may be 0 for a free one; sizes are in megabytes, times in seconds.
    """

    data: Path
    site_zone: str = ""
    dicom_host: str = "127.0.0.1"
    dicom_port: int = 11112
    dicom_ae: str = "READINGROOM"
    dicom_max_associations: int = 64
    dicom_idle_s: int = 300
    hl7_host: str = "127.0.0.1"
    hl7_port: int = 2575
    hl7_insecure: bool = False
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    http_insecure: bool = False
    http_origins: tuple[str, ...] = ()
    http_hosts: tuple[str, ...] = ()
    http_certificate: str = ""
    http_key: str = ""
    http_max_object_mb: int = 4096
    hl7_certificate: str = ""
    hl7_key: str = ""
    store_reserve_mb: int = 256
    reading_idle_lock_min: int = 15
    demo: bool = False
    config: Path | None = None


KEYS: dict[str, str] = {
    "site.zone": "site_zone",
    **{f"dicom.{key}": f"dicom_{key}" for key in ("host", "port", "ae", "max_associations", "idle_s")},
    **{f"hl7.{key}": f"hl7_{key}" for key in ("host", "port", "insecure", "certificate", "key")},
    **{
        f"http.{key}": f"http_{key}"
        for key in ("host", "port", "insecure", "certificate", "key", "origins", "hosts", "max_object_mb")
    },
    "store.reserve_mb": "store_reserve_mb",
    "reading.idle_lock_min": "reading_idle_lock_min",
}
"""The keys of the configuration file, ``section.key``, and the fields they fill."""

LIMITS: dict[str, tuple[int, int]] = {
    "dicom.port": (0, 65535),
    "dicom.max_associations": (1, 1000),
    "dicom.idle_s": (5, 86_400),
    "hl7.port": (0, 65535),
    "http.port": (0, 65535),
    "http.max_object_mb": (1, 1_000_000),
    "store.reserve_mb": (1, 100_000_000),
    "reading.idle_lock_min": (0, 1440),
}
"""The least and the most of each number."""


def default_data() -> Path:
    """The platform's per-user data folder, or READING_ROOM_DATA."""
    said = os.environ.get("READING_ROOM_DATA")
    if said:
        return Path(said)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "Reading Room"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Reading Room"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "reading-room"


def load(data: Path, config: Path | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
    """Settings for a data folder; raises InvalidValue naming file and key."""
    file = config or data / "config.toml"
    values = _from_file(file, required=config is not None)
    values.update({k: v for k, v in (overrides or {}).items() if v is not None})
    return checked(replace(Settings(data=data, config=config), **values))


def checked(settings: Settings) -> Settings:
    """The settings, or InvalidValue where they contradict the contract."""
    for key, (least, most) in LIMITS.items():
        if not least <= getattr(settings, KEYS[key]) <= most:
            raise InvalidValue(f"{key} is to be from {least} to {most}", key)
    title = settings.dicom_ae
    if not title.strip() or len(title) > 16 or not title.isascii():
        raise InvalidValue("an AE title has 1 to 16 ASCII characters", "dicom.ae")
    for door, secure in (("hl7", settings.hl7_certificate), ("http", settings.http_certificate)):
        host = getattr(settings, f"{door}_host")
        if host not in LOOPBACK and not secure and not getattr(settings, f"{door}_insecure"):
            raise InvalidValue(
                f"{door.upper()} beyond this machine needs a certificate, or insecure = true in [{door}]",
                f"{door}.host",
            )
    return settings


def address(text: str, where: str) -> tuple[str, int]:
    """``HOST:PORT`` split; raises InvalidValue."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit() or int(port) > 65535:
        raise InvalidValue(f"{text!r} is no HOST:PORT", where)
    return host, int(port)


def _from_file(file: Path, *, required: bool) -> dict[str, Any]:
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise InvalidValue(f"there is no configuration file {file}", "--config") from None
        return {}
    except OSError as error:
        raise InvalidValue(f"{file} cannot be read: {error.strerror}", str(file)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{file.name}: {error}", str(file)) from None
    values: dict[str, Any] = {}
    for section, keys in tree.items():
        if not isinstance(keys, dict):
            raise InvalidValue(f"{file.name}: {section} stands outside a section", section)
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in KEYS:
                raise InvalidValue(f"{file.name}: there is no setting {name}", name)
            values[KEYS[name]] = typed(KEYS[name], value, name)
    return values


def typed(field: str, value: object, where: str) -> str | int | bool | tuple[str, ...]:
    """A value as its field holds it; raises InvalidValue naming `where`."""
    kind = str(next(f.type for f in fields(Settings) if f.name == field))
    if kind == "tuple[str, ...]" and isinstance(value, list | tuple):
        if all(isinstance(v, str) for v in value):
            return tuple(value)
    elif isinstance(value, str | int) and type(value).__name__ == kind:  # True is no number
        return value
    raise InvalidValue(f"{where} is to be {_KINDS[kind]}", where)


_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "bool": "true or false",
    "tuple[str, ...]": "a list of texts",
}


def certificate_context(settings: Settings, door: str) -> ssl.SSLContext | None:
    """How a door encrypts, None where it does not; raises InvalidValue naming the key that is at fault."""
    certificate, key = getattr(settings, f"{door}_certificate"), getattr(settings, f"{door}_key")
    if not certificate:
        if key:
            raise InvalidValue("there is a private key and no certificate", f"{door}.certificate")
        return None
    for file, where in ((certificate, f"{door}.certificate"), (key, f"{door}.key")):
        if file and not Path(file).is_file():
            raise InvalidValue(f"there is no file {file}", where)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", "") or getattr(error, "strerror", "") or str(error)
        raise InvalidValue(f"certificate and key cannot be used: {reason}", f"{door}.certificate") from None
    return context
