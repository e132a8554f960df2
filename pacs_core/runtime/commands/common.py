"""What the commands share: options, the door to the node that holds the folder, and answers on stderr."""

from __future__ import annotations

import argparse
import getpass
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pacs_core.archive.protocol import Archive, Door
from pacs_core.domain.errors import Busy, Conflict, InvalidValue, Refused
from pacs_core.runtime import settings as s
from pacs_core.runtime.addresses import place, reachable
from pacs_core.runtime.data_folder import ours, running

if TYPE_CHECKING:
    from pacs_core.remote.archive import RemoteDoor


def shared_options() -> argparse.ArgumentParser:
    """Options that every command takes."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (READING_ROOM_DATA)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration, config.toml in the data folder by default"
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more, to stderr")
    return parser


def archive_options() -> argparse.ArgumentParser:
    """The shared options, and how to sign in where the data folder is another's."""
    parser = argparse.ArgumentParser(add_help=False, parents=[shared_options()])
    parser.add_argument("--user", metavar="NAME", help="sign in as this person, not as the folder's owner")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read passwords from standard input, one a line, that of --user first",
    )
    parser.add_argument(
        "--http",
        metavar="HOST:PORT",
        help="where the node of another's data folder listens (127.0.0.1:8080, or what --config says)",
    )
    return parser


def data_of(args: argparse.Namespace) -> Path:
    """The command's data folder."""
    data: Path = args.data or s.default_data()
    return data.expanduser().resolve()


def settings_of(args: argparse.Namespace, **overrides: object) -> s.Settings:
    """Settings for the command's data folder."""
    return s.load(data_of(args), args.config, overrides)


@dataclass(frozen=True)
class Entry:
    """A way into a node: its archive, the door to sign in by, its settings as far as they are known here.

    `host` is where its HTTP door answers, empty where no node runs and the folder was opened here. `own`: we
    hold the folder.
    """

    archive: Archive
    door: Door
    settings: s.Settings
    host: str
    own: bool


@contextmanager
def node_archive(args: argparse.Namespace) -> Iterator[Archive]:
    """The archive of the node that holds the data folder, else opened here for the time of the command.

    As the folder's owner, who needs no password; as a person where `--user` says so, or where the folder is
    another's. Raises NotSignedIn, LockedOut, or Busy where another's node does not answer.
    """
    with enter(args) as entry:
        yield entry.archive


@contextmanager
def enter(args: argparse.Namespace, *, only_running: bool = False) -> Iterator[Entry]:
    """As `node_archive`, with the door beside the archive; raises Conflict where none runs and one has to."""
    if not ours(data_of(args)):
        settings = _others_settings(args)
        with _door(_url(settings), patience_s=2.0) as door, _signed_in(args, door) as archive:
            yield Entry(archive, door, settings, reachable(settings.http_host), False)
        return
    settings, facts = settings_of(args), running(data_of(args))
    if facts:
        with own_door(facts) as door, _archive(args, door, door.as_owner) as archive:
            host = str(urlsplit(str(facts["http"])).hostname)
            yield Entry(archive, door, settings, host, True)
        return
    if only_running:
        raise Conflict(f"no node runs on {settings.data}: start it first", "--data")
    from pacs_core.runtime.node import Node

    with Node(settings) as node:
        node.open()
        with _archive(args, node.door(), lambda: node.archive(node.owner())) as archive:
            yield Entry(archive, node.door(), settings, "", True)


@contextmanager
def own_door(facts: dict[str, object]) -> Iterator[RemoteDoor]:
    """The door of our own running node, by the facts it left in its folder."""
    from pacs_core.runtime.doors import own_trust

    with _door(str(facts["http"]), str(facts["secret"]), own_trust(facts)) as door:
        yield door


@contextmanager
def _door(
    url: str, secret: str = "", trust: bool | ssl.SSLContext = True, patience_s: float = 8.0
) -> Iterator[RemoteDoor]:
    from pacs_core.remote.archive import RemoteDoor

    door = RemoteDoor(url, secret, patience_s=patience_s, verify=trust)
    try:
        yield door
    finally:
        door.close()


def _others_settings(args: argparse.Namespace) -> s.Settings:
    """What can be known of a node whose folder we may not read: the configuration named, and its address."""
    said = s.load(data_of(args), args.config) if args.config else s.Settings(data_of(args))
    if not args.http:
        return said
    host, port = s.address(args.http, "--http")
    return replace(said, http_host=host, http_port=port)


def _url(settings: s.Settings) -> str:
    scheme = "https" if settings.http_certificate else "http"
    return f"{scheme}://{place(reachable(settings.http_host), settings.http_port)}"


@contextmanager
def _archive(args: argparse.Namespace, door: Door, owner: Callable[[], Archive]) -> Iterator[Archive]:
    if not args.user:
        yield owner()
        return
    with _signed_in(args, door) as archive:
        yield archive


@contextmanager
def _signed_in(args: argparse.Namespace, door: Door) -> Iterator[Archive]:
    name = args.user or _asked_name(args)
    archive = door.sign_in(name, _typed_once(args, f"Password of {name}: "))
    try:
        yield archive
    finally:
        with suppress(Busy):  # the node is gone, and the session with it
            archive.sign_out()


def _asked_name(args: argparse.Namespace) -> str:
    if args.password_stdin or not sys.stdin.isatty():
        raise Refused(
            f"{data_of(args)} is another user's: say who you are with --user, and --password-stdin", "--user"
        )
    say(f"{data_of(args)} is another user's: sign in")
    return input("User: ").strip()


def _typed_once(args: argparse.Namespace, prompt: str) -> str:
    return _line(prompt) if args.password_stdin else _asked_password(prompt)


def _line(prompt: str) -> str:
    text = sys.stdin.readline()
    if not text:
        raise InvalidValue(f"standard input ended before: {prompt.rstrip(': ')}", "--password-stdin")
    return text.rstrip("\r\n")


def password_from(args: argparse.Namespace, prompt: str = "Password: ") -> str:
    """A new password from standard input or asked for twice."""
    if args.password_stdin:
        return _line(prompt)
    first = _asked_password(prompt)
    if first != _asked_password("Again: "):
        raise InvalidValue("the two passwords differ", "password")
    return first


def _asked_password(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        words = "nobody is there to type the password: use --password-stdin"
        raise InvalidValue(words, "password") from None


def say(text: str) -> None:
    """One line for people, on standard error."""
    print(text, file=sys.stderr)


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """Rows under their heads in columns."""
    widths = [max(len(str(row[i])) for row in (heads, *rows)) for i in range(len(heads))]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (heads, *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)
