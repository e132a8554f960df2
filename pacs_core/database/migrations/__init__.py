"""Numbered, forward-only steps from one schema version to the next, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

MIGRATIONS: Sequence[tuple[str, Callable[[Connection], None]]] = ()
"""(version reached, step); the first version, 0001, is what `schema` makes."""
