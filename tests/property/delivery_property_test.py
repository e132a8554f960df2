"""Results on their way: at least once, in order, the same bytes, no silence given up (promise 4)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.delivery import DeliveryState, Outcome, OutcomeKind, RetryPolicy, next_step
from pacs_core.domain.records import DeliveryRecord, DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.domain.times import instant, read_instant
from pacs_core.services.reporting import Signing
from tests.support.quick_engines import shared_compilation
from tests.support.spine import Spine, spine
from tests.support.web_node import PASSWORD, quick_passwords

STUDY = "1.2.3"
DESTINATIONS = ("RIS", "EHR")
EVA = Actor("eva", Role.READER, "Eva")
OUTCOMES = {
    "silent": Outcome(OutcomeKind.SILENT, "", "no answer"),
    "refused": Outcome(OutcomeKind.REFUSED, "AE", "unknown order"),
    "taken": Outcome(OutcomeKind.ACKNOWLEDGED, "AA", ""),
}
answers = st.sampled_from(sorted(OUTCOMES))


# ---------------------------------------------------------------- the rule


@given(st.lists(st.sampled_from(["silent", "refused"]), max_size=40), st.integers(1, 5))
def test_silence_never_ends_with_a_person_and_refusals_do_after_so_many(said: list[str], tries: int) -> None:
    policy = RetryPolicy(tries)
    silent = refused = 0
    for one in said:
        step = next_step(policy, OUTCOMES[one], silent, refused)
        if one == "silent":
            assert step.state is DeliveryState.SILENT
            assert policy.first_delay_s <= step.delay_s <= policy.delay_cap_s
            silent += 1
        else:
            refused += 1
            assert (step.state is DeliveryState.DEAD) == (refused >= tries)
    assert next_step(policy, OUTCOMES["taken"], silent, refused).state is DeliveryState.DELIVERED


def test_the_wait_grows_to_its_cap_and_never_shrinks() -> None:
    waits = [next_step(RetryPolicy(), OUTCOMES["silent"], n, 0).delay_s for n in range(5000)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2.0, 600.0)


# ---------------------------------------------------------------- the outbox, whatever happens to it


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The index of a house with one exam and two destinations, to be copied for each run."""
    folder = tmp_path_factory.mktemp("furnished")
    with quick_passwords(), shared_compilation():
        with spine(folder) as made:
            for name in DESTINATIONS:
                made.services.configuring.save_destination(destination(name), "t")
            made.services.access.add_account("eva", "reader", PASSWORD, "Eva")
            made.patient()
            made.order()
            made.image()
        yield folder / "index.sqlite"


def destination(name: str, *, paused: bool = False) -> DestinationRecord:
    return DestinationRecord(name, "127.0.0.1", 1, 3, 0, "C", paused=paused)


@contextmanager
def outbox_of(furnished: Path) -> Iterator[Outbox]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(furnished, folder)
        with spine(Path(folder)) as house:
            yield Outbox(house)


@pytest.fixture
def outbox(furnished: Path) -> Iterator[Outbox]:
    with outbox_of(furnished) as made:
        yield made


@dataclass
class Outbox:
    """One exam's results, and what its destinations heard and answered."""

    house: Spine
    heard: list[tuple[str, bytes, str, str]] = field(default_factory=list)
    versions: int = 0
    stale: list[int] = field(default_factory=list)

    def deliveries(self) -> list[DeliveryRecord]:
        return [d for _, _, found in self.house.services.reporting.of_study(STUDY) for d in found]

    def sign(self) -> None:
        kind = "addendum" if self.versions else "final"
        signing = Signing(STUDY, PASSWORD, (Section("Findings", f"version {self.versions}"),), kind)
        self.house.services.reporting.sign(signing, EVA)
        self.versions += 1

    def attempt(self, delivery_id: int, answer: str) -> None:
        self.house.transmitter.sent.clear()
        self.house.transmitter.answers = [OUTCOMES[answer]]
        self.house.services.delivering.attempt(delivery_id)
        self.heard += [(*one, answer) for one in self.house.transmitter.sent]

    def attempt_due(self, answer: str) -> None:
        for one in self.house.services.delivering.due():
            self.stale.append(one.id)
            self.attempt(one.id, answer)

    def do(self, action: str, answer: str) -> None:
        if action == "sign":
            self.sign()
        elif action == "attempt":
            self.attempt_due(answer)
        elif action == "late":
            for delivery_id in self.stale:
                self.attempt(delivery_id, answer)
        elif action == "wait":
            self.house.clock.forward(601)
        elif action == "retry":
            for one in self.deliveries():
                if one.state == DeliveryState.DEAD:
                    self.house.services.delivering.retry(one.id, "eva")
        else:
            for one in self.house.services.configuring.destinations():
                changed = destination(one.name, paused=not one.paused)
                self.house.services.configuring.save_destination(changed, "t")

    def check(self) -> None:
        now = instant(self.house.clock.now())
        due = {d.id for d in self.house.services.delivering.due()}
        paused = {d.name for d in self.house.services.configuring.destinations() if d.paused}
        found = self.deliveries()
        assert len(found) == 2 * self.versions
        for name in DESTINATIONS:
            self._check_destination([d for d in found if d.destination == name], due, name in paused, now)

    def _check_destination(self, mine: list[DeliveryRecord], due: set[int], paused: bool, now: str) -> None:
        heard = [
            (payload, control, answer)
            for name, payload, control, answer in self.heard
            if name == mine[0].destination
        ]
        order = [d.control_id for d in mine]
        taken = [control for _, control, answer in heard if answer == "taken"]
        assert taken == order[: len(taken)], "out of order, or twice"
        assert [d.control_id for d in mine if d.state == DeliveryState.DELIVERED] == taken
        assert len({payload for payload, _, _ in heard}) == len({control for _, control, _ in heard})
        for one in mine:
            first_open = all(d.state == DeliveryState.DELIVERED for d in mine if d.id < one.id)
            open_itself = one.state not in (DeliveryState.DELIVERED, DeliveryState.DEAD)
            assert (one.id in due) == (first_open and open_itself and one.due_at <= now and not paused)


actions = st.tuples(
    st.sampled_from(["sign", "attempt", "attempt", "wait", "late", "retry", "pause"]), answers
)


@settings(max_examples=25)
@given(st.lists(actions, min_size=4, max_size=12))
def test_every_result_arrives_once_and_in_order_whatever_happens(
    furnished: Path, doings: list[tuple[str, str]]
) -> None:
    with outbox_of(furnished) as outbox:
        outbox.sign()
        for action, answer in doings:
            outbox.do(action, answer)
            outbox.check()


def test_what_was_delivered_or_is_not_due_is_not_sent_by_a_late_hand(outbox: Outbox) -> None:
    """A worker that looked before another's attempt was over must not repeat it."""
    house = outbox.house
    outbox.sign()
    seen = [d.id for d in outbox.deliveries()]
    outbox.attempt_due("silent")
    for delivery_id in seen:
        outbox.attempt(delivery_id, "taken")
    assert [answer for *_, answer in outbox.heard] == ["silent", "silent"]
    house.clock.forward(601)
    outbox.attempt_due("taken")
    for delivery_id in seen:
        outbox.attempt(delivery_id, "taken")
    assert [answer for *_, answer in outbox.heard] == ["silent", "silent", "taken", "taken"]


def test_the_next_attempt_is_of_something_that_can_be_tried(outbox: Outbox) -> None:
    """What waits behind a result that needs a person, or for a paused destination, wakes nobody."""
    house = outbox.house
    outbox.sign()
    outbox.sign()
    for _ in range(3):
        outbox.attempt_due("refused")
        house.clock.forward(601)
    states = [d.state for d in outbox.deliveries()]
    assert states.count(DeliveryState.DEAD) == 2
    assert house.services.delivering.next_due() == ""
    outbox.do("retry", "")
    assert read_instant(house.services.delivering.next_due()) <= house.clock.now()
    outbox.do("pause", "")
    assert house.services.delivering.next_due() == ""
