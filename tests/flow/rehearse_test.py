"""The rehearsal: seven green lines; with one stage's code taken out exactly that line is red."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TAKE_OUT = """
import importlib.machinery, os, sys
module, _, names = os.environ["TAKE_OUT"].partition(":")
class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name == module else None
        if spec is None:
            return None
        run = spec.loader.exec_module
        def exec_module(made):
            run(made)
            from pacs_core.domain.errors import InvalidValue
            def gone(*_args, **_kwargs):
                if os.environ.get("INSTEAD"):
                    return eval(os.environ["INSTEAD"], vars(made))
                raise InvalidValue("this stage was taken out")
            owner = made
            *way, last = names.split(".")
            for step in way:
                owner = getattr(owner, step)
            setattr(owner, last, gone)
        spec.loader.exec_module = exec_module
        return spec
sys.meta_path.insert(0, Finder)
"""

STAGES = {
    1: "pacs_core.hl7.adt:commands",
    2: "pacs_core.hl7.orm:commands",
    3: "pacs_core.services.modality_worklist:ModalityWorklist.query",
    4: "pacs_core.dimse.store_scp:StoreSCP.answer",
    5: "pacs_core.domain.reconciliation:reconcile",
    6: "workstation.rendering.render:render",
    7: "pacs_core.services.reporting:Reporting.sign",
}


def rehearse(*words: str, **environment: str) -> list[dict[str, Any]]:
    """Run the command and read its lines."""
    done = subprocess.run(
        [sys.executable, "-m", "pacs_core.runtime", "rehearse", "--json", *words],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env={**os.environ, **environment},
    )
    lines: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == (0 if all(line["done"] for line in lines) else 1)
    return lines


@pytest.mark.timeout(300)
def test_seven_lines_are_green_and_carry_their_evidence() -> None:
    lines = rehearse()
    assert [(line["number"], line["done"]) for line in lines] == [(n, True) for n in range(1, 8)], lines
    facts = {line["name"]: line["facts"] for line in lines}
    assert facts["order"]["study_uid"] == facts["worklist"]["study_uid"] == facts["reconciliation"]["study"]
    assert len(facts["acquisition"]["sha256"]) == len(facts["reading"]["picture"]) == 64
    assert abs(facts["reading"]["length_mm"] - facts["reading"]["truth_mm"]) < 1.0
    assert facts["report"]["acknowledgement"].startswith("AA")


@pytest.mark.long
@pytest.mark.timeout(500)
@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_taken_out_turns_exactly_its_line_red(stage: int, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(TAKE_OUT, encoding="utf-8")
    instead = "Held('nothing', 'nobody looked')" if stage == 5 else ""
    lines = rehearse(TAKE_OUT=STAGES[stage], INSTEAD=instead, PYTHONPATH=str(tmp_path))
    assert [line["number"] for line in lines if not line["done"]] == [stage], lines


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("drill", ["silent-ris", "refusing-ris", "late-order"])
def test_a_drill_comes_out_as_told(drill: str) -> None:
    lines = rehearse("--drill", drill)
    assert lines
    assert all(line["done"] for line in lines), lines
