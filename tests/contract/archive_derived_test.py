"""The protocol is the only declaration: routes, OpenAPI and remote client follow it, and so do the fakes."""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import pytest

from pacs_core.archive import codec
from pacs_core.archive import models as m
from pacs_core.archive.openapi import document
from pacs_core.archive.protocol import PARTS, Worklist, asks
from pacs_core.archive.routes import API, parse_query, table
from pacs_core.domain.access import Actor, Verb
from pacs_core.domain.errors import Conflict, InvalidValue
from pacs_core.remote.archive import RemoteDoor
from tests.support.fake_archive import FakeArchive
from tests.support.fake_world import world
from tests.support.web_node import SECRET, TestNode, open_doors


@dataclass(frozen=True, slots=True)
class Tea:
    """Something no part of the product knows of."""

    sort: str
    spoons: tuple[float, ...] = ()


class Kitchen(Worklist, Protocol):
    """The worklist, with one method more."""

    @asks(Verb.VIEW, "POST", "/worklist/brew")
    def brew(self, tea: Tea, cups: int = 1, leaves: bytes | None = None) -> tuple[Tea, ...]:
        """Make tea; raises Conflict where there is none left."""
        ...


class KitchenNode(TestNode):
    """A node whose service for the new method is there, and nothing else of it."""

    def archive(self, actor: Actor, shares_disk: bool) -> Any:
        def brew(tea: Tea, cups: int = 1, leaves: bytes | None = None) -> tuple[Tea, ...]:
            if leaves:
                raise Conflict(f"there are {len(leaves)} leaves already", "leaves")
            return (tea,) * cups

        return types.SimpleNamespace(worklist=types.SimpleNamespace(brew=brew))


def test_a_method_added_to_protocol_and_service_is_there_at_both_ends(tmp_path: Path) -> None:
    parts = {**PARTS, "worklist": Kitchen}
    operation = document("0", table(parts))["paths"][f"{API}/worklist/brew"]["post"]
    assert operation["operationId"] == "worklist.brew"
    assert operation["summary"] == "Make tea; raises Conflict where there is none left."
    with open_doors(tmp_path, parts, KitchenNode) as doors:
        door = RemoteDoor(doors.url, SECRET, parts=parts)
        brew = door.as_owner().worklist.brew  # type: ignore[attr-defined]  # the protocol of this test alone
        assert brew(Tea("green", (0.5,)), cups=2) == (Tea("green", (0.5,)),) * 2
        assert str(inspect.signature(brew)).startswith("(tea: ")
        with pytest.raises(Conflict) as caught:
            brew(Tea("black"), leaves=b"\x00\xff")
        assert (caught.value.where, caught.value.message) == ("leaves", "there are 2 leaves already")
        with pytest.raises(TypeError):
            brew(Tea("black"), mugs=2)
        answer = doors.workstation().post(f"{API}/worklist/brew", json={"tea": {"sort": 5}})
        assert answer.json()["where"] == "tea.sort"
        door.close()


def test_every_method_can_be_carried_and_names_its_verb() -> None:
    for call in table():
        assert call.words, call.name
        assert isinstance(call.route.verb, Verb)
        assert call.path.startswith(API)


def test_what_http_cannot_carry_is_refused_at_the_declaration() -> None:
    class Nested(Protocol):
        @asks(Verb.VIEW, "GET", "/a")
        def a(self, tea: Tea) -> None: ...

    class Twice(Protocol):
        @asks(Verb.VIEW, "GET", "/a")
        def a(self) -> None: ...
        @asks(Verb.VIEW, "GET", "/a")
        def b(self) -> None: ...

    class TwoBodies(Protocol):
        @asks(Verb.VIEW, "POST", "/a")
        def a(self, one: bytes, two: bytes) -> None: ...

    class Shapeless(Protocol):
        @asks(Verb.VIEW, "GET", "/a")
        def a(self) -> complex: ...

    for part in (Nested, Twice, TwoBodies, Shapeless):
        with pytest.raises(TypeError):
            table({"part": part})


def test_arguments_come_back_from_a_request_as_they_went_in() -> None:
    samples: dict[object, object] = {
        str: "é&=?%+ ",
        int: -7,
        bool: True,
        float: 1e-9,
        bytes: b"\x00\xff",
        int | None: 3,
    }
    tried = 0
    for call in table():
        given = {p.name: samples[p.hint] for p in call.parameters if p.hint in samples}
        if len(given) < len(call.parameters):
            continue
        tried += 1
        asked = call.ask(given)
        assert call.heard(parse_query(urlencode(asked.query)), asked.body) == given, call.name
    assert tried > 40


def test_a_required_argument_left_out_is_named() -> None:
    for call in table():
        required = [p.name for p in call.parameters if p.required and p is not call.octets]
        if required:
            with pytest.raises(Exception, match=required[0]) as caught:
                call.heard((), b"")
            assert getattr(caught.value, "where", "") in required


def test_an_answer_of_the_wrong_shape_is_not_taken() -> None:
    counts = next(c for c in table() if (c.part, c.name) == ("inbox", "counts"))
    with pytest.raises(InvalidValue, match="answer"):
        counts.answered(b'{"held": "many", "messages": 0, "deliveries": 0}')
    assert counts.answered(b'{"held": 1, "messages": 0, "deliveries": 0, "new": []}')


@pytest.fixture(scope="module")
def fake(shared_data: Path) -> FakeArchive:
    return world(shared_data)


READS = {
    "worklist.rows": lambda uid: {"query": m.WorklistQuery()},
    "worklist.row": lambda uid: {"key": f"study:{uid}"},
    "studies.open": lambda uid: {"study_uid": uid},
    "studies.renew": lambda uid: {"study_uid": uid},
    "studies.manifest": lambda uid: {"study_uid": uid},
    "studies.priors": lambda uid: {"study_uid": uid},
    "measurements.of": lambda uid: {"study_uid": uid},
    "reports.of": lambda uid: {"study_uid": uid},
    "schedule.day": lambda uid: {},
    "schedule.patients": lambda uid: {"text": ""},
    "inbox.counts": lambda uid: {},
    "inbox.held": lambda uid: {},
    "inbox.resolved": lambda uid: {},
    "inbox.messages": lambda uid: {},
    "inbox.deliveries": lambda uid: {},
    "administration.node": lambda uid: {},
    "administration.peers": lambda uid: {},
    "administration.hl7_sources": lambda uid: {},
    "administration.destinations": lambda uid: {},
    "administration.users": lambda uid: {},
    "administration.tokens": lambda uid: {},
    "administration.audit": lambda uid: {},
    "changes.since": lambda uid: {"sequence": 0},
}


@pytest.mark.parametrize("name", READS)
def test_the_fake_archive_of_the_window_answers_in_the_same_shapes(fake: FakeArchive, name: str) -> None:
    call = next(c for c in table() if f"{c.part}.{c.name}" == name)
    uid = next(iter(fake.manifests))
    answer = getattr(getattr(fake, call.part), call.name)(**READS[name](uid))
    assert codec.from_jsonable(call.returns, codec.load(call.answer(answer))) == answer
