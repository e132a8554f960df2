"""`reading-room simulate ris|scanner`: the other side of the interfaces, with which a site commissions
them.
"""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser; the simulators read their own options."""
    parser = commands.add_parser("simulate", help="a simulated RIS or scanner to try an interface with")
    parser.add_argument("who", choices=("ris", "scanner"), help="each has its --help")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="its own options")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the simulator until it is done or stopped."""
    if args.who == "ris":
        from pacs_core.rehearsal import ris

        return ris.main(args.options)
    from pacs_core.rehearsal import scanner

    return scanner.main(args.options)
