"""A message that waits in the Inbox is processed again; who calls is seen, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.dimse import scu
from pacs_core.domain.errors import Conflict, NotFound
from pacs_core.rehearsal.recipe import load_recipe
from pacs_core.rehearsal.ris import Ris
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load
from tests.support.commands import command

FREE = {"dicom_port": 0, "hl7_port": 0, "http_port": 0}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with Node(load(tmp_path / "data", None, FREE)) as running:
        yield running.start()


@pytest.fixture
def archive(node: Node) -> Archive:
    return node.archive(node.owner())


@pytest.fixture
def ris(node: Node) -> Iterator[Ris]:
    host, port = node.hl7.rsplit(":", 1)
    made = Ris((host, int(port)))
    yield made
    made.close()


def place_of(node: Node) -> tuple[str, int]:
    host, port = node.dicom.rsplit(":", 1)
    return host, int(port)


def without_accession(ris: Ris) -> m.MessageView | None:
    exam = ris.recipe.exam("phantom-ct")
    message = ris.messages.order(exam, date(2026, 11, 22))
    content = message.content.replace(f"|{exam.accession}|".encode(), b"||")
    assert content != message.content
    ris.send(type(message)(message.control_id, content))
    return None


def test_what_failed_is_carried_out_once_its_source_says_how(node: Node, archive: Archive, ris: Ris) -> None:
    without_accession(ris)
    (waiting,) = archive.inbox.messages()
    assert waiting.state == "failed"
    again = archive.inbox.process_again(waiting.id)
    assert (again.state, again.reason) == ("failed", waiting.reason)
    source = m.Hl7Source(load_recipe().ris, "127.0.0.1", "[options]\nmake_accession_number = true\n")
    archive.administration.save_hl7_source(source)
    assert archive.inbox.process_again(waiting.id).state == "processed"
    assert archive.inbox.messages() == ()
    (order,) = archive.schedule.day("2026-11-22").orders
    assert order.accession_is_ours
    told = [c for c in archive.changes.since(0).changes if c.kind == "message.retried"]
    assert {c.actor for c in told} == {"owner"}


def test_what_waits_for_nobody_is_not_carried_out_twice(node: Node, archive: Archive, ris: Ris) -> None:
    assert ris.register(ris.recipe.patients[0].key).code == "AA"
    with node.services.index.read() as tx:
        done = tx.messages.get(1)
    assert done.state == "processed"
    with pytest.raises(Conflict):
        archive.inbox.process_again(done.id)
    with pytest.raises(NotFound):
        archive.inbox.process_again(4711)


def test_a_message_is_carried_out_where_no_listener_is_open(tmp_path: Path) -> None:
    """A command on a folder without a running node works too."""
    with Node(load(tmp_path / "data", None, FREE)).start() as running:
        host, port = running.hl7.rsplit(":", 1)
        ris = Ris((host, int(port)))
        without_accession(ris)
        ris.close()
    with Node(load(tmp_path / "data")).open() as closed:
        inbox = closed.archive(closed.owner()).inbox
        assert inbox.process_again(inbox.messages()[0].id).state == "failed"


def test_who_calls_is_seen_in_the_lists(node: Node, archive: Archive, ris: Ris) -> None:
    archive.administration.save_peer(m.Peer("CT1", "127.0.0.1", 104))
    archive.administration.save_hl7_source(m.Hl7Source(ris.recipe.ris, "127.0.0.1"))
    host, port = place_of(node)
    scu.echo(host, port, node.settings.dicom_ae, "CT1")
    scu.echo(host, port, node.settings.dicom_ae, "STRANGER")
    ris.register(ris.recipe.patients[0].key)
    (peer,), (source,) = archive.administration.peers(), archive.administration.hl7_sources()
    assert peer.last_did == "1 C-ECHO"
    assert source.last_did == "ADT^A04"
    assert peer.last_seen.endswith("Z")
    assert source.last_seen.endswith("Z")
    for words, told in ((("ae", "list"), "1 C-ECHO"), (("hl7-source", "list"), "ADT^A04")):
        done = command(*words, "--data", str(node.data))
        assert done.returncode == 0
        assert told in done.stdout
