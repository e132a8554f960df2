"""A folder of real files goes into the archive, whichever way it is entered, and every file is named."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.support.houses import House
from workstation.session.importing import Import


def test_a_folder_is_imported_and_every_file_answered_for(
    home: House, shared_data: Path, tmp_path: Path
) -> None:
    some = sorted((shared_data / "studies" / "ct-phantom-tilt").rglob("*.dcm"))[:3]
    (tmp_path / "plain").write_bytes(some[0].read_bytes())
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "rest.zip", "w") as packed:
        for path in some:
            packed.write(path, path.name)
    for wanted in ({"stored": 3, "already there": 1}, {"already there": 4}):
        running = Import(lambda: home.enter().studies, [tmp_path]).begin()
        running._thread.join(60)
        state = running.state()
        assert state.over
        assert state.error is None
        assert dict(state.outcomes) == {**wanted, "not DICOM": 1}
        assert (state.studies, state.refused, state.amiss) == (1, 1, False)
        assert [Path(line.path).name for line in running.left_out()] == ["notes.txt"]
