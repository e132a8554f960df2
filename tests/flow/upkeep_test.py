"""`verify`, `backup`, `restore` and `reindex` on real folders, beside running nodes and after damage."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pacs_core.archive.importing import import_bytes
from pacs_core.database.copies import stored_objects
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.records import StudyKeys
from pacs_core.domain.study import Origin
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import Settings
from pacs_core.storage.folder import FolderStore
from tests.support.commands import Ended, command
from tests.support.dicom_bytes import dicom_file

COUNT = 6


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with an order, its study and a second study; its node has stopped."""
    with Node(Settings(tmp_path / "data", "UTC")).open() as node:
        fill(node, "1.2.3", COUNT)
        fill(node, "1.2.4", 1)
        node.services.orders.place(
            PlaceOrder(RegisterPatient(PatientIdentifier("P1")), accession="KEPT", steps=(StepRequest(),)),
            "RIS",
        )
    return tmp_path / "data"


def fill(node: Node, study: str, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        origin = Origin("import", "test")
        line = import_bytes(node.services.storing, dicom_file(study, number), origin, f"{number}.dcm")
        assert line.outcome == "stored", line


def ran(data: Path, *words: object) -> Ended:
    return command(*(str(word) for word in words), "--data", str(data))


def keys(folder: Path) -> set[str]:
    return set(FolderStore(folder / "store", 0).keys())


def named(data: Path) -> set[str]:
    return {one.blob_key for one in stored_objects(data / "index.sqlite")}


def whole(data: Path) -> dict[str, tuple[int, str]]:
    """Every study as its images' count and accession numbers, after a start with its sweep."""
    with Node(Settings(data, "UTC")).open() as node, node.services.index.read() as tx:
        assert keys(data) == named(data)
        assert len(tx.orders.by_accession("KEPT")) <= 1
        studies = tx.studies.search(StudyKeys(), 100)
        return {s.study_uid: (s.instance_count, s.received_accession) for s in studies}


def damage(data: Path) -> tuple[str, str]:
    """Change the bytes of one object and take another away; their UIDs."""
    changed, gone = list(stored_objects(data / "index.sqlite"))[:2]
    store = FolderStore(data / "store", 0)
    content = bytearray(store.place(changed.blob_key).read_bytes())
    content[-1] ^= 1
    store.place(changed.blob_key).write_bytes(content)
    store.remove(gone.blob_key)
    return changed.sop_instance_uid, gone.sop_instance_uid


def test_verify_finds_nothing_then_what_was_done_to_the_files(data: Path) -> None:
    ended = ran(data, "verify")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert f"{COUNT + 1} objects" in ended.stderr
    changed, gone = damage(data)
    ended = ran(data, "verify")
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        f"{changed}: its bytes have changed", f"{gone}: its file is missing",
    ]  # fmt: skip


def test_verify_works_beside_a_node(data: Path) -> None:
    with Node(Settings(data, "UTC")).open() as node:
        fill(node, "1.2.5", 1)
        assert ran(data, "verify").returncode == 0


def test_verify_names_a_file_that_no_row_names(data: Path) -> None:
    stray = data / "store" / "ab" / "cd" / f"abcd{'0' * 28}.dcm"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(dicom_file("1.2.9", 1))
    assert ran(data, "verify").returncode == 0  # it may just be arriving
    os.utime(stray, (0, 0))
    ended = ran(data, "verify")
    assert (ended.returncode, ended.stdout) == (
        1,
        f"{stray.name}: it has no row: the next start takes it up\n",
    )


@pytest.mark.parametrize("words", [("verify",), ("backup", "copy"), ("restore", "copy")])
def test_where_there_is_no_archive(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = ran(tmp_path / "none", words[0], *(tmp_path / word for word in words[1:]))
    assert ended.returncode == 1
    assert "no archive" in ended.stderr or "no finished backup" in ended.stderr


def test_a_backup_beside_a_working_node_is_restored_whole(data: Path, tmp_path: Path) -> None:
    with Node(Settings(data, "UTC")).open() as node:
        ended = ran(data, "backup", tmp_path / "copy")
        assert (ended.returncode, ended.stdout) == (0, "")
        fill(node, "1.2.5", 2)
        ended = ran(data, "backup", tmp_path / "copy")  # the second one copies what is new
        assert f"{COUNT + 3} objects" in ended.stderr
        assert "2 copied now" in ended.stderr
    assert len(list((tmp_path / "copy").glob("index-*.sqlite"))) == 1
    assert ran(tmp_path / "again", "restore", tmp_path / "copy").returncode == 0
    assert whole(tmp_path / "again") == whole(data)
    assert ran(tmp_path / "again", "verify").returncode == 0
    with Node(Settings(tmp_path / "again", "UTC")).open() as node, node.services.index.read() as tx:
        assert len(tx.orders.by_accession("KEPT")) == 1


def test_a_backup_says_what_is_wrong_and_a_restore_finds_what_became_of_the_copy(
    data: Path, tmp_path: Path
) -> None:
    assert ran(data, "backup", tmp_path / "good").returncode == 0
    changed, gone = damage(data)
    ended = ran(data, "backup", tmp_path / "bad")
    assert ended.returncode == 1
    assert {line.split(":")[0] for line in ended.stdout.splitlines()} == {changed, gone}
    ended = ran(data, "backup", tmp_path / "good")  # what was copied whole stays whole
    assert (ended.returncode, ended.stdout) == (0, "")
    ended = ran(tmp_path / "again", "restore", tmp_path / "bad")
    assert ended.returncode == 1
    assert {line.split(":")[0] for line in ended.stdout.splitlines()} == {changed, gone}


def test_places_that_are_none(data: Path, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    (others / "letter.txt").write_text("dear", "utf-8")
    for folder, words in ((data / "copy", "neither"), (data.parent, "neither"), (others, "other files")):
        ended = ran(data, "backup", folder)
        assert (ended.returncode, words in ended.stderr) == (1, True), ended
    assert ran(data, "backup", tmp_path / "copy").returncode == 0
    ended = ran(data, "restore", tmp_path / "copy")
    assert (ended.returncode, "not empty" in ended.stderr) == (1, True)


def test_an_unfinished_backup_is_not_restored_and_an_unfinished_restore_not_started(
    data: Path, tmp_path: Path
) -> None:
    assert ran(data, "backup", tmp_path / "copy").returncode == 0
    manifest = tmp_path / "copy" / "backup.json"
    facts = manifest.read_bytes()
    manifest.unlink()
    assert "no finished backup" in ran(tmp_path / "again", "restore", tmp_path / "copy").stderr
    manifest.write_bytes(facts)
    assert json.loads(facts)["objects"] == COUNT + 1
    again = tmp_path / "again"
    assert ran(again, "restore", tmp_path / "copy").returncode == 0
    (again / "index.sqlite").unlink()
    (again / "restoring").write_bytes(b"")
    ended = ran(again, "trace", "KEPT")
    assert (ended.returncode, "restore" in ended.stderr) == (1, True)
    assert ran(again, "restore", tmp_path / "copy").returncode == 0
    assert whole(again) == whole(data)


def test_an_older_index_put_back_loses_none_of_the_newer_files(data: Path, tmp_path: Path) -> None:
    assert ran(data, "backup", tmp_path / "copy").returncode == 0
    with Node(Settings(data, "UTC")).open() as node:
        fill(node, "1.2.6", 100)
    (index,) = (tmp_path / "copy").glob("index-*.sqlite")
    (data / "index.sqlite").write_bytes(index.read_bytes())
    assert whole(data)["1.2.6"][0] == 100
    assert ran(data, "verify").returncode == 0


@pytest.fixture(params=["sound", "damaged", "gone"])
def old_index(request: pytest.FixtureRequest, data: Path) -> str:
    """The index before: as it was, with a hole in it, or not there."""
    path = data / "index.sqlite"
    if request.param == "damaged":
        content = bytearray(path.read_bytes())
        content[: len(content) // 2] = b"\xff" * (len(content) // 2)
        path.write_bytes(content)
    elif request.param == "gone":
        path.unlink()
        (data / "config.toml").write_bytes(b"")  # what says that the folder is a data folder
    return str(request.param)


def test_the_index_is_made_again_from_the_files(data: Path, old_index: str) -> None:
    ended = ran(data, "reindex")
    assert (ended.returncode, f"{COUNT + 1} images indexed, 0 files" in ended.stderr) == (0, True), ended
    made = whole(data)
    assert {uid: count for uid, (count, _) in made.items()} == {"1.2.3": COUNT, "1.2.4": 1}
    assert ran(data, "verify").returncode == 0
    with Node(Settings(data, "UTC")).open() as node, node.services.index.read() as tx:
        assert len(tx.orders.by_accession("KEPT")) == (old_index == "sound")


def test_what_a_node_holds_is_not_reindexed(data: Path) -> None:
    with Node(Settings(data, "UTC")).open():
        ended = ran(data, "reindex")
    assert (ended.returncode, "in use" in ended.stderr) == (1, True)


def test_a_file_whose_bytes_changed_since_its_name_was_made_is_not_indexed_as_if_nothing_were(
    data: Path,
) -> None:
    store = FolderStore(data / "store", reserve_bytes=0)
    writer = store.create(".dimse.dcm", "f" * 64)
    writer.write(dicom_file("1.2.9", 1))
    writer.commit()
    ended = ran(data, "reindex")
    assert f"{COUNT + 1} images indexed, 1 files" in ended.stderr, ended
    assert "1.2.9" not in whole(data)
    with Node(Settings(data, "UTC")).open():
        assert [path.name for path in (data / "quarantine").iterdir()] == [writer.key]
