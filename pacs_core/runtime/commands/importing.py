"""`reading-room import PATH…`: files, folders, zips and DICOMDIR media, within limits, every file named."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from pacs_core.archive.from_media import NOTHING_AMISS, bring_in
from pacs_core.archive.models import ImportLine
from pacs_core.dicom.media import find
from pacs_core.runtime.commands.common import archive_options, node_archive, say


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "import", parents=[archive_options()], help="store files, folders, zips, DICOMDIR media"
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="the summary as JSON on standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import; exit 0 only when every file was stored, was there already, or was named as not storable and
    why.
    """
    lines: list[ImportLine] = []
    with node_archive(args) as archive:
        for path in args.paths:
            for found in find(path):
                line = bring_in(archive.studies, found)
                lines.append(line)
                _progress(lines, line)
    _summary(args, lines)
    return 0 if lines and all(line.outcome in NOTHING_AMISS for line in lines) else 1


def _progress(lines: list[ImportLine], line: ImportLine) -> None:
    if line.outcome not in ("stored", "already there"):
        say(f"{line.path}: {line.outcome}: {line.words}")
    elif sys.stderr.isatty():
        print(f"\r{len(lines)} files", end="", file=sys.stderr, flush=True)


def _summary(args: argparse.Namespace, lines: list[ImportLine]) -> None:
    counts = Counter(line.outcome for line in lines)
    studies = sorted({line.study_uid for line in lines if line.study_uid})
    if args.json:
        print(
            json.dumps(
                {"counts": counts, "studies": studies, "files": [asdict(x) for x in lines]},
                ensure_ascii=False,
            )
        )
        return
    words = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())) or "nothing found"
    say(f"{len(lines)} files: {words}; {len(studies)} studies")
