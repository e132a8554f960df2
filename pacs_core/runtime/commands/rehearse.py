"""`reading-room rehearse`: plays the whole loop on a node of its own and prints one line of evidence a stage."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser."""
    parser = commands.add_parser("rehearse", help="play the whole loop on a node of its own, with evidence")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play it."""
    return 1
