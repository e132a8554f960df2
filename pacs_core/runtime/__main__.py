"""The command line of Reading Room without its window (contract.md, Commands)."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.runtime import VERSION

_MODULES = {
    "serve": "serve",
    "import": "importing",
    "ae": "peers",
    "hl7-source": "peers",
    "destination": "peers",
    "user": "accounts",
    "token": "accounts",
    "trace": "trace",
    "verify": "upkeep",
    "backup": "upkeep",
    "restore": "upkeep",
    "reindex": "upkeep",
    "rehearse": "rehearse",
    "doctor": "doctor",
    "simulate": "simulate",
}
"""Each command's module among `commands`."""

COMMANDS = tuple(_MODULES)
"""Words that lead here; anything else opens the window."""


def parser(command: str = "") -> argparse.ArgumentParser:
    """The parser with every subcommand; where one is named, with its module's alone: the others cost a start
    half its time."""
    top = argparse.ArgumentParser(
        prog="reading-room",
        description="A diagnostic workstation with a PACS inside. Without a command: the window.",
    )
    top.add_argument("--version", action="version", version=f"reading-room {VERSION}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in dict.fromkeys([_MODULES[command]] if command in _MODULES else _MODULES.values()):
        import_module(f"pacs_core.runtime.commands.{name}").add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed with one clear line on stderr, 2 a usage error."""
    words = sys.argv[1:] if argv is None else list(argv)
    args = parser(words[0] if words else "").parse_args(words)
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
