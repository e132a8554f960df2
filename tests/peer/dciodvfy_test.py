"""What strokes become is an object as PS3.3 has it: David Clunie's `dciodvfy` finds no error in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.strokes_on import header_of, objects_of, strokes_on

SOURCES = (
    "prior-pair-chest-ct-A046441",  # CT, single frames
    "mr-enhanced-siemens-xa30",  # enhanced MR, frames in functional groups
    "xa-cath-75-frames",  # an older multi-frame image
    "us-echo-pediatric",  # colour, no place in the patient
    "cr-dx-mg",  # a radiograph
    "petct-acrin-nsclc-042",  # of a trial whose sponsor is not named
)


@pytest.mark.parametrize("source", SOURCES)
def test_what_we_write_passes(shared_data: Path, tmp_path: Path, dciodvfy: Path, source: str) -> None:
    header = header_of(shared_data / "studies" / source)
    made = objects_of(header, strokes_on(header))
    assert set(made) == {"measurements", "key", "presentation"}
    for name, content in made.items():
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(content)
        said = subprocess.run([dciodvfy, path], capture_output=True, text=True, check=False)
        errors = [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]
        assert said.returncode == 0, (name, said.stderr)
        assert not errors, (name, errors)
