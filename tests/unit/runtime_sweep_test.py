"""What a crash left in the store is taken up at the next start, or stays where it is until it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pacs_core.dicom.intake import intake_bytes, part10_prefix
from pacs_core.runtime import sweep as sweeping
from pacs_core.runtime.sweep import sweep
from pacs_core.services.storing import door_of
from pacs_core.storage import folder
from pacs_core.storage.folder import TOGETHER, FolderStore
from tests.support.dicom_bytes import dicom_file
from tests.support.spine import Spine, spine


def left_behind(house: Spine, content: bytes = b"", door: str = "", digest: str = "") -> str:
    """A file in the store whose row was never committed."""
    writer = house.services.storing.begin(door, digest)
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


def test_a_file_whose_name_tells_another_digest_was_torn_and_is_set_aside(tmp_path: Path) -> None:
    whole = dicom_file("1.2.3", 1)
    digest = intake_bytes(whole).digest
    with spine(tmp_path) as house:
        torn = left_behind(house, whole[:-8] + bytes(8), "dimse", digest)
        assert torn.split(".")[1:] == [digest[:16], "dimse", "dcm"]
        assert swept(house, tmp_path) == {"set aside": 1}
        assert [path.name for path in (tmp_path / "quarantine").iterdir()] == [torn]
        left_behind(house, whole, "dimse", digest)
        assert swept(house, tmp_path) == {"indexed": 1}
        assert house.study().door == "dimse"


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


def test_what_is_taken_up_is_of_the_scanner_that_its_file_names(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        whole = dicom_file("1.2.3", 1)
        taken = intake_bytes(whole)
        header = taken.header
        prefix = part10_prefix(
            header.sop_class_uid, header.sop_instance_uid, header.transfer_syntax_uid, "CT1"
        )
        left_behind(house, prefix + whole[taken.source_offset :], door="dimse")
        assert swept(house, tmp_path) == {"indexed": 1}
        assert house.study().calling_aet == "CT1"


def test_blobs_that_come_together_share_a_folder_and_no_folder_is_endless(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store", reserve_bytes=0)
    keys = []
    for number in range(2 * TOGETHER):
        writer = store.create()
        if number % 100 == 0:
            writer.write(b"x")
            writer.commit()
            assert store.read(writer.key) == b"x"
        else:
            writer.abort()
        keys.append(writer.key)
    assert len(set(keys)) == len(keys)
    folders = [store.place(key).parent for key in keys]
    assert max(folders.count(folder) for folder in set(folders)) <= 2 * TOGETHER
    assert len(set(folders)) in (2, 3)


def test_a_folder_found_there_is_synced_before_a_blob_in_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path / "store", reserve_bytes=0)
    writer = store.create()
    final = store.place(writer.key)
    final.parent.mkdir(parents=True)
    synced: list[Path] = []
    monkeypatch.setattr(folder, "sync_directory", synced.append)
    writer.write(b"x")
    writer.commit()
    assert synced == [store.root, final.parent.parent, final.parent]


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
