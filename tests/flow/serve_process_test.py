"""`reading-room serve` from outside: one READY line, exit codes, one clear line when it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pacs_core.runtime.data_folder import RUNNING
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load
from tests.fault.kill_storm_test import ORM
from tests.support.commands import command
from tests.support.hl7_door import Sender
from tests.support.serving import FREE, PATIENCE, port_of, run, serving

posix = pytest.mark.skipif(os.name != "posix", reason="Windows knows no polite end of another process")


def only_line(text: str) -> str:
    """The one line of standard error."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    assert lines[0].startswith("reading-room: ")
    return lines[0]


@posix
def test_ready_is_the_one_line_and_names_every_door_and_sigterm_ends_with_0(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--ae", "TESTNODE") as node:
        facts = node.facts
        assert set(facts) == {"dicom", "ae", "hl7", "http", "data", "pid"}
        assert (facts["ae"], facts["data"], facts["pid"]) == ("TESTNODE", str(node.data), node.process.pid)
        for place in (facts["dicom"], facts["hl7"], facts["http"]):
            socket.create_connection(("127.0.0.1", port_of(place)), PATIENCE).close()
        assert node.end() == 0
    assert len(node.said) == 1
    assert node.complaints() == ""
    assert not (node.data / RUNNING).exists()


@posix
def test_ctrl_c_ends_with_0_too(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as node:
        assert node.end(signal.SIGINT) == 0
    assert len(node.said) == 1


@posix
def test_what_is_in_flight_at_sigterm_is_finished_and_answered(tmp_path: Path) -> None:
    """Every order was acknowledged and is there, or was not acknowledged; none is half there."""
    told: list[int] = []
    enough = threading.Event()

    def send(hl7: str) -> None:
        with Sender(port_of(hl7)) as sender:
            for number in range(1, 10_000):
                try:
                    answer = sender.exchange(ORM.format(n=number).encode())
                except OSError:
                    return
                if b"\rMSA|AA|" not in answer:
                    return
                told.append(number)
                if number == 10:
                    enough.set()

    with serving(tmp_path / "data") as node:
        sender = threading.Thread(target=send, args=(node.facts["hl7"],))
        sender.start()
        assert enough.wait(PATIENCE)
        assert node.end() == 0
        sender.join(PATIENCE)
    with Node(load(node.data)) as after:
        after.open()
        with after.services.index.read() as tx:
            assert [n for n in told if not tx.orders.by_accession(f"ACC{n}")] == []
            assert not tx.messages.unprocessed()


def test_a_second_serve_on_the_folder_says_who_has_it_and_ends_with_1(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as node:
        second = run("serve", "--data", str(node.data), *FREE)
        assert second.returncode == 1
        assert second.stdout == ""
        line = only_line(second.stderr)
        assert str(node.process.pid) in line
        assert str(node.data) in line
        assert json.loads((node.data / RUNNING).read_text())["pid"] == node.process.pid
        with closing(node.door()) as door:
            assert door.as_owner().administration.node().ae == "READINGROOM"


def test_after_a_kill_the_folder_is_free_again(tmp_path: Path) -> None:
    """The lock is the operating system's: what a killed node left behind holds nobody up."""
    with serving(tmp_path / "data") as node:
        node.kill()
    assert (node.data / RUNNING).exists()
    with serving(node.data) as again:
        assert again.facts["pid"] == again.process.pid


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--dicom"),
        ("serve", "--speed", "3"),
        ("serve", "extra"),
        ("nonsense",),
        (),
        ("ae",),
        ("ae", "add", "CT1", "host", "no-number"),
        ("user", "add", "eva"),
        ("user", "add", "eva", "--role", "king"),
    ],
)
def test_a_usage_error_ends_with_2(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING_ROOM_DATA", str(tmp_path / "data"))
    done = command(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage:" in done.stderr
    assert not (tmp_path / "data").exists()


@contextmanager
def taken():  # type: ignore[no-untyped-def]  # a context with a port
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


@pytest.mark.parametrize("door", ["dicom", "hl7", "http"])
def test_a_port_that_is_taken_is_named_and_nothing_stays_behind(tmp_path: Path, door: str) -> None:
    with taken() as port:
        others = [w for d in ("dicom", "hl7", "http") if d != door for w in (f"--{d}", "127.0.0.1:0")]
        done = command("serve", "--data", str(tmp_path / "data"), f"--{door}", f"127.0.0.1:{port}", *others)
    assert (done.returncode, done.stdout) == (1, "")
    line = only_line(done.stderr)
    assert f"127.0.0.1:{port}" in line
    assert door in line.lower()


def newer(data: Path) -> None:
    with Node(load(data)) as node:
        node.open()
    with closing(sqlite3.connect(data / "index.sqlite")) as plain, plain:
        plain.execute("UPDATE schema_version SET version = '9999'")


def garbage(data: Path) -> None:
    data.mkdir()
    (data / "index.sqlite").write_bytes(b"no index at all " * 1000)


def a_file(data: Path) -> None:
    data.write_text("a file is no folder")


def bad_setting(data: Path) -> None:
    data.mkdir()
    (data / "config.toml").write_text("[dicom]\nspeed = 3\n")


def bad_zone(data: Path) -> None:
    data.mkdir()
    (data / "config.toml").write_text("[site]\nzone = 'Atlantis/Capital'\n")


def open_to_all(data: Path) -> None:
    data.mkdir()
    (data / "config.toml").write_text("[hl7]\nhost = '0.0.0.0'\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (newer, "newer version (9999"),
        (garbage, "no index of Reading Room"),
        (a_file, "cannot be the data folder"),
        (bad_setting, "dicom.speed"),
        (bad_zone, "Atlantis/Capital"),
        (open_to_all, "certificate"),
    ],
)
def test_a_start_that_fails_says_why_in_one_line_and_ends_with_1(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(tmp_path / "data")
    done = command("serve", "--data", str(tmp_path / "data"), *FREE[:2], *FREE[4:])
    assert (done.returncode, done.stdout) == (1, "")
    assert says in only_line(done.stderr)


def test_a_process_that_cannot_start_prints_that_line_alone(tmp_path: Path) -> None:
    newer(tmp_path / "data")
    done = run("serve", "--data", str(tmp_path / "data"), *FREE)
    assert (done.returncode, done.stdout) == (1, "")
    assert "newer version" in only_line(done.stderr)
    assert run("serve", "--speed").returncode == 2


@pytest.mark.parametrize("name", ["Dropbox", "OneDrive"])
def test_a_cloud_synced_folder_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    done = command("serve", "--data", str(tmp_path / name / "data"), *FREE)
    assert done.returncode == 1
    assert "cloud-synced" in only_line(done.stderr)
    assert not (tmp_path / name).exists()


@posix
def test_the_secret_is_for_the_owner_alone(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as node:
        assert (node.data / RUNNING).stat().st_mode & 0o777 == 0o600
        assert node.data.stat().st_mode & 0o777 == 0o700
        assert json.loads((node.data / RUNNING).read_text())["secret"] not in "".join(node.said)
