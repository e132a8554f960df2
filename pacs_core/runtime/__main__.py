"""The command line of Reading Room without its window (contract.md, Commands)."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.runtime import VERSION

COMMANDS = (
    "serve",
    "import",
    "ae",
    "hl7-source",
    "destination",
    "user",
    "token",
    "trace",
    "verify",
    "backup",
    "restore",
    "reindex",
    "rehearse",
    "doctor",
    "simulate",
)
"""Words that lead here; anything else opens the window."""


def parser() -> argparse.ArgumentParser:
    """The parser with every subcommand."""
    from pacs_core.runtime.commands import (
        accounts,
        doctor,
        importing,
        peers,
        rehearse,
        serve,
        simulate,
        trace,
        upkeep,
    )

    top = argparse.ArgumentParser(
        prog="reading-room",
        description="A diagnostic workstation with a PACS inside. Without a command: the window.",
    )
    top.add_argument("--version", action="version", version=f"reading-room {VERSION}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (serve, importing, peers, accounts, trace, upkeep, rehearse, doctor, simulate):
        module.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed with one clear line on stderr, 2 a usage error."""
    args = parser().parse_args(argv)
    _set_up_logging(getattr(args, "verbose", 0))
    try:
        return int(args.run(args))
    except ReadingRoomError as error:
        print(
            f"reading-room: {error.message}" + (f" ({error.where})" if error.where else ""), file=sys.stderr
        )
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"reading-room: {error.strerror or error}{where}", file=sys.stderr)
    except KeyboardInterrupt:
        print("reading-room: interrupted", file=sys.stderr)
    return 1


def _set_up_logging(verbose: int) -> None:
    level = logging.DEBUG if verbose > 1 else logging.INFO if verbose else logging.WARNING
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("reading_room").setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
