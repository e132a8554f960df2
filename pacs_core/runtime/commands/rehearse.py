"""`reading-room rehearse`: plays the whole loop on a node of its own and prints one line of evidence a
stage.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from pacs_core.domain.access import Role
from pacs_core.domain.errors import Denied
from pacs_core.rehearsal.company import Simulator
from pacs_core.rehearsal.drills import DRILLS
from pacs_core.rehearsal.live import Place, Site, play_live
from pacs_core.rehearsal.play import Evidence, World, make_images, play
from pacs_core.rehearsal.populate import Company, connect_results, furnish
from pacs_core.rehearsal.reader import Reader
from pacs_core.rehearsal.recipe import load_recipe
from pacs_core.runtime.addresses import ANY
from pacs_core.runtime.commands.common import Entry, archive_options, enter
from pacs_core.runtime.doors import own_trust
from pacs_core.runtime.ending import Ending
from pacs_core.runtime.settings import address


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "rehearse",
        parents=[archive_options()],
        help="play the whole loop on a node of its own, with evidence",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--drill", choices=sorted(DRILLS), help="play what breaks instead")
    which.add_argument(
        "--live",
        action="store_true",
        help="on the running node: a test order and result, to destinations for tests alone, then removed",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave node and logs in this folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play; exit 0 when every line came out as it should."""

    def tell(line: Evidence) -> None:
        if not args.json:
            print(line.as_text(), flush=True)

    with _folder(args.keep) as folder:
        if args.live:
            lines = _live(args, folder, tell)
        else:
            with world_on(folder) as world:
                lines = DRILLS[args.drill](world, tell) if args.drill else play(world, tell)
    if args.json:
        print(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1))
    return 0 if all(line.done for line in lines) else 1


def _live(args: argparse.Namespace, folder: Path, tell: Callable[[Evidence], None]) -> list[Evidence]:
    """On the node that runs, as its owner or as an admin; ended early it is still removed again."""
    ending = Ending().on_signals()
    with enter(args, only_running=True) as entry:
        if entry.archive.who.role != Role.ADMIN:
            raise Denied(
                f"a rehearsal on a live node needs an admin, not a {entry.archive.who.role}", "--user"
            )
        node = entry.archive.administration.node()
        site = Site(
            entry.archive,
            entry.door.sign_in,
            _place(node.hl7, entry.host),
            _place(node.dicom, entry.host),
            _trust(entry),
            ending.heed,
        )
        return play_live(site, folder / "images", tell)


def _place(said: str, host: str) -> Place:
    """A listener as it is reached from here, and the address by which it sees us."""
    bound, port = address(said, "node")
    there = host if bound in ANY else bound
    with socket.create_connection((there, port), timeout=10) as probe:
        return Place(there, port, str(probe.getsockname()[0]))


def _trust(entry: Entry) -> ssl.SSLContext | None:
    """How to speak to an HL7 door that has a certificate: our own node's is trusted as it is."""
    certificate = entry.settings.hl7_certificate
    if not certificate:
        return None
    trust = own_trust({"certificate": certificate}) if entry.own else True
    return trust if isinstance(trust, ssl.SSLContext) else ssl.create_default_context()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="reading-room-rehearsal-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def world_on(folder: Path) -> Iterator[World]:
    """A node of its own in `folder`, with RIS, scanner and reader beside it as processes."""
    from pacs_core.remote.archive import RemoteDoor
    from pacs_core.runtime.child import CoreProcess
    from pacs_core.runtime.clock import SystemClock
    from pacs_core.runtime.data_folder import prepare
    from pacs_core.runtime.demo import free_doors

    recipe = load_recipe()
    truth = make_images(folder / "images")
    data = prepare(folder / "data")
    doors = free_doors()
    words = [f"--{door}=127.0.0.1:{doors[f'{door}_port']}" for door in ("dicom", "hl7", "http")]
    with ExitStack() as closing:
        core = CoreProcess(data, words)
        facts = core.start()
        closing.callback(core.stop)
        door = RemoteDoor(*(core.find() or ("", "")), find=core.find)
        closing.callback(door.close)
        owner = door.as_owner()
        furnish(owner.administration, recipe)
        log = folder / "players.log"
        ris = closing.enter_context(Simulator("ris", ["--node", str(facts["hl7"])], log))
        options = ["--node", str(facts["dicom"]), "--images", str(folder / "images")]
        scanner = closing.enter_context(
            Simulator("scanner", [*options, "--station", recipe.station("CT").aet], log)
        )
        connect_results(owner.administration, recipe, Company(ris, {}))
        account = recipe.reader
        reader_archive = door.sign_in(account.name, account.password)
        reader = closing.enter_context(Reader(data, folder / "window", log))
        yield World(
            owner=owner,
            reader_archive=reader_archive,
            ris=ris,
            scanner=scanner,
            reader=reader,
            recipe=recipe,
            today=SystemClock().civil_now().date(),
            password=account.password,
            truth=truth,
            images=folder / "images",
        )
