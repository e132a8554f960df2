"""What the tray tells of what came: counts and never a name, each thing once."""

from __future__ import annotations

from pacs_core.domain.events import Change
from workstation.session.arrivals import Arrivals


def change(kind: str, study: str = "", subject: str = "", **detail: object) -> Change:
    return Change(1, "2026-03-02T10:00:00Z", kind, 4, 1, 1, study, subject, "CT1", detail)


def test_images_are_counted_and_a_study_told_once_its_sender_has_gone() -> None:
    arrivals = Arrivals()
    assert arrivals.words() == ""
    images = [change("images.stored", "1.2", count=1) for _ in range(3)]
    assert arrivals.hear([*images, change("order.placed")]) == []
    assert arrivals.words() == "3 images, 1 study, 1 order"
    assert arrivals.hear([change("study.received", "1.2", images=3)]) == ["A study is complete: 3 images"]
    assert arrivals.hear([change("images.stored", "1.3", count=1), change("order.placed")]) == []
    assert arrivals.words() == "4 images, 2 studies, 2 orders"


def test_what_needs_a_person_is_told_once() -> None:
    arrivals = Arrivals()
    held = [change("study.held", "1.2"), change("study.held", "1.2"), change("study.held", "1.3")]
    assert len(arrivals.hear(held)) == 2
    dead = [change("delivery.dead", subject="delivery:4")] * 2
    assert arrivals.hear(dead) == ["A result was refused: it needs a person"]
    assert arrivals.hear(dead) == []


def test_other_changes_are_nobody_s_news() -> None:
    arrivals = Arrivals()
    others = ("patient.updated", "report.signed", "delivery.delivered", "worklist.answered")
    assert arrivals.hear([change(kind) for kind in others]) == []
    assert arrivals.words() == ""
