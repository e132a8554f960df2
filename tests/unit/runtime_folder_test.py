"""The data folder and the settings: refused with reasons, held by one process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pacs_core.domain.errors import Conflict, InvalidValue, Refused
from pacs_core.runtime import data_folder
from pacs_core.runtime.settings import load


def test_the_folder_is_private_to_its_owner(tmp_path: Path) -> None:
    made = data_folder.prepare(tmp_path / "deep" / "data")
    assert made.is_dir()
    if os.name != "nt":
        assert made.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / "letter.txt").write_text("x", encoding="utf-8")
    with pytest.raises(Refused, match=r"it holds other files \(letter\.txt\)"):
        data_folder.prepare(home)
    assert home.stat().st_mode & 0o777 == 0o755
    assert [p.name for p in home.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("names", [(), ("config.toml", "cert.pem"), ("core.log",), ("index.sqlite", "x")])
def test_an_empty_folder_and_one_of_ours_are_taken(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert data_folder.prepare(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["Dropbox", "OneDrive - Clinic", "iCloud Drive"])
def test_a_cloud_synced_folder_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="cloud-synced"):
        data_folder.prepare(tmp_path / name / "data")


def test_a_folder_marked_by_a_sync_client_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".dropbox.cache").mkdir()
    with pytest.raises(Refused, match="cloud-synced"):
        data_folder.prepare(tmp_path / "data")


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "file_system", lambda path: "nfs4")
    with pytest.raises(Refused, match="nfs4"):
        data_folder.prepare(tmp_path / "data")


def test_a_second_holder_is_told_who_has_it(tmp_path: Path) -> None:
    first = data_folder.Hold(tmp_path)
    data_folder.announce(tmp_path, {"pid": 4711})
    with pytest.raises(Conflict, match="4711"):
        data_folder.Hold(tmp_path)
    first.release()
    data_folder.Hold(tmp_path).release()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[dicom]\nport = 'x'", "dicom.port"),
        ("[dicom]\nspeed = 3", "dicom.speed"),
        ("loose = 1", "loose"),
        ("[hl7]\nhost = '0.0.0.0'", "hl7.host"),
        ("[site]\nzone = 3", "site.zone"),
        ("not toml", "config.toml"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidValue) as caught:
        load(tmp_path)
    assert where in caught.value.where


def test_the_command_line_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[dicom]\nport = 104\nae = 'FILE'", encoding="utf-8")
    settings = load(tmp_path, None, {"dicom_ae": "LINE", "hl7_port": None})
    assert (settings.dicom_port, settings.dicom_ae, settings.hl7_port) == (104, "LINE", 2575)
