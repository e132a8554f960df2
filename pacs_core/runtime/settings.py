"""Settings of a node: defaults, then `config.toml`, then the command line (contract.md, Shared options)."""

from __future__ import annotations

import os
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
    hl7_certificate: str = ""
    hl7_key: str = ""
    store_reserve_mb: int = 256
    reading_idle_lock_min: int = 15
    demo: bool = False


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
    return checked(replace(Settings(data=data), **values))


def checked(settings: Settings) -> Settings:
    """The settings, or InvalidValue where they contradict the contract."""
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
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for section, keys in tree.items():
        if not isinstance(keys, dict):
            raise InvalidValue(f"{file.name}: {section} stands outside a section", section)
        for key, value in keys.items():
            name = f"{section}_{key}"
            if name not in known:
                raise InvalidValue(f"{file.name}: there is no setting {section}.{key}", f"{section}.{key}")
            values[name] = _typed(known[name].type, value, f"{section}.{key}")
    return values


def _typed(kind: object, value: object, where: str) -> object:
    if kind == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    wanted = {"str": str, "int": int, "bool": bool}.get(str(kind))
    if wanted is None or type(value) is not wanted:
        raise InvalidValue(f"{where} should be a {kind}", where)
    return value
