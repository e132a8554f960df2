"""What a crash left in the store is taken up at the next start, or stays where it is until it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pacs_core.runtime import sweep as sweeping
from pacs_core.runtime.sweep import sweep
from pacs_core.services.storing import door_of
from tests.support.dicom_bytes import dicom_file
from tests.support.spine import Spine, spine


def left_behind(house: Spine, content: bytes = b"", door: str = "") -> str:
    """A file in the store whose row was never committed."""
    writer = house.services.storing.begin(door)
    writer.write(content or dicom_file("1.2.3", 1))
    writer.commit()
    return writer.key


def swept(house: Spine, folder: Path) -> dict[str, int]:
    found = sweep(house.services, house.store, folder / "quarantine")
    return {what: number for what, number in found.items() if number}


def test_a_file_without_its_row_is_taken_up(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        left_behind(house)
        assert swept(house, tmp_path) == {"indexed": 1}
        assert house.study().instance_count == 1
        assert swept(house, tmp_path) == {}


@pytest.mark.parametrize(
    ("door", "outcome"), [("dimse", "held"), ("stow", "held"), ("import", "none"), ("", "none")]
)
def test_what_it_is_held_for_depends_on_the_door_it_came_by(tmp_path: Path, door: str, outcome: str) -> None:
    """A scanner's study without an order waits for a person; an imported one may be older than any order."""
    with spine(tmp_path) as house:
        left_behind(house, door=door)
        assert swept(house, tmp_path) == {"indexed": 1}
        assert (house.study().reconciliation, house.study().door) == (outcome, door or "sweep")
        swept(house, tmp_path)
        (key,) = house.store.keys()
        assert door_of(key) == door


def test_on_a_full_disk_the_node_starts_all_the_same_and_the_file_waits(
    tmp_path: Path, expect_errors: Callable[[str], None]
) -> None:
    expect_errors("stays as it is")
    with spine(tmp_path) as house:
        key = left_behind(house)
        house.store.reserve_bytes = 1 << 60
        assert swept(house, tmp_path) == {"left": 1}
        assert list(house.store.keys()) == [key]
        house.store.reserve_bytes = 0
        assert swept(house, tmp_path) == {"indexed": 1}


def test_files_and_rows_are_compared_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    with spine(tmp_path) as house:
        for number in range(1, 6):
            house.image("1.9", number=number)
        keys = sorted(house.store.keys())
        house.store.remove(keys[3])
        left_behind(house)
        rubbish = left_behind(house, b"no image at all")
        assert swept(house, tmp_path) == {"indexed": 1, "set aside": 1, "rows without file": 1}
        assert [p.name for p in (tmp_path / "quarantine").iterdir()] == [rubbish]
        with house.index.read() as tx:
            assert set(tx.studies.blob_keys()) == set(house.store.keys()) | {keys[3]}
        assert swept(house, tmp_path) == {"rows without file": 1}
