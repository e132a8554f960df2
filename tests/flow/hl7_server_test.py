"""The MLLP server against every fault of the fault list, over real sockets."""

from __future__ import annotations

import socket
import threading

import pytest

from pacs_core.hl7 import ack
from pacs_core.hl7.message import Header
from pacs_core.hl7.server import Limits, Peer, Reply
from tests.support.hl7_door import Sender, fields, served


def message(control: str = "C1") -> bytes:
    return f"MSH|^~\\&|RIS|S|RR||2026||ADT^A08|{control}|P|2.5.1\rPID|1||P1\r".encode()


def framed(content: bytes) -> bytes:
    return b"\x0b" + content + b"\x1c\r"


class Book:
    """A handler that remembers and accepts."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.peers: list[Peer] = []

    def __call__(self, content: bytes, peer: Peer) -> Reply:
        self.seen.append(content)
        self.peers.append(peer)
        return Reply(ack.answers(Header.read(content), ""))


def test_messages_are_answered_in_order_on_one_connection() -> None:
    book = Book()
    with served(book) as (_, port), Sender(port) as sender:
        sender.send(framed(message("A")) + framed(message("B")))
        sender.send(framed(message("C"))[:30])
        assert [fields(sender.answer(), "MSA")[1:3] for _ in range(2)] == [["AA", "A"], ["AA", "B"]]
        sender.send(framed(message("C"))[30:])
        assert fields(sender.answer(), "MSA")[1:3] == ["AA", "C"]
    assert book.seen == [message("A"), message("B"), message("C")]
    assert book.peers[0].address == "127.0.0.1"


def test_bytes_between_frames_do_no_harm() -> None:
    book = Book()
    with served(book) as (_, port), Sender(port) as sender:
        sender.send(b"\r\n\x00" + framed(message("A")) + b"\n\n")
        assert fields(sender.answer(), "MSA")[2] == "A"
    assert book.seen == [message("A")]


def test_a_missing_final_carriage_return_is_forgiven() -> None:
    with served(Book(), Limits(quiet_s=0.05)) as (_, port), Sender(port) as sender:
        sender.send(b"\x0b" + message("A") + b"\x1c")
        assert fields(sender.answer(), "MSA")[1:3] == ["AA", "A"]
        sender.send(framed(message("B")))
        assert fields(sender.answer(), "MSA")[1:3] == ["AA", "B"]


@pytest.mark.parametrize("ending", ["silence", "half-close"])
def test_a_frame_without_its_end_is_refused_and_never_handled(ending: str) -> None:
    book = Book()
    with served(book, Limits(frame_s=0.2)) as (_, port), Sender(port) as sender:
        sender.send(b"\x0b" + message("CUT"))
        if ending == "half-close":
            sender.socket.shutdown(socket.SHUT_WR)
        answer = sender.answer()
        assert fields(answer, "MSA")[1:3] == ["AR", "CUT"]
        assert "end block" in fields(answer, "MSA")[3]
        assert sender.closed()
    assert book.seen == []


def test_a_frame_that_drips_has_a_time_for_the_whole() -> None:
    book = Book()
    stop = threading.Event()
    with served(book, Limits(frame_s=0.3)) as (_, port), Sender(port) as sender:

        def drip() -> None:
            for byte in framed(message() * 1000):
                if stop.wait(0.01):
                    return
                try:
                    sender.send(bytes([byte]))
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        assert fields(sender.answer(), "MSA")[1] == "AR"
        stop.set()
        dripping.join()
    assert book.seen == []


def test_a_frame_begun_anew_gets_one_answer() -> None:
    book = Book()
    with served(book) as (_, port), Sender(port) as sender:
        sender.send(b"\x0b" + message("CUT")[:40])
        assert fields(sender.exchange(message("WHOLE")), "MSA")[1:3] == ["AA", "WHOLE"]
        assert fields(sender.exchange(message("NEXT")), "MSA")[1:3] == ["AA", "NEXT"]
    assert book.seen == [message("WHOLE"), message("NEXT")]


def test_a_message_without_its_start_is_refused() -> None:
    book = Book()
    with served(book, Limits(quiet_s=0.05)) as (_, port), Sender(port) as sender:
        sender.send(message("NOSB") + b"\x1c\r")
        answer = sender.answer()
        assert fields(answer, "MSA")[1:3] == ["AR", "NOSB"]
        assert "start block" in fields(answer, "MSA")[3]
    assert book.seen == []


def test_a_message_over_the_limit_is_refused_and_the_line_closed() -> None:
    book = Book()
    with served(book, Limits(message_bytes=2000)) as (_, port), Sender(port) as sender:
        sender.send(framed(message("BIG") + b"OBX|" + b"x" * 3000))
        answer = sender.answer()
        assert fields(answer, "MSA")[1:3] == ["AR", "BIG"]
        assert "2000 bytes" in fields(answer, "MSA")[3]
        assert sender.closed()
    assert book.seen == []


def test_endless_noise_is_hung_up_on() -> None:
    with served(Book(), Limits(stray_bytes=1000)) as (server, port), Sender(port) as sender:
        sender.send(b"x" * 5000)
        assert sender.closed()
        assert server.connections == 0


def test_a_silent_connection_ends_after_its_time() -> None:
    with served(Book(), Limits(idle_s=0.05)) as (_, port), Sender(port) as sender:
        assert sender.closed()


def test_a_hundred_senders_at_once() -> None:
    book = Book()
    with served(book) as (server, port):
        senders = [Sender(port) for _ in range(100)]
        for number, sender in enumerate(senders):
            sender.send(framed(message(f"N{number}")))
        answers = [fields(sender.answer(), "MSA")[1:3] for sender in senders]
        assert answers == [["AA", f"N{number}"] for number in range(100)]
        assert server.connections == 100
        for sender in senders:
            sender.socket.close()
    assert len(book.seen) == 100


def test_a_newcomer_takes_the_place_of_the_longest_idle() -> None:
    with served(Book(), Limits(connections=2)) as (_, port), Sender(port) as first, Sender(port) as second:
        assert fields(first.exchange(message("A")), "MSA")[1] == "AA"
        assert fields(second.exchange(message("B")), "MSA")[1] == "AA"
        with Sender(port) as third:
            assert fields(third.exchange(message("C")), "MSA")[1] == "AA"
            assert first.closed()
            assert fields(second.exchange(message("D")), "MSA")[1] == "AA"


def test_where_all_are_busy_the_newcomer_is_turned_away() -> None:
    let_go = threading.Event()
    busy = threading.Event()

    def slow(content: bytes, peer: Peer) -> Reply:
        busy.set()
        let_go.wait(30)
        return Reply(ack.answers(Header.read(content), ""))

    with served(slow, Limits(connections=1)) as (_, port), Sender(port) as first:
        first.send(framed(message("A")))
        assert busy.wait(30)
        with Sender(port) as second:
            assert second.closed()
        let_go.set()
        assert fields(first.answer(), "MSA")[1:3] == ["AA", "A"]


def test_stopping_answers_what_is_in_work_and_hangs_up_on_the_rest() -> None:
    let_go = threading.Event()
    busy = threading.Event()

    def slow(content: bytes, peer: Peer) -> Reply:
        busy.set()
        let_go.wait(30)
        return Reply(ack.answers(Header.read(content), ""))

    with served(slow) as (_, port):
        working, idle = Sender(port), Sender(port)
        working.send(framed(message("A")))
        assert busy.wait(30)
        threading.Timer(0.05, let_go.set).start()
    assert fields(working.answer(), "MSA")[1:3] == ["AA", "A"]
    assert idle.closed()
    working.socket.close()
    idle.socket.close()


def test_a_reset_between_message_and_acknowledgement_harms_nobody() -> None:
    book = Book()
    with served(book) as (_, port):
        with Sender(port) as rude:
            rude.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            rude.send(framed(message("A")))
        with Sender(port) as sender:
            assert fields(sender.exchange(message("B")), "MSA")[1:3] == ["AA", "B"]


def test_a_defect_of_ours_is_answered_and_logged(expect_errors) -> None:
    expect_errors("failed in processing")

    def broken(content: bytes, peer: Peer) -> Reply:
        raise RuntimeError("defect")

    with served(broken) as (_, port), Sender(port) as sender:
        answer = sender.exchange(message("A"))
        assert fields(answer, "MSA")[1:3] == ["AR", "A"]
        assert "defect" not in answer.decode()
        assert fields(sender.exchange(message("B")), "MSA")[1:3] == ["AR", "B"]
