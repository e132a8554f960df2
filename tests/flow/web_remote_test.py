"""The remote archive when things go wrong: restarts, broken connections, answers of others, slow senders."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pacs_core.archive import models as m
from pacs_core.domain.errors import Busy, NotSignedIn, Refused, StorageFailure
from pacs_core.remote.archive import RemoteDoor
from pacs_core.runtime.http_server import HttpServer
from pacs_core.runtime.io_loop import IoLoop
from pacs_core.web import server as web_server
from pacs_core.web.app import make_app
from tests.support.spine import Spine, spine
from tests.support.web_node import PASSWORD, TestNode, open_doors, quick_passwords


class Core:
    """A core over one data folder that can be started again, on another port and with another secret."""

    def __init__(self, made: Spine) -> None:
        self.spine = made
        self.starts = 0
        self.place: tuple[str, str] = ("", "")

    def start(self) -> None:
        self.starts += 1
        node = TestNode(self.spine)
        node.secret = f"secret of start {self.starts}"
        self.loop = IoLoop()
        self.server = HttpServer(make_app(node), "", "")
        host, port = self.server.start(self.loop, "127.0.0.1", 0)
        self.place = (f"http://{host}:{port}", node.secret)

    def stop(self) -> None:
        self.server.stop(self.loop)
        self.loop.stop()


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    with quick_passwords(), spine(tmp_path) as made:
        made.services.access.add_account("reader", "reader", PASSWORD)
        found = Core(made)
        found.start()
        yield found
        found.stop()


def test_a_session_outlives_a_restart_of_the_core(core: Core) -> None:
    door = RemoteDoor(*core.place, find=lambda: core.place, patience_s=15)
    archive = door.sign_in("reader", PASSWORD)
    start = archive.changes.since(10**9).sequence
    core.stop()
    starting = threading.Timer(0.3, core.start)
    starting.start()
    core.spine.patient()
    assert archive.changes.since(start, wait_s=5).changes[0].sequence == start + 1
    starting.join()
    assert archive.worklist.rows(m.WorklistQuery()).total == 0
    assert door.sign_in_facts().node == "Test node"
    door.close()


def test_a_long_poll_that_a_stop_ends_goes_on_at_the_next_start(core: Core) -> None:
    door = RemoteDoor(*core.place, find=lambda: core.place, patience_s=15)
    archive = door.sign_in("reader", PASSWORD)
    start = archive.changes.since(10**9).sequence
    pages: list[m.ChangesPage] = []

    def listen() -> None:
        sequence = start
        while not pages or not pages[-1].changes:
            pages.append(archive.changes.since(sequence, wait_s=30))

    listening = threading.Thread(target=listen)
    listening.start()
    core.stop()
    core.start()
    core.spine.patient()
    listening.join(25)
    assert pages[-1].changes[0].sequence == start + 1
    door.close()


def test_a_secret_of_an_earlier_start_is_found_anew_at_the_same_port(core: Core) -> None:
    url, secret = core.place
    door = RemoteDoor(url, "secret of an earlier start", find=lambda: (url, secret))
    assert door.sign_in("reader", PASSWORD).who.name == "reader"
    door.close()
    stale = RemoteDoor(url, "secret of an earlier start", find=lambda: None)
    with pytest.raises(NotSignedIn):
        stale.sign_in_facts()
    stale.close()


def test_a_core_that_is_not_there_is_waited_for_and_then_named(free_port: Callable[[], int]) -> None:
    asked: list[int] = []
    door = RemoteDoor(f"http://127.0.0.1:{free_port()}", "s", find=lambda: asked.append(1), patience_s=0.5)
    with pytest.raises(Busy, match="not reachable"):
        door.sign_in_facts()
    assert asked
    door.close()
    with pytest.raises(Busy, match="closed here"):
        door.sign_in_facts()


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each connection one answer, bytes as they are, and keeps what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answered(status: str, body: bytes, content_type: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    head += "Connection: close\r\n\r\n"  # a request on a connection that is closing might never be heard
    return head.encode() + body


WHO = b'{"name": "r", "role": "reader", "full_name": "R"}'


def with_door(url: str, use: Callable[[Any], None]) -> None:
    door = RemoteDoor(url, patience_s=3)
    try:
        use(door.with_token("t"))
    finally:
        door.close()


def test_a_change_whose_answer_never_came_is_not_repeated() -> None:
    with answering(answered("200 OK", WHO), b"", answered("200 OK", b"{}")) as (url, heard):

        def use(archive: Any) -> None:
            with pytest.raises(StorageFailure, match="not known whether"):
                archive.reports.sign(m.SignRequest("1.2", "p", ()))
            assert len(heard) == 2

        with_door(url, use)


def test_a_question_whose_answer_never_came_is_asked_again() -> None:
    counts = answered("200 OK", b'{"held": 1, "messages": 2, "deliveries": 3, "overdue": 4}')
    half = counts[:-10]
    with answering(answered("200 OK", WHO), b"", half, counts) as (url, heard):
        with_door(url, lambda archive: heard.append(archive.inbox.counts()))
        assert heard[-1] == m.InboxCounts(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answered("200 OK", b"<html>a portal of the hotel</html>", "text/html"), StorageFailure),
        (answered("302 Found", b""), StorageFailure),
        (answered("418 I'm a teapot", b"short and stout", "text/plain"), Refused),
        (answered("503 Service Unavailable", b"{", "application/problem+json"), Busy),
        (answered("401 Unauthorized", b"[]", "application/problem+json"), NotSignedIn),
    ],
)
def test_what_others_answer_is_an_error_of_ours(answer: bytes, error: type[Exception]) -> None:
    with answering(answered("200 OK", WHO), answer) as (url, _):

        def use(archive: Any) -> None:
            with pytest.raises(error):
                archive.inbox.counts()

        with_door(url, use)


def test_headers_that_never_end_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "HEADER_S", 0.2)
    with open_doors(tmp_path) as doors:
        assert doors.raw(b"") == b""
        assert doors.raw(b"GET /health HTTP/1.1\r\nHost: local") == b""
        with socket.create_connection((doors.host, doors.port), 20) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            connection.sendall(b"GET /hea")
            assert connection.recv(65536) == b""
