"""`reading-room trace ACCESSION`: every event of one exam, and the stage that is missing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import groupby

from pacs_core.archive.models import ExamTrace, StageView
from pacs_core.domain.events import Change
from pacs_core.runtime.commands.common import archive_options, node_archive

_MARK = {"done": "✓", "waiting": "…", "missing": "–", "failed": "✗"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser."""
    parser = commands.add_parser("trace", parents=[archive_options()], help="the story of one exam")
    parser.add_argument("accession")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the story."""
    with node_archive(args) as archive:
        story = archive.trace.of(args.accession)
    print(json.dumps(asdict(story), ensure_ascii=False, indent=1) if args.json else as_text(story))
    return 0


def as_text(story: ExamTrace) -> str:
    """The story for people: seven stages, then every event in order."""
    lines = [f"Exam {story.accession}"]
    lines += [_stage_line(stage) for stage in story.stages]
    lines.append(f"  missing: {story.missing}" if story.missing else "  every stage is done")
    lines.append("")
    runs = groupby(story.events, key=_alike)
    lines += [_line_of(list(run)) for _key, run in runs]
    return "\n".join(lines)


def _stage_line(stage: StageView) -> str:
    return f"  {_MARK[stage.state]} {stage.number} {stage.name:<15}{stage.at[:19]:<21}{stage.evidence}"


def _alike(event: Change) -> object:
    """Images that came one after the other from one place are told together, everything else on its own."""
    return (event.kind, event.actor) if event.kind == "images.stored" else event.sequence


def _line_of(run: Sequence[Change]) -> str:
    """A fact, or a run of images with their count and the first and last time."""
    first, last = run[0], run[-1]
    if first is last:
        return _event_line(first)
    count = sum(int(str(event.detail.get("count", 1))) for event in run)
    return _event_line(replace(first, detail={**first.detail, "count": count, "until": last.at[:23]}))


def _event_line(event: Change) -> str:
    detail = ", ".join(f"{k} {v}" for k, v in event.detail.items() if v not in ("", [], None))
    return f"  {event.at[:23]}  {event.kind:<22}{event.actor:<18}{detail}".rstrip()
