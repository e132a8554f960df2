"""The imaging engine beside the engines of the field; `imaging.PART` runs one module of `benchmarks.rows`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from benchmarks import rows
from benchmarks.pairing import Figures, Missing, Seen, Work
from benchmarks.pairing import rows as measured


def parts() -> list[str]:
    """The modules of `benchmarks.rows` that hold rows."""
    return sorted(module.name for module in pkgutil.iter_modules(rows.__path__) if module.name != "volumes")


def works(part: str = "") -> Iterator[Work | Missing | Seen]:
    """Every row of one part, or of all; made as they are reached, so that one part's volume can go again."""
    for name in [part] if part else parts():
        yield from importlib.import_module(f"benchmarks.rows.{name}").works()


def run(part: str = "") -> list[Figures]:
    """Measure, row after row."""
    return measured(works(part))
