"""What peers and sources did last: shown at once, written at most once a minute, kept over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.domain.errors import StorageFailure
from pacs_core.domain.records import Hl7SourceRecord, PeerRecord
from pacs_core.services.configuring import Configuring
from tests.support.spine import Spine, spine

PEER = PeerRecord("CT1", "192.0.2.1", 104, "CT", "", True, True, True, True)
SOURCE = Hl7SourceRecord("RIS", "192.0.2.2", "", "", "")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with spine(tmp_path) as made:
        made.services.configuring.save_peer(PEER, "boss")
        made.services.configuring.save_source(SOURCE, "boss")
        yield made


def kept(house: Spine) -> tuple[str, str]:
    """What the index itself says of the peer."""
    (peer,) = Configuring(house.index, house.clock).peers()
    return peer.last_seen, peer.last_did


def test_it_is_shown_at_once_and_written_once_a_minute(house: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    configuring = house.services.configuring
    writes: list[object] = []
    write = house.index.write
    monkeypatch.setattr(
        house.index, "write", lambda work, **how: (writes.append(work), write(work, **how))[1]
    )
    for number in range(1, 51):
        configuring.peer_did("CT1", f"{number} C-STORE")
        house.clock.forward(1)
    assert len(writes) == 1
    (peer,) = configuring.peers()
    assert (peer.last_did, peer.last_seen) == ("50 C-STORE", "2026-03-02T10:00:49.000000Z")
    assert kept(house)[1] == "1 C-STORE"
    house.clock.forward(60)
    configuring.peer_did("CT1", "1 C-ECHO")
    assert len(writes) == 2
    assert kept(house) == ("2026-03-02T10:01:50.000000Z", "1 C-ECHO")


def test_each_has_its_own_minute(house: Spine) -> None:
    configuring = house.services.configuring
    configuring.peer_did("CT1", "1 C-ECHO")
    configuring.source_did("RIS", "ADT^A04")
    (source,) = Configuring(house.index, house.clock).sources()
    assert (source.last_did, source.last_seen) == ("ADT^A04", "2026-03-02T10:00:00.000000Z")
    assert kept(house)[1] == "1 C-ECHO"


def test_the_last_of_all_is_kept_when_the_node_ends(house: Spine) -> None:
    configuring = house.services.configuring
    configuring.peer_did("CT1", "1 C-ECHO")
    house.clock.forward(5)
    configuring.peer_did("CT1", "133 C-STORE")
    configuring.write_down()
    assert kept(house) == ("2026-03-02T10:00:05.000000Z", "133 C-STORE")


def test_changing_a_peer_keeps_what_it_did_and_removing_it_forgets(house: Spine) -> None:
    configuring = house.services.configuring
    configuring.peer_did("CT1", "1 C-ECHO")
    configuring.source_did("RIS", "ADT^A04")
    configuring.save_peer(PEER, "boss")
    configuring.save_source(SOURCE, "boss")
    assert kept(house)[1] == "1 C-ECHO"
    assert [s.last_did for s in Configuring(house.index, house.clock).sources()] == ["ADT^A04"]
    configuring.remove_peer("CT1", "boss")
    configuring.save_peer(PEER, "boss")
    assert [p.last_did for p in configuring.peers()] == [""]


def test_who_is_not_configured_is_not_written(house: Spine) -> None:
    house.services.configuring.peer_did("STRANGER", "1 C-ECHO")
    assert [p.title for p in house.services.configuring.peers()] == ["CT1"]


def test_where_it_cannot_be_written_nobody_is_disturbed(
    house: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_work: object, **_how: object) -> None:
        raise StorageFailure("the disk is gone", "index")

    monkeypatch.setattr(house.index, "write", fail)
    house.services.configuring.peer_did("CT1", "1 C-STORE")
    assert [p.last_did for p in house.services.configuring.peers()] == ["1 C-STORE"]
