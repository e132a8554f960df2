"""What is found in a path to import, and what is refused by name."""

from __future__ import annotations

import os
import zipfile
from copy import copy
from itertools import islice
from pathlib import Path

import pytest

from pacs_core.dicom.media import find


def _zip(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_names_that_point_outside_a_zip_are_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", **{"../evil.dcm": b"x", "/abs.dcm": b"x", "good.dcm": b"hello"})
    found = {f.name.split("!")[1]: f for f in find(path)}
    assert "outside" in found["../evil.dcm"].refusal
    assert "outside" in found["/abs.dcm"].refusal
    assert found["good.dcm"].refusal == ""


def test_a_zip_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    (found,) = find(_zip(tmp_path / "bomb.zip", bomb=bytes(64 << 20)))
    assert "bomb" in found.refusal


def test_a_link_that_points_outside_a_folder_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s", encoding="utf-8")
    folder = tmp_path / "medium"
    folder.mkdir()
    try:
        (folder / "link.dcm").symlink_to(secret)
    except OSError:
        pytest.skip("no right to make links here")
    (found,) = find(folder)
    assert "outside" in found.refusal


def test_links_that_go_in_circles_are_not_followed(tmp_path: Path) -> None:
    inner = tmp_path / "medium" / "a"
    inner.mkdir(parents=True)
    (inner / "one.dcm").write_bytes(b"x")
    try:
        for name in ("again", "once-more"):
            (inner / name).symlink_to(inner, target_is_directory=True)
    except OSError:
        pytest.skip("no right to make links here")
    found = list(islice(find(tmp_path / "medium"), 10))
    assert [(Path(f.name).name, bool(f.skip)) for f in found] == [
        ("again", True),
        ("once-more", True),
        ("one.dcm", False),
    ]


def test_a_zip_whose_entries_share_their_bytes_is_a_bomb(tmp_path: Path) -> None:
    path = _zip(tmp_path / "shared.zip", **{"0": os.urandom(1 << 16)})
    with zipfile.ZipFile(path, "a") as archive:
        first = archive.infolist()[0]
        for number in range(1, 1000):
            twin = copy(first)
            twin.filename = str(number)
            archive.filelist.append(twin)
        archive._didModify = True
    (found,) = find(path)
    assert "bomb" in found.refusal


def test_a_path_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    (found,) = find(tmp_path / "nothing")
    assert "no such file" in found.refusal
