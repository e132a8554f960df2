"""The `reading-room` command: the window, or a subcommand of the core before anything of Qt is imported."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.runtime.__main__ import COMMANDS
from pacs_core.runtime.__main__ import main as core_main
from pacs_core.runtime.child import find_running
from pacs_core.runtime.data_folder import prepare
from pacs_core.runtime.doors import open_door, own_feed
from pacs_core.runtime.seat import Seat
from pacs_core.runtime.settings import default_data

if TYPE_CHECKING:
    from pacs_core.archive.models import Check

log = logging.getLogger("reading_room.view")

SPEECH_ENGINE = "speech-engine"
VOLUME_RENDERER = "volume-renderer"
REGISTRATION = "registration"
UNDERSTUDY = "understudy"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand, or open the window; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == [SPEECH_ENGINE]:
        from workstation.reporting.speech_engine import main as speech_main

        return speech_main(words[1:])
    if words[:1] == [VOLUME_RENDERER]:
        from workstation.rendering.volume.process import main as volume_main

        return volume_main(words[1:])
    if words[:1] == [REGISTRATION]:
        from workstation.session.registration_process import main as registration_main

        return registration_main(words[1:])
    if words[:1] == [UNDERSTUDY]:
        return _understudy(words[1:])
    words = _command_first(words)
    if words and (words[0] in COMMANDS or words[0] == "--version"):
        if words[0] == "doctor":
            _add_checks()
        return core_main(words)
    return open_window(words)


def _command_first(words: list[str]) -> list[str]:
    """Shared options before the command go behind it, where the commands read them."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in ("--data", "--config") else 1
    if 0 < at < len(words) and words[at] in COMMANDS:
        return [*words[at:], *words[:at]]
    return words


def open_window(words: Sequence[str]) -> int:
    """Open the workstation at its sign-in; starts its core, or attaches to the one that holds the folder."""
    args = _parser().parse_args(words)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("reading_room").setLevel(
        logging.DEBUG if args.verbose > 1 else logging.INFO if args.verbose else logging.WARNING
    )
    try:
        if args.demo:
            return _demo(args)
        return _seat(args)
    except ReadingRoomError as error:
        print(
            f"reading-room: {error.message}" + (f" ({error.where})" if error.where else ""), file=sys.stderr
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reading-room", epilog=f"Commands: {', '.join(COMMANDS)}; each has its --help."
    )
    parser.add_argument("--demo", action="store_true", help="open on a throw-away data folder with demo data")
    parser.add_argument("--headless", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (READING_ROOM_DATA)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration, config.toml in the data folder by default"
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more, to stderr")
    parser.add_argument("--sound-file", type=Path, help=argparse.SUPPRESS)
    return parser


def _seat(args: argparse.Namespace) -> int:
    """The clinical seat: this machine's own data folder."""
    data = prepare(args.data or default_data())
    seat = Seat(data, ["--config", str(args.config)] if args.config else [])
    seat.begin()
    try:
        return _run_window(seat.find, data, args.sound_file, seat)
    finally:
        if not seat.ours:
            seat.close()


def _demo(args: argparse.Namespace) -> int:
    """The demo: a throw-away node with simulators beside it, over real sockets."""
    from pacs_core.runtime.demo import Demo

    demo = Demo(args.data)
    demo.start()
    try:
        if args.headless or not _has_display():
            return demo.headless()
        return _run_window(demo.core.find, demo.data, args.sound_file)
    finally:
        demo.stop()


def _run_window(
    find: Callable[[], tuple[str, str] | None],
    data: Path,
    sound_file: Path | None,
    seat: Seat | None = None,
) -> int:
    """Show the window until it is closed; then the core goes on or ends as the window said."""
    from workstation.ui.application import run

    folder = data / "workstation"
    folder.mkdir(mode=0o700, exist_ok=True)

    trust = seat.trust() if seat is not None else True
    decides = seat.close if seat is not None and seat.ours else None
    with open_door(find, trust) as door, own_feed(find, trust) as listen:
        return run(door, folder, decides, sound_file, listen)


def _understudy(words: Sequence[str]) -> int:
    """The rehearsal's reader: the window without a screen, told what to do on standard input."""
    import os

    parser = argparse.ArgumentParser(prog="reading-room understudy")
    parser.add_argument("--data", type=Path, required=True, help="the data folder of the node that runs")
    parser.add_argument("--folder", type=Path, required=True, help="the window's own folder")
    args = parser.parse_args(words)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from workstation.ui.understudy import play

    args.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open_door(find_running(args.data)) as door:
        return play(door, args.folder)


def _has_display() -> bool:
    """Say whether a window can be shown, as this platform tells it."""
    import os

    if os.environ.get("QT_QPA_PLATFORM"):
        return True
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _add_checks() -> None:
    from pacs_core.runtime.commands import doctor

    doctor.EXTRA.append(_own_checks)


def _own_checks() -> Iterator[Check]:
    """What `doctor` says of this house: the engine in use, the window's libraries, the speech engine."""
    from pacs_core.archive.models import Check
    from workstation.rendering.engines import engine_words

    words = engine_words()
    compiled = "compiled" in words
    yield Check(
        "engine",
        "ok" if compiled else "warn",
        words,
        "" if compiled else "install a C compiler and reinstall",
    )
    yield _volume_rendering()
    yield from _stale_parts(Path(__file__).resolve().parents[1])
    yield _library("window", "PySide6.QtWidgets", "install the system libraries that dev.py names")
    yield _library("microphone", "sounddevice", "install PortAudio (libportaudio2) to dictate by microphone")
    yield _library("speech", "ctranslate2", "install reading-room[dictation] to dictate")


def _volume_rendering() -> Check:
    """3D, tried in its process."""
    from pacs_core.archive.models import Check
    from workstation.rendering.volume.trial import drawn_by
    from workstation.session.child_process import ChildGone, ChildRefused

    try:
        return Check("3D", "ok", drawn_by())
    except (ChildGone, ChildRefused, OSError, LookupError) as error:
        return Check("3D", "warn", f"no picture: {error}", "reinstall; everything else works without it")


def _stale_parts(root: Path) -> Iterator[Check]:
    """Compiled parts of a source tree that are older than what they are made from."""
    from pacs_core.archive.models import Check

    for source in sorted(
        path for house in ("pacs_core", "workstation") for path in (root / house).rglob("_*.c")
    ):
        made = [f for f in source.parent.glob(f"{source.stem}.*") if f.suffix in (".so", ".pyd")]
        newest = max(f.stat().st_mtime for f in (source, *source.parent.glob("*.h")))
        if made and max(f.stat().st_mtime for f in made) < newest:
            words = f"{source.relative_to(root).with_suffix('')} is older than its source"
            yield Check("compiled parts", "warn", words, "python3 setup.py build_ext --inplace")


def _library(name: str, module: str, advice: str) -> Check:
    from importlib import import_module

    from pacs_core.archive.models import Check

    try:
        import_module(module)
    except (ImportError, OSError) as error:
        return Check(name, "warn", f"{module} cannot be loaded: {error}", advice)
    return Check(name, "ok", f"{module} loads")


if __name__ == "__main__":
    sys.exit(main())
