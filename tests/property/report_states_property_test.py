"""Reports whatever is done to them in whatever order: no text is lost, no second final, results in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.errors import Conflict, NeedsPerson
from pacs_core.domain.order import CancelOrder, OrderReference
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.services.reporting import Signing, version_of
from tests.support.spine import Spine, spine
from tests.support.web_node import quick_passwords

READERS = ("eva", "ben")
PASSWORD = "correct horse"
DESTINATIONS = ("RIS", "EHR")
OUTCOMES = {
    "taken": Outcome(OutcomeKind.ACKNOWLEDGED, "AA", ""),
    "silent": Outcome(OutcomeKind.SILENT, "", "no answer"),
    "refused": Outcome(OutcomeKind.REFUSED, "AE", "no"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with quick_passwords(), spine(tmp_path_factory.mktemp("reports")) as made:
        for name in READERS:
            made.services.access.add_account(name, "reader", PASSWORD, name.title())
        for name in DESTINATIONS:
            record = DestinationRecord(name, "127.0.0.1", 1, 10_000, 0, "C")
            made.services.configuring.save_destination(record, "t")
        made.patient()
        yield made


@dataclass
class Exam:
    """One exam in the house that many share, and what was typed and signed on it, as one remembers it."""

    house: Spine
    number: int
    drafts: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    signed: list[tuple[str, str, str]] = field(default_factory=list)
    texts: Iterator[int] = field(default_factory=lambda: count(1))

    numbers = count(1)

    @classmethod
    def begun(cls, house: Spine) -> Exam:
        exam = cls(house, next(cls.numbers))
        house.order(exam.accession)
        house.image(exam.study, accession_number=exam.accession)
        return exam

    @property
    def study(self) -> str:
        return f"1.7.{self.number}"

    @property
    def accession(self) -> str:
        return f"R{self.number}"

    def do(self, what: str, who: str) -> None:
        """One action; one that the state forbids is refused and changes nothing."""
        getattr(self, what.partition(" ")[0])(who, what.partition(" ")[2])

    def draft(self, who: str, _: str) -> None:
        text = f"text {next(self.texts)} of {who}"
        self.house.services.reporting.save_draft(self.study, "t", text, None, actor(who))
        self.drafts[who] = text

    def discard(self, who: str, _: str) -> None:
        self.house.services.reporting.discard_draft(self.study, actor(who))
        if who in self.drafts:
            self.dropped.append(self.drafts.pop(who))

    def sign(self, who: str, kind: str) -> None:
        text = self.drafts.get(who) or f"text {next(self.texts)} of {who}"
        sections = (Section("Findings", text),)
        signing = Signing(self.study, PASSWORD, sections, kind, "why" if kind == "correction" else "")
        kinds = [k for k, _, _ in self.signed]
        allowed = ("final" in kinds) == (kind in ("addendum", "correction"))
        if not allowed:
            with pytest.raises(Conflict):
                self.house.services.reporting.sign(signing, actor(who))
            return
        self.house.services.reporting.sign(signing, actor(who))
        self.signed.append((kind, text, who))
        self.drafts.pop(who, None)

    def cancel(self, _who: str, _: str) -> None:
        """The RIS would cancel the order under the report, which has images: a person decides."""
        with pytest.raises(NeedsPerson):
            self.house.services.orders.cancel(CancelOrder(OrderReference(accession=self.accession)), "RIS")

    def deliver(self, _who: str, how: str) -> None:
        due = [d for d in self.house.services.delivering.due(1000) if d.stream == self.stream()]
        for one in due:
            self.house.transmitter.answers = [OUTCOMES[how]]
            self.house.services.delivering.attempt(one.id)
        self.house.clock.forward(3601)

    def stream(self) -> str:
        with self.house.index.read() as tx:
            (order,) = tx.orders.by_accession(self.accession)
        return f"order:{order.id}"

    # ── what must hold ──

    def check(self) -> None:
        with self.house.index.read() as tx:
            reports = tx.reports.of_study(self.study)
            versions = [version_of(v) for r in reports for v in tx.reports.versions(r.id)]
            drafts = {d.author: d.content for d in tx.reports.drafts(self.study)}
            journal = tx.journal.of_exam([], [self.study], [])
        assert len(reports) <= 1
        assert [(v.kind.value, v.sections[0].text, v.signer) for v in versions] == self.signed
        assert [v.version for v in versions] == list(range(1, len(versions) + 1))
        assert sum(v.kind == "final" for v in versions) <= 1
        assert drafts == self.drafts
        discarded = [change.detail["content"] for change in journal if change.kind == "report.discarded"]
        assert discarded == self.dropped
        self.results_in_order()

    def results_in_order(self) -> None:
        """Every version once for each destination; what left, left in the order of the signatures."""
        with self.house.index.read() as tx:
            rows = [d for r in tx.reports.of_study(self.study) for d in tx.deliveries.of_report(r.id)]
        for destination in DESTINATIONS:
            mine = [d for d in rows if d.destination == destination]
            assert len(mine) == len(self.signed)
            delivered = [d.state == "delivered" for d in mine]
            assert delivered == sorted(delivered, reverse=True)
            own = {d.control_id for d in mine}
            heard = [
                control
                for name, _, control in self.house.transmitter.sent
                if name == destination and control in own
            ]
            order = {d.control_id: n for n, d in enumerate(mine)}
            assert [order[c] for c in heard] == sorted(order[c] for c in heard)
            assert len(
                {p for n, p, c in self.house.transmitter.sent if n == destination and c in own}
            ) == len(set(heard))


def actor(name: str) -> Actor:
    return Actor(name, Role.READER, name.title())


WHAT = (
    "draft", "draft", "discard", "sign preliminary", "sign final", "sign final", "sign addendum",
    "sign correction", "cancel", "deliver taken", "deliver silent", "deliver refused",
)  # fmt: skip


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(WHAT), st.sampled_from(READERS)), min_size=2, max_size=14))
def test_nothing_typed_is_lost_and_nothing_signed_changes(house: Spine, steps: list[tuple[str, str]]) -> None:
    exam = Exam.begun(house)
    for what, who in steps:
        exam.do(what, who)
        exam.check()
