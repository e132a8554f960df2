"""`verify`, `backup`, `restore` and `reindex`: the archive looked after by hand (contract.md, Commands)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pacs_core.runtime.clock import SystemClock
from pacs_core.runtime.commands.common import data_of, say, settings_of, shared_options
from pacs_core.runtime.verifying import Finding, verify

EVERY = 200
"""Objects between two lines of progress on a terminal."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the four parsers."""
    verify = commands.add_parser(
        "verify", parents=[shared_options()], help="read every stored object and compare it with its digest"
    )
    verify.set_defaults(run=run_verify)
    backup = commands.add_parser(
        "backup", parents=[shared_options()], help="copy the archive to DIR while it works"
    )
    backup.add_argument("folder", type=Path, metavar="DIR")
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser(
        "restore", parents=[shared_options()], help="make an empty data folder an archive again"
    )
    restore.add_argument("folder", type=Path, metavar="DIR")
    restore.set_defaults(run=run_restore)
    reindex = commands.add_parser(
        "reindex", parents=[shared_options()], help="make the index again from what is stored"
    )
    reindex.set_defaults(run=run_reindex)


def run_verify(args: argparse.Namespace) -> int:
    """Scrub; exit 1 where something is wrong, a line for each on standard output."""
    found = verify(data_of(args), lambda so_far: _progress(so_far.objects))
    _print(found.findings)
    say(f"{found.objects} objects, {found.size >> 20} MB read: {_wrong(len(found.findings))}")
    return 1 if found.findings else 0


def run_backup(args: argparse.Namespace) -> int:
    """Back up; exit 1 where an object is missing or not what was received."""
    from pacs_core.runtime.backing_up import back_up

    clock = _clock(args)
    done = back_up(data_of(args), args.folder, clock, lambda so_far: _progress(so_far.objects))
    _print(done.findings)
    say(f"{done.objects} objects in {args.folder}, {done.copied} copied now: {_wrong(len(done.findings))}")
    return 1 if done.findings else 0


def run_restore(args: argparse.Namespace) -> int:
    """Restore; exit 1 where an object of the backup is missing or damaged."""
    from pacs_core.runtime.backing_up import restore

    done = restore(args.folder, data_of(args), lambda so_far: _progress(so_far.objects))
    _print(done.findings)
    say(f"{done.objects} objects in {data_of(args)}: {_wrong(len(done.findings))}")
    return 1 if done.findings else 0


def run_reindex(args: argparse.Namespace) -> int:
    """Make the index again."""
    from pacs_core.runtime.reindexing import OLD, reindex

    done = reindex(data_of(args), _clock(args), lambda so_far: _progress(so_far.indexed))
    rest = (
        "all else was taken over" if done.kept_the_rest else "orders, reports and accounts were not readable"
    )
    say(f"{done.indexed} images indexed, {done.unreadable} files are no images; {rest}; "
        f"the index before is {OLD}")  # fmt: skip
    return 0


def _clock(args: argparse.Namespace) -> SystemClock:
    return SystemClock(settings_of(args).site_zone)


def _progress(count: int) -> None:
    if count % EVERY == 0 and sys.stderr.isatty():
        print(f"\r{count} objects", end="", file=sys.stderr, flush=True)


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"{finding.sop_instance_uid or finding.key}: {finding.words}")


def _wrong(count: int) -> str:
    return "nothing is wrong" if not count else f"{count} wrong"
