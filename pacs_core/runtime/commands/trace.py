"""`reading-room trace ACCESSION`: every event of one exam, and the stage that is missing."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

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
    lines += [_event_line(event) for event in story.events]
    return "\n".join(lines)


def _stage_line(stage: StageView) -> str:
    return f"  {_MARK[stage.state]} {stage.number} {stage.name:<15}{stage.at[:19]:<21}{stage.evidence}"


def _event_line(event: Change) -> str:
    detail = ", ".join(f"{k} {v}" for k, v in event.detail.items() if v not in ("", [], None))
    return f"  {event.at[:23]}  {event.kind:<22}{event.actor:<18}{detail}".rstrip()
