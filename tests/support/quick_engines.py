"""One compiled form of each SQL statement for all engines of a test, where it opens hundreds of indexes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from pacs_core.database import unit_of_work


@contextmanager
def shared_compilation() -> Iterator[None]:
    """Engines that are made meanwhile share the first one's dialect, and with it its compiled statements."""
    plain = unit_of_work.create_engine
    first: list[Engine] = []

    def create_engine(*args: Any, **options: Any) -> Engine:
        made = plain(*args, **options)
        if first:
            made.dialect = made.pool._dialect = first[0].dialect
            made._compiled_cache = first[0]._compiled_cache
        first.append(made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_of_work, "create_engine", create_engine)
        yield
