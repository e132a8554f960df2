"""The DICOM door: who is let in, how many, how long, and what is done with rubbish."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pacs_core.dimse import association as association_module
from pacs_core.dimse import commands, connection, pdu, scu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.admission import same_host
from pacs_core.dimse.application_entity import ApplicationEntity
from pacs_core.dimse.pdu import Associate, Context
from pacs_core.domain.errors import Busy, Refused
from pacs_core.services.storing import Kept, Storing
from tests.support.dimse_node import TITLE, Running, associate, listening, read_pdu

ECHO = Context(1, sop.VERIFICATION, sop.PLAIN_SYNTAXES)
MR = "1.2.840.10008.5.1.4.1.1.4"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node", idle_s=30) as running:
        yield running


@pytest.fixture
def open_node(tmp_path: Path) -> Iterator[Running]:
    """A node that listens beyond this machine."""
    with listening(tmp_path / "open", host="0.0.0.0") as running:
        yield running


def value(data: bytes, flags: int = 3, context: int = 1) -> bytes:
    return pdu.pdu(pdu.DATA, struct.pack(">IBB", len(data) + 2, context, flags) + data)


def echo_command(number: int = 1) -> bytes:
    return commands.request(commands.C_ECHO_RQ, number, sop.VERIFICATION).encode()


# ---------------------------------------------------------------- who may come in


def test_on_loopback_any_title_passes(node: Running) -> None:
    for calling, called in (("ANYONE", TITLE), ("X", "ANY-SCP"), ("", "")):
        scu.echo(node.host, node.port, called, calling)


def test_on_loopback_too_a_peers_title_comes_from_its_own_address(node: Running) -> None:
    node.peer("FAR", host="192.0.2.7")
    with pytest.raises(Refused, match="our AE title is not known there"):
        scu.echo(node.host, node.port, TITLE, "FAR")
    scu.echo(node.host, node.port, TITLE, "ANYONE")


@pytest.mark.parametrize(
    ("called", "calling", "words"),
    [
        (TITLE, "STRANGER", "our AE title is not known there"),
        ("OTHERNAME", "CT1", "it does not go by that AE title"),
        (TITLE, "FAR", "our AE title is not known there"),
    ],
)
def test_elsewhere_title_and_address_must_be_a_peers(
    open_node: Running, called: str, calling: str, words: str
) -> None:
    open_node.peer("CT1", host="127.0.0.1")
    open_node.peer("FAR", host="192.0.2.7")
    with pytest.raises(Refused, match=words):
        scu.echo(open_node.host, open_node.port, called, calling)
    scu.echo(open_node.host, open_node.port, TITLE, "CT1")


def test_a_peer_added_or_removed_counts_at_once(open_node: Running) -> None:
    with pytest.raises(Refused):
        scu.echo(*open_node.at, "CT9")
    open_node.peer("CT9", host="localhost")
    scu.echo(*open_node.at, "CT9")
    open_node.spine.services.configuring.remove_peer("CT9", "test")
    with pytest.raises(Refused):
        scu.echo(*open_node.at, "CT9")


def test_hosts_are_compared_by_address() -> None:
    assert same_host("localhost", "127.0.0.1")
    assert same_host("127.0.0.1", "::ffff:127.0.0.1")
    assert same_host("::1", "::1")
    assert not same_host("192.0.2.7", "127.0.0.1")
    assert not same_host("no such host.invalid", "127.0.0.1")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"application_context": "1.2.3"}, bytes((0, 1, 1, 2))),
        ({"protocol_version": 2}, bytes((0, 1, 2, 2))),
    ],
)
def test_other_protocols_are_rejected(node: Running, change: dict[str, object], answer: bytes) -> None:
    request = Associate(TITLE, "RAW", (ECHO,), implementation_class="1.2", **change)  # type: ignore[arg-type]  # by name
    with node.raw() as peer:
        peer.sendall(pdu.encode_associate(pdu.ASSOCIATE_RQ, request))
        assert read_pdu(peer) == (pdu.ASSOCIATE_RJ, answer)
        assert read_pdu(peer) == (0, b"")


def test_contexts_are_answered_one_by_one(node: Running) -> None:
    proposed = (
        Context(1, "1.2.840.10008.5.1.4.34.6.1", sop.PLAIN_SYNTAXES),
        Context(3, sop.VERIFICATION, ("1.2.840.10008.1.2.4.50",)),
        Context(5, MR, ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2")),
        Context(7, MR, ("1.2.840.10008.1.2.2",)),
        Context(9, "1.3.46.670589.5.0.1", ("1.2.3.4",)),
        ECHO.__class__(11, sop.VERIFICATION, ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")),
    )
    with node.raw() as peer:
        peer.sendall(associate("RAW", TITLE, *proposed))
        kind, body = read_pdu(peer)
        answer = pdu.decode_associate(body)
    assert kind == pdu.ASSOCIATE_AC
    assert [(c.id, c.result, c.transfer_syntaxes[0]) for c in answer.contexts if not c.result] == [
        (5, 0, "1.2.840.10008.1.2.4.70"),
        (7, 0, "1.2.840.10008.1.2.2"),
        (9, 0, "1.2.3.4"),
        (11, 0, "1.2.840.10008.1.2.1"),
    ]
    assert [(c.id, c.result) for c in answer.contexts if c.result] == [
        (1, pdu.ABSTRACT_UNKNOWN),
        (3, pdu.TRANSFER_UNKNOWN),
    ]
    assert (answer.called, answer.calling) == (TITLE, "RAW")
    assert answer.max_length == association_module.MAX_PDU


# ---------------------------------------------------------------- how many, how long


def test_too_many_associations_are_turned_away_for_now(tmp_path: Path) -> None:
    with listening(tmp_path / "two", most=2) as node:
        first, second = node.client(), node.client()
        with pytest.raises(Refused, match="too many associations"):
            node.client()
        second.association.release()
        _until_let_in(node)
        first.association.release()


def _until_let_in(node: Running) -> None:
    """The place is free once the node has seen the release; until then it turns us away."""
    for _ in range(500):
        try:
            node.client().association.release()
        except Refused:
            continue
        return
    pytest.fail("the place was never free again")


def test_a_flood_of_connections_is_cut_off(tmp_path: Path) -> None:
    with listening(tmp_path / "flood", most=2) as node:
        flood = [node.raw() for _ in range(40)]
        cut = 0
        for peer in flood[12:]:
            cut += read_pdu(peer) == (0, b"")
        assert cut == len(flood) - 12
        for peer in flood:
            peer.close()
        _until_let_in(node)


def test_silence_ends_an_association(tmp_path: Path) -> None:
    with listening(tmp_path / "idle", idle_s=0.3) as node, node.raw() as peer:
        peer.sendall(associate())
        assert read_pdu(peer)[0] == pdu.ASSOCIATE_AC
        assert read_pdu(peer) == (pdu.ABORT, bytes((0, 0, 2, 0)))
        assert read_pdu(peer) == (0, b"")


def test_a_connection_that_asks_nothing_is_closed(node: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pacs_core.dimse.application_entity.ARTIM_S", 0.2)
    with node.raw() as peer:
        assert read_pdu(peer) == (0, b"")


def test_a_sender_that_trickles_is_not_waited_for(node: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PDU_SECONDS", 0.3)
    with node.raw() as peer:
        peer.sendall(associate())
        assert read_pdu(peer)[0] == pdu.ASSOCIATE_AC
        peer.sendall(value(echo_command())[:20])
        kind, _ = read_pdu(peer)
        assert kind == pdu.ABORT
    scu.echo(*node.at)


def test_stopping_lets_the_request_in_flight_end(
    node: Running, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    keep = Storing.keep

    def slow(self: Storing, *args: object) -> Kept:
        inside.set()
        assert go_on.wait(30)
        return keep(self, *args)  # type: ignore[arg-type]  # what the SCP gave

    monkeypatch.setattr(Storing, "keep", slow)
    sent: list[scu.Sent] = []
    path = shared_data / "broken/derived/no-pixel-data.dcm"
    sender = threading.Thread(target=lambda: sent.extend(node.store(path)))
    sender.start()
    assert inside.wait(30)
    stopper = threading.Thread(target=node.entity.stop)
    stopper.start()
    go_on.set()
    sender.join(30)
    stopper.join(30)
    assert [s.kind for s in sent] == ["success"]
    assert len(node.instances()) == 1
    with pytest.raises(Busy, match="cannot be reached"):
        scu.echo(*node.at)


def test_stopping_ends_idle_associations(node: Running) -> None:
    client = node.client()
    node.entity.stop()
    with pytest.raises(Busy):
        client.echo()


def test_an_address_in_use_is_told(node: Running) -> None:
    with pytest.raises(OSError):  # noqa: PT011  # the words are the system's own
        ApplicationEntity(node.spine.services, "SECOND").start(node.host, node.port)


# ---------------------------------------------------------------- rubbish


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        random.Random(7).randbytes(600),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"\0" * 100,
        pdu.pdu(pdu.DATA, bytes(20)),
        pdu.pdu(pdu.RELEASE_RQ, bytes(4)),
        pdu.pdu(pdu.ASSOCIATE_RQ, b"short"),
        struct.pack(">BBI", pdu.ASSOCIATE_RQ, 0, 0xFFFFFFFF),
        associate()[:100] + b"\x20\x00\xff\xff" + associate()[104:],
    ],
)
def test_rubbish_before_an_association_is_aborted(node: Running, rubbish: bytes) -> None:
    with node.raw() as peer:
        peer.sendall(rubbish)
        with contextlib.suppress(OSError):  # it may be closed already
            peer.shutdown(socket.SHUT_WR)
        kind, _ = read_pdu(peer)
        assert kind in (pdu.ABORT, 0)
    scu.echo(*node.at)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        associate(),
        value(b"", flags=3),
        value(echo_command(), context=99),
        value(echo_command(), flags=2),
        value(b"not a command", flags=3),
        value(echo_command()[:-3], flags=3),
        value(commands.request(commands.C_ECHO_RQ, 1, sop.VERIFICATION, data_set=True).encode())
        + value(echo_command()),
        struct.pack(">BBI", pdu.DATA, 0, 0xFFFFFFFF),
        struct.pack(">BBI", pdu.DATA, 0, 3) + b"abc",
        pdu.pdu(pdu.DATA, struct.pack(">IBB", 0xFFFF, 1, 3) + b"too short"),
        pdu.pdu(pdu.DATA, struct.pack(">IBB", 1, 1, 3)),
        value(commands.request(commands.C_ECHO_RQ, 1, "1.2").response(0).encode()),
        value(struct.pack("<HHI", 0, 0x0100, 4) + bytes(4)),
        b"".join(value(bytes(60_000), flags=1) for _ in range(3)),
    ],
)
def test_rubbish_in_an_association_is_aborted(node: Running, rubbish: bytes) -> None:
    with node.raw() as peer:
        peer.sendall(associate())
        assert read_pdu(peer)[0] == pdu.ASSOCIATE_AC
        peer.sendall(rubbish)
        kind, body = read_pdu(peer)
        assert (kind, body[2]) == (pdu.ABORT, 2)
    scu.echo(*node.at)


def test_an_unknown_command_has_its_status(node: Running) -> None:
    with node.raw() as peer:
        peer.sendall(associate())
        read_pdu(peer)
        for field in (commands.C_FIND_RQ, 0x0140):
            peer.sendall(value(commands.request(field, 5, sop.VERIFICATION).encode()))
            _, body = read_pdu(peer)
            said = commands.decode(body[6:])
            assert (said.status, said.number(commands.RESPONDED_TO)) == (0x0211, 5)
        peer.sendall(value(echo_command(6)))
        assert commands.decode(read_pdu(peer)[1][6:]).status == 0
        peer.sendall(pdu.pdu(pdu.RELEASE_RQ, bytes(4)))
        assert read_pdu(peer) == (pdu.RELEASE_RP, bytes(4))


def test_a_message_in_single_bytes_and_many_in_one_go(node: Running) -> None:
    command = echo_command()
    with node.raw() as peer:
        peer.sendall(associate())
        read_pdu(peer)
        pieces = [value(command[i : i + 1], flags=1) for i in range(len(command) - 1)]
        peer.sendall(b"".join(pieces) + value(command[-1:], flags=3))
        assert commands.decode(read_pdu(peer)[1][6:]).status == 0
        both = struct.pack(">IBB", len(command) + 2, 1, 3) + command
        peer.sendall(pdu.pdu(pdu.DATA, both + both))
        assert [commands.decode(read_pdu(peer)[1][6:]).status for _ in range(2)] == [0, 0]


def test_an_error_of_ours_ends_one_association_alone(
    node: Running, monkeypatch: pytest.MonkeyPatch, expect_errors: Callable[[str], None]
) -> None:
    expect_errors("an association ended by an error of ours")
    dispatch = ApplicationEntity.dispatch

    def fail_once(self: ApplicationEntity, *args: object) -> None:
        monkeypatch.setattr(ApplicationEntity, "dispatch", dispatch)
        raise RuntimeError("a bug")

    monkeypatch.setattr(ApplicationEntity, "dispatch", fail_once)
    with pytest.raises(Busy, match="aborted"):
        scu.echo(*node.at)
    scu.echo(*node.at)
    assert node.entity.associations <= 1


def test_the_listener_outlives_a_refusal_of_the_system(
    node: Running, monkeypatch: pytest.MonkeyPatch, expect_errors: Callable[[str], None]
) -> None:
    """Out of file handles, say: what cannot be accepted now is accepted when it passes."""
    expect_errors("a connection could not be accepted: Too many open files")
    accept = socket.socket.accept
    refusals = [OSError(24, "Too many open files")] * 2

    def failing(self: socket.socket) -> tuple[socket.socket, object]:
        if refusals and self.getsockname()[1] == node.port:
            raise refusals.pop()
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", failing)
    scu.echo(*node.at)
    scu.echo(*node.at)
    assert not refusals
