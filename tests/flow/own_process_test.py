"""Children run the parent's own code, whatever lies in the folder the program was called from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pacs_core.rehearsal.company import simulator_command
from pacs_core.rehearsal.own_process import ROOT, own_environment
from pacs_core.rehearsal.reader import reader_command
from pacs_core.runtime.child import command
from workstation.rendering.volume import child as volume
from workstation.reporting import speech_process as speech
from workstation.session import child_process as child
from workstation.session import registrar

NOWHERE = Path("nowhere")
CHILDREN: dict[str, tuple[list[str], dict[str, str]]] = {
    "core": (command("--help"), own_environment()),
    "ris": (simulator_command("ris", ["--help"]), own_environment()),
    "reader": (reader_command(NOWHERE, NOWHERE), own_environment()),
    "speech": (speech.program(), speech.environment()),
    "renderer": (volume.program(), volume.environment()),
    "registration": (registrar.program(), child.own_environment()),
    "probe": (volume.program("--probe"), volume.environment()),
}


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder whose packages carry our names."""
    for name in ("pacs_core", "workstation"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('raise SystemExit("the folder\'s own")\n')
    return tmp_path


@pytest.mark.parametrize("who", CHILDREN)
def test_a_child_takes_nothing_from_the_working_directory(who: str, trap: Path) -> None:
    program, environment = CHILDREN[who]
    module = program.index("-m")
    package = program[module + 1].partition(".")[0]
    told = f"import {package}; print({package}.__path__[0])"
    done = subprocess.run(
        [*program[:module], "-c", told],
        cwd=trap, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert Path(done.stdout.strip()) == Path(ROOT, package)


def test_the_core_starts_beside_packages_of_its_own_name(trap: Path) -> None:
    done = subprocess.run(
        command("--help"),
        cwd=trap, env=own_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout


def test_an_empty_entry_of_the_path_means_the_working_directory_and_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(("", sys.prefix, "")))
    for environment in (
        own_environment(),
        speech.environment(),
        volume.environment(),
        child.own_environment(),
    ):
        assert environment["PYTHONPATH"].split(os.pathsep) == [ROOT, sys.prefix]
