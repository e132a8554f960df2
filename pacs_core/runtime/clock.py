"""The machine's clock with the site's zone beside it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pacs_core.domain.errors import InvalidValue


class SystemClock:
    """Implements `ports.Clock`."""

    def __init__(self, zone: str = "") -> None:
        name = zone or local_zone()
        try:
            self._zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise InvalidValue(f"there is no time zone {name!r}", "site.zone") from None

    def now(self) -> datetime:
        """Now, aware, in UTC."""
        return datetime.now(UTC)

    def civil_now(self) -> datetime:
        """Now at the site."""
        return datetime.now(self._zone)

    @property
    def zone_name(self) -> str:
        """The site's zone."""
        return self._zone.key


def local_zone() -> str:
    """The machine's zone by name; UTC where the machine does not say."""
    said = os.environ.get("TZ", "").lstrip(":")
    if said:
        return said
    link = Path("/etc/localtime")
    if link.is_symlink():
        parts = link.resolve().parts
        if "zoneinfo" in parts:
            return "/".join(parts[parts.index("zoneinfo") + 1 :])
    if os.name == "nt" and not time.daylight and time.timezone == 0:
        return "UTC"
    hours = -time.timezone // 3600
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"
