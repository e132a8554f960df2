"""`ae`, `hl7-source` and `destination`: who may talk to us and where results go."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pacs_core.archive import models as m
from pacs_core.domain.errors import InvalidValue
from pacs_core.runtime.commands.common import archive_options, node_archive, say, table


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the three parsers."""
    _ae(commands)
    _source(commands)
    _destination(commands)


def _ae(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = _group(commands, "ae", "DICOM peers")
    add = _action(actions, "add", add_peer)
    add.add_argument("title")
    _address(add)
    add.add_argument(
        "--modality", default="", help="steps without a station of this modality are its own, e.g. CT"
    )
    add.add_argument("--station", default="", help="station name")
    _action(actions, "list", list_peers)
    for name, run in (("remove", remove_peer), ("echo", echo_peer)):
        _action(actions, name, run).add_argument("title")


def _source(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = _group(commands, "hl7-source", "who may send HL7")
    add = _action(actions, "add", add_source)
    add.add_argument("name", help="sending application, MSH-3")
    add.add_argument("host")
    add.add_argument("--map", type=Path, metavar="FILE", help="field map as TOML")
    _action(actions, "list", list_sources)
    _action(actions, "remove", remove_source).add_argument("name")


def _destination(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = _group(commands, "destination", "where results go (MLLP)")
    add = _action(actions, "add", add_destination)
    add.add_argument("name")
    _address(add)
    add.add_argument(
        "--refused-tries", type=int, default=3, help="tries after AE, AR, CE or CR before a person is asked"
    )
    add.add_argument(
        "--hold", type=int, default=0, metavar="S", help="seconds a signed result waits before it leaves"
    )
    add.add_argument("--addendum-status", choices=("C", "F"), default="C", help="OBR-25 of an addendum")
    add.add_argument("--for-tests", action="store_true", help="takes nothing but rehearsals")
    _action(actions, "list", list_destinations)
    _action(actions, "remove", remove_destination).add_argument("name")


def add_peer(args: argparse.Namespace) -> int:
    """Add or change a peer."""
    with node_archive(args) as archive:
        peer = archive.administration.save_peer(
            m.Peer(args.title, args.host, args.port, args.modality, args.station)
        )
    say(f"{peer.title} at {peer.host}:{peer.port} may store, query, retrieve and ask for the worklist")
    return 0


def list_peers(args: argparse.Namespace) -> int:
    """Print the peers."""
    with node_archive(args) as archive:
        rows = [
            (p.title, f"{p.host}:{p.port}", p.modality, p.station, p.last_seen, p.last_did)
            for p in archive.administration.peers()
        ]
    print(table(rows, ("AE TITLE", "ADDRESS", "MODALITY", "STATION", "LAST SEEN", "LAST DID")))
    return 0


def remove_peer(args: argparse.Namespace) -> int:
    """Remove a peer."""
    with node_archive(args) as archive:
        archive.administration.remove_peer(args.title)
    say(f"{args.title} removed")
    return 0


def echo_peer(args: argparse.Namespace) -> int:
    """C-ECHO a peer; exit 1 where it did not answer."""
    with node_archive(args) as archive:
        check = archive.administration.echo(args.title)
    say(f"{check.name}: {check.words}" + (f"; {check.advice}" if check.advice else ""))
    return 0 if check.state == "ok" else 1


def add_source(args: argparse.Namespace) -> int:
    """Add or change an HL7 source."""
    try:
        text = args.map.read_text(encoding="utf-8") if args.map else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{args.map} cannot be read: {error}", "--map") from None
    with node_archive(args) as archive:
        archive.administration.save_hl7_source(m.Hl7Source(args.name, args.host, text))
    say(f"{args.name} at {args.host} may send HL7")
    return 0


def list_sources(args: argparse.Namespace) -> int:
    """Print the sources."""
    with node_archive(args) as archive:
        rows = [
            (
                s.name,
                s.host,
                s.facility,
                "own map" if s.field_map else "default map",
                s.last_seen,
                s.last_did,
            )
            for s in archive.administration.hl7_sources()
        ]
    print(table(rows, ("NAME", "HOST", "FACILITY", "FIELDS", "LAST SEEN", "LAST DID")))
    return 0


def remove_source(args: argparse.Namespace) -> int:
    """Remove a source."""
    with node_archive(args) as archive:
        archive.administration.remove_hl7_source(args.name)
    say(f"{args.name} removed")
    return 0


def add_destination(args: argparse.Namespace) -> int:
    """Add or change a destination."""
    record = m.Destination(
        args.name, args.host, args.port, args.refused_tries, args.hold, args.addendum_status, args.for_tests
    )
    with node_archive(args) as archive:
        archive.administration.save_destination(record)
    say(f"results go to {args.name} at {args.host}:{args.port}")
    return 0


def list_destinations(args: argparse.Namespace) -> int:
    """Print the destinations."""
    with node_archive(args) as archive:
        rows = [
            (
                d.name,
                f"{d.host}:{d.port}",
                str(d.refused_tries),
                str(d.hold_seconds),
                "tests only" if d.reserved_for_tests else "",
            )
            for d in archive.administration.destinations()
        ]
    print(table(rows, ("NAME", "ADDRESS", "TRIES", "HOLD S", "")))
    return 0


def remove_destination(args: argparse.Namespace) -> int:
    """Remove a destination."""
    with node_archive(args) as archive:
        archive.administration.remove_destination(args.name)
    say(f"{args.name} removed")
    return 0


def _group(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    parser = commands.add_parser(name, help=words)
    return parser.add_subparsers(dest="action", required=True, metavar="ACTION")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, parents=[archive_options()], help=(run.__doc__ or "").rstrip("."))
    parser.set_defaults(run=run)
    return parser


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host")
    parser.add_argument("port", type=int)
