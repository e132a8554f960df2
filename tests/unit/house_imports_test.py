"""Each import contract, broken on purpose in an empty copy of the rooms, is found broken."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    one["id"]: one["name"]
    for one in tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}

PLANTED = {
    "two-houses": ("pacs_core/domain/planted_house.py", "import PySide6"),
    "core-stairs": ("pacs_core/cellar_without_a_place/__init__.py", ""),
    "no-protocol": ("pacs_core/services/planted_protocol.py", "import sqlalchemy"),
    "workstation-stairs": ("workstation/imaging/planted_stairs.py", "import workstation.session"),
    "qt": ("workstation/tools/planted_qt.py", "import PySide6"),
    "vtk": ("workstation/rendering/planted_vtk.py", "import vtkmodules"),
    "simpleitk": ("workstation/session/planted_itk.py", "import SimpleITK"),
    "pynetdicom": ("pacs_core/dimse/planted_pynetdicom.py", "import pynetdicom"),
    "hl7apy": ("pacs_core/dimse/planted_hl7.py", "import hl7apy"),
    "protected-rooms": ("workstation/session/planted_door.py", "import pacs_core.database"),
    "one-door": ("workstation/ui/planted_runtime.py", "import pacs_core.runtime"),
}
ALLOWED = {
    "workstation/rendering/engines/vtk.py": "import vtkmodules",
    "workstation/rendering/volume/vtk_caster.py": "import vtkmodules",
    "workstation/imaging/planted_allowed.py": "import SimpleITK",
    "workstation/ui/planted_allowed.py": "import PySide6, pacs_core.archive",
    "workstation/app.py": "import PySide6, pacs_core.runtime, workstation.ui",
    "pacs_core/dimse/planted_allowed.py": "import pacs_core.services, pacs_core.dicom",
    "pacs_core/hl7/planted_allowed.py": "import hl7apy",
    "pacs_core/runtime/planted_allowed.py": "import pacs_core.rehearsal, pacs_core.web",
}


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The rooms and modules of the checkout, all empty, under its contracts."""
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    for house in ("pacs_core", "workstation"):
        for module in (CHECKOUT / house).rglob("*.py"):
            _write(tmp_path / module.relative_to(CHECKOUT), "")
    for path, text in ALLOWED.items():
        _write(tmp_path / path, text)
        _write(tmp_path / Path(path).with_name("__init__.py"), "")
    return tmp_path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def _lint(folder: Path) -> tuple[int, dict[str, str]]:
    """Exit code, and KEPT or BROKEN by the contract's name."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    wide = {**os.environ, "COLUMNS": "200"}
    command += ["--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=wide)
    return done.returncode, dict(re.findall(r"^(\S.*?) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))


def test_every_contract_has_its_planted_violation():
    assert PLANTED.keys() == CONTRACTS.keys()


def test_what_is_allowed_is_kept(skeleton):
    assert _lint(skeleton) == (0, dict.fromkeys(CONTRACTS.values(), "KEPT"))


def test_what_is_forbidden_is_found(skeleton):
    for path, text in PLANTED.values():
        _write(skeleton / path, text)
    assert _lint(skeleton) == (1, dict.fromkeys(CONTRACTS.values(), "BROKEN"))


@pytest.mark.parametrize(
    ("path", "text", "broken"),
    [
        ("pacs_core/dimse/planted.py", "import pacs_core.hl7", "core-stairs"),
        ("pacs_core/services/planted.py", "import pacs_core.dicom", "core-stairs"),
        ("pacs_core/archive/planted.py", "import pacs_core.storage", "core-stairs"),
        ("workstation/reporting/planted.py", "import workstation.rendering", "workstation-stairs"),
        ("workstation/a_room_without_a_place.py", "", "workstation-stairs"),
    ],
)
def test_stairs_are_found_one_by_one(skeleton, path, text, broken):
    _write(skeleton / path, text)
    code, results = _lint(skeleton)
    assert code == 1
    assert {name for name, result in results.items() if result == "BROKEN"} == {CONTRACTS[broken]}
