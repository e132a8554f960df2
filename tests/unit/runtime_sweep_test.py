"""What a crash left in the store is taken up at the next start, or stays where it is until it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pacs_core.runtime.sweep import sweep
from tests.support.dicom_bytes import dicom_file
from tests.support.spine import Spine, spine


def left_behind(house: Spine) -> str:
    """A file in the store whose row was never committed."""
    writer = house.store.create()
    writer.write(dicom_file("1.2.3", 1))
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
