"""The simulated RIS over real sockets: it sends, hears, keeps, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pacs_core.hl7 import ack
from pacs_core.hl7.client import MLLPClient, NoAnswer
from pacs_core.hl7.message import Header, Message
from pacs_core.hl7.mllp import Frame, FrameDecoder, frame
from pacs_core.hl7.server import MLLPServer, Peer, Reply
from pacs_core.rehearsal.company import Simulator, SimulatorFailed
from pacs_core.rehearsal.ris import Ris
from pacs_core.rehearsal.ris_receiver import Behaviour, Receiver

TODAY = date(2026, 11, 22)


def result(control_id: str, accession: str = "DH2611870") -> bytes:
    return (
        f"MSH|^~\\&|READINGROOM|RR|DEMORIS|DEMOHOSP|20261122101500+0000||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r"
        f"PID|1||DH100217^^^DEMO||Lindström^Åke\rOBR|1|P1|F1|CTCHEST||||||||||||||{accession}\r"
        "OBX|1|TX|19005-8^Impression^LN||12 mm||||||F\r"
    ).encode()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path / "kept")
    yield made
    made.stop()


@pytest.fixture
def client(receiver: Receiver) -> Iterator[MLLPClient]:
    host, port = receiver.start()
    made = MLLPClient(host, port, answer_s=0.5)
    yield made
    made.close()


def ask(client: MLLPClient, control_id: str) -> str:
    answer = client.exchange(result(control_id), lambda raw: Message.parse(raw).text("MSA-2") == control_id)
    return Message.parse(answer).text("MSA-1") or ""


def test_a_result_is_kept_and_acknowledged(receiver: Receiver, client: MLLPClient, tmp_path: Path) -> None:
    assert ask(client, "R1") == "AA"
    one = receiver.received[0]
    assert (one.control_id, one.kind, one.accession, one.answered) == ("R1", "ORU^R01", "DH2611870", "AA")
    assert one.content == result("R1")
    assert (tmp_path / "kept" / "0001-AA.hl7").read_bytes() == result("R1")
    assert json.loads((tmp_path / "kept" / "received.jsonl").read_text("utf-8"))["control_id"] == "R1"


@pytest.mark.parametrize("code", ["AE", "AR", "CE"])
def test_a_refusal_names_a_reason(receiver: Receiver, client: MLLPClient, code: str) -> None:
    receiver.behave(Behaviour.named(code))
    answer = Message.parse(client.exchange(result("R1"), lambda _: True))
    assert (answer.text("MSA-1"), answer.text("MSA-2")) == (code, "R1")
    assert answer.text("ERR-3.1") == "207"
    assert receiver.effective() == ()
    assert ask(client, "R1") == "AA"


@pytest.mark.parametrize("kind", ["silent", "reset", "close", "wrong-id", "cut"])
def test_what_is_not_answered_well_counts_only_when_it_is(
    receiver: Receiver, client: MLLPClient, kind: str
) -> None:
    receiver.behave(Behaviour.named(kind))
    with pytest.raises(NoAnswer):
        ask(client, "R1")
    assert [r.answered for r in receiver.received] == [kind]
    assert receiver.effective() == ()
    assert ask(client, "R1") == "AA"
    assert ask(client, "R1") == "AA"
    assert [r.control_id for r in receiver.effective("DH2611870")] == ["R1"]
    assert receiver.effective("OTHER") == ()


def test_a_doubled_acknowledgement_comes_twice_on_the_wire(receiver: Receiver) -> None:
    receiver.behave(Behaviour.named("double"))
    decoder, frames = FrameDecoder(), []
    with socket.create_connection(receiver.start(), timeout=10) as wire:
        wire.sendall(frame(result("R1")))
        while len(frames) < 2:
            frames += [item for item in decoder.feed(wire.recv(4096)) if isinstance(item, Frame)]
    assert frames[0] == frames[1]


def test_a_delayed_answer_still_comes(receiver: Receiver, client: MLLPClient) -> None:
    receiver.behave(Behaviour.named("AA", delay_s=0.05))
    assert ask(client, "R1") == "AA"


def test_one_can_wait_for_a_result(receiver: Receiver, client: MLLPClient) -> None:
    assert not receiver.wait(lambda all_: len(all_) > 0, 0.01)
    sender = threading.Thread(target=ask, args=(client, "R1"))
    sender.start()
    assert receiver.wait(lambda all_: len(all_) == 1, 10)
    sender.join()


def test_an_unknown_behaviour_is_named() -> None:
    with pytest.raises(ValueError, match="sulk"):
        Behaviour.named("sulk")


class Door:
    """An MLLP server of the house that answers AA and keeps what came."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.loop = asyncio.new_event_loop()
        self.server = MLLPServer(self.handle, refuse=ack.refusal)
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.address = asyncio.run_coroutine_threadsafe(self.server.start("127.0.0.1", 0), self.loop).result(
            10
        )

    def handle(self, content: bytes, _: Peer) -> Reply:
        self.messages.append(Message.parse(content))
        return Reply(ack.answers(Header.read(content), "taken"))

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(1.0), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.stop()


def test_the_recipe_is_admitted_patients_first(door: Door) -> None:
    ris = Ris(door.address)
    try:
        answers = ris.admit(TODAY, ("lindstrom-ct", "lindstrom-pet", "nakagawa-mr"))
    finally:
        ris.close()
    assert [a.code for a in answers] == ["AA"] * 5
    kinds = ["^".join(m.kind) for m in door.messages]
    assert kinds == ["ADT^A04", "ADT^A04", "ORM^O01", "ORM^O01", "ORM^O01"]
    assert [a.control_id for a in answers] == [m.text("MSH-10") for m in door.messages]


def test_a_node_that_is_not_there_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    ris = Ris(address)
    answer = ris.register("chen")
    ris.close()
    assert answer.code == ""
    assert "no connection" in answer.text


def test_as_a_process_it_says_ready_and_obeys(door: Door, tmp_path: Path) -> None:
    host, port = door.address
    options = ["--node", f"{host}:{port}", "--keep", str(tmp_path / "kept")]
    with Simulator("ris", options, tmp_path / "ris.log") as ris:
        listening = str(ris.facts["hl7"]).rsplit(":", 1)
        assert ris.tell("order", exam="chen-mr", today="2026-11-22")["code"] == "AA"
        assert ris.tell("behave", name="silent") == {"behaves": "silent", "times": 1}
        client = MLLPClient(listening[0], int(listening[1]), answer_s=0.3)
        with pytest.raises(NoAnswer):
            ask(client, "R1")
        assert ask(client, "R1") == "AA"
        client.close()
        rows = ris.tell("received", accession="DH2611870")
        assert [row["answered"] for row in rows] == ["silent", "AA"]
        with pytest.raises(SimulatorFailed, match="unknown command 'dance'"):
            ris.tell("dance")
        with pytest.raises(SimulatorFailed, match="nobody"):
            ris.tell("register", patient="nobody")
        assert ris.tell("register", patient="chen")["code"] == "AA"
    with pytest.raises(SimulatorFailed, match="has ended"):
        ris.tell("register", patient="chen")


def test_a_simulator_that_cannot_start_says_so() -> None:
    with pytest.raises(SimulatorFailed, match="did not say READY"):
        Simulator("ris", ["--no-such-option"])
