"""What the commands share: options, the door to the node that holds the folder, and answers on stderr."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pacs_core.archive.protocol import Archive
from pacs_core.domain.errors import InvalidValue
from pacs_core.runtime import settings as s
from pacs_core.runtime.data_folder import running


def shared_options() -> argparse.ArgumentParser:
    """Options that every command takes."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (READING_ROOM_DATA)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration, config.toml in the data folder by default"
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more, to stderr")
    return parser


def settings_of(args: argparse.Namespace, **overrides: object) -> s.Settings:
    """Settings for the command's data folder."""
    data = (args.data or s.default_data()).expanduser().resolve()
    return s.load(data, args.config, overrides)


@contextmanager
def owner_archive(args: argparse.Namespace) -> Iterator[Archive]:
    """The archive as the data folder's owner: of the running node, else opened here for the time of the
    command.
    """
    settings = settings_of(args)
    facts = running(settings.data)
    if facts and _answers(facts):
        from pacs_core.remote.archive import RemoteDoor

        door = RemoteDoor(str(facts["http"]), str(facts["secret"]))
        try:
            yield door.as_owner()
        finally:
            door.close()
        return
    from pacs_core.runtime.node import Node

    node = Node(settings).open()
    try:
        yield node.archive(node.owner())
    finally:
        node.stop()


def _answers(facts: dict[str, object]) -> bool:
    """Say whether the process behind the facts is still there and listens."""
    import socket
    from urllib.parse import urlsplit

    place = urlsplit(str(facts.get("http", "")))
    try:
        with socket.create_connection((place.hostname or "127.0.0.1", place.port or 80), timeout=2):
            return True
    except OSError:
        return False


def password_from(args: argparse.Namespace, prompt: str = "Password: ") -> str:
    """A password from standard input or asked for twice."""
    if args.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(prompt)
    if first != getpass.getpass("Again: "):
        raise InvalidValue("the two passwords differ", "password")
    return first


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
