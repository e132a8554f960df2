"""`reading-room doctor`: ports, disk, clock, peers, settings, engine and codecs, and what to do."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

from pacs_core.archive.models import Check, Destination
from pacs_core.archive.protocol import Archive
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.runtime.commands.common import archive_options, node_archive, settings_of
from pacs_core.runtime.data_folder import INDEX, running, unsafe
from pacs_core.runtime.settings import Settings

_MARK = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}

CODECS = {"JPEG": "JPEG8", "JPEG-LS": "JPEGLS", "JPEG 2000": "JPEG2K", "HTJ2K": "HTJ2K", "RLE": "DICOMRLE"}
"""Compressed pixels by name, and the imagecodecs codec behind them."""

OF_THE_FOLDER = ("disk", "data folder")
ONLY_SENDS = "nothing to do where it only sends and does not answer C-ECHO"
CONNECT_S = 5.0

EXTRA: list[Callable[[], Iterator[Check]]] = []
"""Checks of the other house (engine, codecs, speech), added by whoever starts the program."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "doctor", parents=[archive_options()], help="check everything and say what to do"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the checks; exit 1 where one fails."""
    checks = [*_all(args)]
    if args.json:
        print(json.dumps([asdict(c) for c in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            print(
                f"{_MARK[check.state]} {check.name:<16}{check.words}"
                + (f"  → {check.advice}" if check.advice else "")
            )
    return 1 if any(c.state == "fail" for c in checks) else 0


def _all(args: argparse.Namespace) -> Iterator[Check]:
    try:
        settings = settings_of(args)
    except ReadingRoomError as error:
        yield Check("settings", "fail", error.message, "mend the configuration file")
        return
    yield Check("settings", "ok", "configuration readable")
    yield _python()
    yield from _folder(settings)
    yield _clock(settings)
    yield from _ports(settings)
    yield from _node(args)
    yield from _codecs()
    for more in EXTRA:
        yield from more()


def _python() -> Check:
    version = sys.version.split()[0]
    return Check("python", "ok" if sys.version_info >= (3, 11) else "fail", version)


def _folder(settings: Settings) -> Iterator[Check]:
    reason = unsafe(settings.data)
    if reason:
        yield Check("data folder", "fail", reason, "choose a folder on a local disk with --data")
        return
    existing = settings.data
    while not existing.exists():
        existing = existing.parent
    writable = os.access(existing, os.W_OK)
    yield Check(
        "data folder",
        "ok" if writable else "fail",
        str(settings.data),
        "" if writable else "make it writable",
    )
    free = shutil.disk_usage(existing).free >> 20
    state = "fail" if free < settings.store_reserve_mb else "warn" if free < 10240 else "ok"
    yield Check(
        "disk", state, f"{free} MB free", "" if state == "ok" else "make room: a CT study takes 250 MB"
    )


def _clock(settings: Settings) -> Check:
    from pacs_core.runtime.clock import SystemClock

    try:
        clock = SystemClock(settings.site_zone)
    except ReadingRoomError as error:
        return Check("clock", "fail", error.message, "set [site] zone, e.g. Europe/Berlin")
    now = clock.civil_now()
    if now.year < 2024:
        return Check("clock", "fail", f"{now:%Y-%m-%d %H:%M}", "the machine's clock is wrong: turn NTP on")
    return Check("clock", "ok", f"{now:%Y-%m-%d %H:%M} {clock.zone_name}")


def _ports(settings: Settings) -> Iterator[Check]:
    if running(settings.data):
        return
    for door in ("dicom", "hl7", "http"):
        host, port = getattr(settings, f"{door}_host"), getattr(settings, f"{door}_port")
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                advice = f"another program has it: choose another with serve --{door}"
                yield Check(f"{door} port", "fail", f"{host}:{port} {error.strerror}", advice)
                continue
        yield Check(f"{door} port", "ok", f"{host}:{port} is free")


def _node(args: argparse.Namespace) -> Iterator[Check]:
    data = settings_of(args).data
    runs = bool(running(data))
    if not runs:
        yield Check("node", "ok", "not running; it would be started by the window or `serve`")
        if not (data / INDEX).exists():
            return
    try:
        with node_archive(args) as archive:
            if runs:
                yield from _running_node(archive)
            yield from _others(archive)
    except ReadingRoomError as error:
        yield Check("node", "fail", error.message, "end what holds the folder, or mend what is named")


def _running_node(archive: Archive) -> Iterator[Check]:
    info = archive.administration.node()
    yield Check("node", "ok", f"DICOM {info.ae} {info.dicom}, HL7 {info.hl7}, HTTP {info.http}")
    yield from (check for check in info.checks if check.name not in OF_THE_FOLDER)
    for warning in info.warnings:
        yield Check("node", "warn", warning, "give it a certificate in the configuration")


def _others(archive: Archive) -> Iterator[Check]:
    """Those we talk to: DICOM peers by C-ECHO, receivers of results by a connection."""
    for peer in archive.administration.peers():
        check = archive.administration.echo(peer.title)
        only_sends = check.state == "fail" and bool(peer.modality or peer.last_seen)
        yield (
            replace(check, state="warn", advice=f"{ONLY_SENDS}; else {check.advice}") if only_sends else check
        )
    for destination in archive.administration.destinations():
        yield _receiver(destination)


def _receiver(destination: Destination) -> Check:
    """Whether the receiver takes a connection; nothing is sent to it."""
    name, place = destination.name, f"{destination.host}:{destination.port}"
    try:
        socket.create_connection((destination.host, destination.port), timeout=CONNECT_S).close()
    except OSError as error:
        words = f"results cannot reach {place}: {error.strerror or error}"
        return Check(name, "fail", words, "check host, port and the firewall on both sides")
    if destination.paused:
        return Check(name, "warn", f"{place} answers, but it is paused", "let its results go in Settings")
    return Check(name, "ok", f"results reach {place}")


def _codecs() -> Iterator[Check]:
    import imagecodecs

    for name, codec in CODECS.items():
        good = bool(getattr(imagecodecs, codec).available)
        words = "compiled in" if good else "missing: such images are decoded slowly or not at all"
        yield Check(f"codec {name}", "ok" if good else "warn", words, "" if good else "reinstall imagecodecs")
