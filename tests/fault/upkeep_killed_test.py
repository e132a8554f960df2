"""`kill -9` in the middle of backup, restore, reindex and verify: nothing is lost, the next run ends it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pacs_core.archive.importing import import_bytes
from pacs_core.database.copies import stored_objects
from pacs_core.domain.study import Origin
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import Settings
from pacs_core.storage.folder import FolderStore
from tests.machine import CHECKOUT
from tests.support.commands import command
from tests.support.dicom_bytes import dicom_file
from tests.support.serving import program

COUNT = 300


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("upkeep") / "data"
    with Node(Settings(data, "UTC")).open() as node:
        for number in range(1, COUNT + 1):
            content = dicom_file(f"1.2.{number % 7}", number)
            assert (
                import_bytes(node.services.storing, content, Origin("import", "t"), "x").outcome == "stored"
            )
    assert command("backup", str(data.parent / "copy"), "--data", str(data)).returncode == 0
    return data


def whole(data: Path) -> None:
    """Every object is there, unchanged, with its row and no other."""
    with Node(Settings(data, "UTC")).open():
        pass  # the sweep
    assert command("verify", "--data", str(data)).returncode == 0
    rows = {one.blob_key for one in stored_objects(data / "index.sqlite")}
    assert (len(rows), rows) == (COUNT, set(FolderStore(data / "store", 0).keys()))


def killed(words: list[str], begun: Callable[[], bool]) -> bool:
    """Begin the command and kill it as soon as that much was done; false where it was quicker."""
    with subprocess.Popen(
        program(*words), cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as one:
        while one.poll() is None:
            if begun():
                one.kill()
                return one.wait() != 0
    return False


def copies(folder: Path, more: int) -> Callable[[], bool]:
    store = folder / "store"
    return lambda: store.exists() and len(list(store.rglob("*.dcm"))) >= more


@pytest.mark.parametrize("done", [60, *(pytest.param(n, marks=pytest.mark.long) for n in (1, COUNT))])
def test_a_backup_that_is_killed_is_ended_by_the_next(archive: Path, tmp_path: Path, done: int) -> None:
    copy = tmp_path / "copy"
    killed(["backup", str(copy), "--data", str(archive)], copies(copy, done))
    ended = command("backup", str(copy), "--data", str(archive))
    assert ended.returncode == 0, ended.stderr
    assert command("restore", str(copy), "--data", str(tmp_path / "again")).returncode == 0
    whole(tmp_path / "again")
    whole(archive)


@pytest.mark.parametrize("done", [60, *(pytest.param(n, marks=pytest.mark.long) for n in (1, COUNT))])
def test_a_restore_that_is_killed_is_ended_by_the_next(archive: Path, tmp_path: Path, done: int) -> None:
    words = ["restore", str(archive.parent / "copy"), "--data", str(tmp_path / "again")]
    if killed(words, copies(tmp_path / "again", done)):
        ended = command(*words)
        assert ended.returncode == 0 or "not empty" in ended.stderr, ended.stderr  # it had just ended
    whole(tmp_path / "again")


@pytest.mark.parametrize(
    "what",
    [
        "index-being-made.sqlite",
        *(pytest.param(n, marks=pytest.mark.long) for n in ("index-before-reindex.sqlite.part", "lock")),
    ],
)
def test_a_reindex_that_is_killed_leaves_the_old_index(archive: Path, tmp_path: Path, what: str) -> None:
    data = tmp_path / "again"
    assert command("restore", str(archive.parent / "copy"), "--data", str(data)).returncode == 0
    killed(["reindex", "--data", str(data)], (data / what).exists)
    whole(data)
    assert command("reindex", "--data", str(data)).returncode == 0
    whole(data)


def test_a_verify_that_is_killed_has_changed_nothing(archive: Path) -> None:
    killed(["verify", "--data", str(archive)], lambda: True)
    whole(archive)
