"""How a rehearsal on a live node is marked, so that it can never be taken for an exam, and is found again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ISSUER = "READINGROOM-REHEARSAL"
"""The issuer of patient IDs that is reserved for rehearsals: whatever came under it is removed afterwards."""

PREFIX = "REHEARSAL"
"""How the names of sources (MSH-3) begin whose orders are rehearsed and never go to a real receiver."""

_TEMPORARY = re.compile(rf"{PREFIX}-[0-9A-F]{{6}}")


def rehearses(source: str) -> bool:
    """Say whether a source of that name only rehearses."""
    return source.upper().startswith(PREFIX)


def is_temporary(name: str) -> bool:
    """Say whether an account, peer or source was made for the time of one rehearsal."""
    return _TEMPORARY.fullmatch(name) is not None


def counted(rows: Mapping[str, int]) -> str:
    """What was removed, in words."""
    return ", ".join(
        f"{n} {what if n == 1 else _MANY.get(what, what + 's')}" for what, n in rows.items() if n
    )


_MANY = {"study": "studies", "delivery": "deliveries"}


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away after a rehearsal: the studies' UIDs, their blobs, and how many of each kind."""

    study_uids: tuple[str, ...]
    blob_keys: tuple[str, ...]
    rows: dict[str, int]

    @property
    def anything(self) -> bool:
        """Whether there was something to remove."""
        return any(self.rows.values())
