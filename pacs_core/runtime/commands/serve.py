"""`reading-room serve`: the core alone; exactly one line on standard output once every listener accepts."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pacs_core.domain.errors import InvalidValue
from pacs_core.runtime.commands.common import settings_of, shared_options
from pacs_core.runtime.ending import Ending
from pacs_core.runtime.settings import Settings, address

if TYPE_CHECKING:
    from pacs_core.runtime.node import Node


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "serve", parents=[shared_options()], help="the PACS core alone, without a window"
    )
    parser.add_argument(
        "--dicom", type=_address, metavar="HOST:PORT", help="DICOM listener (127.0.0.1:11112)"
    )
    parser.add_argument("--ae", metavar="TITLE", help="AE title (READINGROOM)")
    parser.add_argument("--hl7", type=_address, metavar="HOST:PORT", help="HL7 listener (127.0.0.1:2575)")
    parser.add_argument("--http", type=_address, metavar="HOST:PORT", help="HTTP listener (127.0.0.1:8080)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--demo-facts", metavar="JSON", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def _address(text: str) -> str:
    """An address as argparse takes it: a wrong one is a usage error."""
    try:
        address(text, "")
    except InvalidValue as error:
        raise argparse.ArgumentTypeError(error.message) from None
    return text


def settings_from(args: argparse.Namespace) -> Settings:
    """Settings with the listeners named on the command line."""
    named: dict[str, object] = {"dicom_ae": args.ae}
    for door in ("dicom", "hl7", "http"):
        text = getattr(args, door)
        if text is not None:
            named[f"{door}_host"], named[f"{door}_port"] = address(text, f"--{door}")
    return settings_of(args, **named)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C (as a child also until the parent's pipe closes), then stop in order."""
    from pacs_core.archive.codec import from_jsonable
    from pacs_core.archive.models import SignIn
    from pacs_core.runtime.node import Node

    settings = settings_from(args)
    secret = sys.stdin.readline().strip() if args.child else ""
    ending = Ending().on_signals()
    node = Node(settings, secret=secret)
    if args.demo_facts:
        node.demo_facts = from_jsonable(SignIn, json.loads(args.demo_facts))
    node.on_stop = ending.wish
    node.start()
    print("READY " + json.dumps(node.ready()), flush=True)
    if args.child:
        watch = threading.Thread(target=_watch_parent, args=(ending, node), name="parent-watch", daemon=True)
        watch.start()
    ending.wait()
    node.stop()
    return 0


def _watch_parent(ending: Ending, node: Node) -> None:
    """A line `stop` from the parent ends the node; its pipe just closing does too, unless it said `stay`."""
    stay = False
    for line in sys.stdin:
        word = line.strip()
        if word == "stop":
            break
        stay = stay or word == "stay"
    else:
        if stay:
            _detach()
            node.left_behind()
            return
    ending.wish()


def _detach() -> None:
    """Go on without the parent: what is written to its closed pipes must not end us."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
