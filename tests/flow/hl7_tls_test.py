"""MLLP over TLS, both ways: with certificates, without, and with the wrong ones."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pacs_core.domain.delivery import OutcomeKind
from pacs_core.domain.records import DestinationRecord
from pacs_core.hl7 import ack
from pacs_core.hl7.message import Header
from pacs_core.hl7.sender import MLLPTransmitter
from pacs_core.hl7.server import Peer, Reply
from tests.support.hl7_door import Sender, fields, served
from tests.support.mllp_receiver import MLLPReceiver
from tests.support.spine import TestClock

MESSAGE = b"MSH|^~\\&|RIS|S|RR||2026||ADT^A08|C1|P|2.5.1\rPID|1||P1\r"


@dataclass(frozen=True)
class Certificate:
    """A certificate of its own making, for one name."""

    certificate: Path
    key: Path

    def server(self, clients: Path | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, trusted: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(trusted))
        context.load_cert_chain(self.certificate, self.key)
        return context


@pytest.fixture
def make(tmp_path: Path, program: Callable[[str], Path]) -> Callable[[str], Certificate]:
    def certificate(name: str) -> Certificate:
        made = Certificate(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        request = (
            f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -addext subjectAltName=IP:127.0.0.1"
        )
        command = [str(program("openssl")), *request.split(), "-keyout", made.key, "-out", made.certificate]
        subprocess.run(command, check=True, capture_output=True)
        return made

    return certificate


@pytest.fixture
def seen() -> list[Peer]:
    return []


@pytest.fixture
def handle(seen: list[Peer]) -> Iterator[Callable[[bytes, Peer], Reply]]:
    def remember(content: bytes, peer: Peer) -> Reply:
        seen.append(peer)
        return Reply(ack.answers(Header.read(content), ""))

    return remember


def wrap(context: ssl.SSLContext) -> Callable[[socket.socket], socket.socket]:
    return lambda plain: context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_sender_with_a_certificate_is_known_by_its_name(make, handle, seen: list[Peer]) -> None:
    node, ris = make("node"), make("ris-of-the-house")
    known = wrap(ris.client(node.certificate))
    with served(handle, tls=node.server(ris.certificate)) as (_, port), Sender(port, known) as sender:
        assert fields(sender.exchange(MESSAGE), "MSA")[1] == "AA"
    assert [peer.certificate_name for peer in seen] == ["ris-of-the-house"]


def heard(port: int, wrapping: Callable[[socket.socket], socket.socket]) -> bool:
    try:
        with Sender(port, wrapping) as sender:
            return b"MSA" in sender.exchange(MESSAGE)
    except OSError:
        return False


def test_without_a_certificate_or_without_tls_nobody_is_heard(make, handle, seen: list[Peer]) -> None:
    node, ris, stranger = make("node"), make("ris"), make("stranger")
    with served(handle, tls=node.server(clients=ris.certificate)) as (_, port):
        with Sender(port) as plain:
            plain.send(b"\x0b" + MESSAGE + b"\x1c\r")
            assert b"MSA" not in plain.answer()
        assert not heard(port, wrap(stranger.client(node.certificate)))
        with Sender(port, wrap(ris.client(node.certificate))) as sender:
            assert fields(sender.exchange(MESSAGE), "MSA")[1] == "AA"
    assert len(seen) == 1


def test_results_go_out_over_tls_to_the_right_receiver_only(make) -> None:
    ours, theirs, impostor = make("ours"), make("theirs"), make("impostor")
    context = ours.client(trusted=theirs.certificate)
    transmitter = MLLPTransmitter(TestClock(), answer_s=10, tls=lambda destination: context)
    try:
        with MLLPReceiver(tls=theirs.server(clients=ours.certificate)) as receiver:
            destination = DestinationRecord("RIS", "127.0.0.1", receiver.port, 3, 0, "C")
            for control in (b"C1", b"C2"):
                message = MESSAGE.replace(b"C1", control)
                outcome = transmitter.send(destination, message, control.decode())
                assert outcome.kind is OutcomeKind.ACKNOWLEDGED
            assert receiver.connections == 1
        with MLLPReceiver(tls=impostor.server()) as receiver:
            destination = DestinationRecord("RIS", "127.0.0.1", receiver.port, 3, 0, "C")
            outcome = transmitter.send(destination, MESSAGE, "C1")
            assert outcome.kind is OutcomeKind.SILENT
            assert "certificate" in outcome.text.lower()
            assert receiver.received == []
    finally:
        transmitter.close()
