"""The look at a report before it is signed: what must be mended, and what is asked about."""

from __future__ import annotations

from collections.abc import Iterator

from pacs_core.archive.models import Dossier
from workstation.reporting.draft import Draft
from workstation.reporting.facts import OrderFacts
from workstation.reporting.field_checks import field_findings
from workstation.reporting.placeholders import PLACEHOLDER
from workstation.reporting.sign_findings import Severity, SignFinding, Situation, finding, statements
from workstation.reporting.wording_checks import wording_findings

__all__ = ["Severity", "SignFinding", "Situation", "check", "may_sign", "situation_of"]


def check(draft: Draft, situation: Situation) -> tuple[SignFinding, ...]:
    """All findings on a draft, blocking ones first, each kind in reading order."""
    found = [
        *_right_exam(draft, situation),
        *field_findings(draft, situation),
        *wording_findings(statements(draft), situation),
        *_images(situation),
        *_unquoted(draft, situation),
        *_unsure(situation),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: one.severity is not Severity.BLOCK))


def may_sign(findings: tuple[SignFinding, ...]) -> bool:
    """Whether nothing blocks; what alerts is for the reader to confirm."""
    return all(one.severity is not Severity.BLOCK for one in findings)


def situation_of(
    dossier: Dossier,
    facts: OrderFacts,
    *,
    open_patient_id: str,
    open_study_uid: str,
    images_viewed: int | None = None,
    images_shown: int | None = None,
    unsure: tuple[tuple[str, int, int, str], ...] = (),
    critical_recorded: bool = False,
) -> Situation:
    """The situation from what the archive says of an exam; `open_…` is what the window shows."""
    sides = {series.laterality.strip().upper() for series in dossier.manifest.series} - {""}
    return Situation(
        facts,
        open_patient_id,
        open_study_uid,
        images_total=dossier.exam.images,
        images_viewed=images_viewed,
        images_shown=images_shown,
        unsure=unsure,
        images_expected=dossier.exam.expected,
        still_arriving=dossier.exam.arriving,
        critical_recorded=critical_recorded,
        image_laterality=next(iter(sides)) if len(sides) == 1 else "",
        prior_dates=tuple(prior.study_date for prior in dossier.priors if prior.study_date),
        measured=tuple(
            (one.tracking_uid, one.label)
            for one in dossier.measurements
            if one.label and not one.deleted and one.study_uid == dossier.manifest.study_uid
        ),
    )


def _right_exam(draft: Draft, situation: Situation) -> Iterator[SignFinding]:
    """Report, order and window are of one patient and one study."""
    ours, shown_id = situation.facts.patient_id, situation.open_patient_id
    if ours and shown_id and ours != shown_id:
        yield finding(situation, "wrong-patient", report=ours, open=shown_id)
    studies = {uid for uid in (draft.study_uid, situation.facts.study_uid, situation.open_study_uid) if uid}
    if len(studies) > 1:
        yield finding(situation, "wrong-study")


def _images(situation: Situation) -> Iterator[SignFinding]:
    total, viewed, expected = situation.images_total, situation.images_viewed, situation.images_expected
    if total is not None and expected is not None and total < expected:
        yield finding(situation, "study-incomplete", count=total, expected=expected)
    elif situation.still_arriving:
        yield finding(situation, "still-arriving")
    pictures = situation.images_shown if situation.images_shown is not None else total
    if pictures is not None and viewed is not None and viewed < pictures:
        yield finding(situation, "images-unviewed", count=pictures - viewed, total=pictures)


def _unsure(situation: Situation) -> Iterator[SignFinding]:
    """Dictated words the engine was not sure of, as they still stand."""
    for field_id, start, end, text in situation.unsure:
        yield finding(situation, "words-unsure", (field_id, start, end), text=text)


def _unquoted(draft: Draft, situation: Situation) -> Iterator[SignFinding]:
    """Labelled measurements that no sentence quotes."""
    quoted = {
        draft.quotes[name].tracking_uid
        for text in draft.values.values()
        for name in PLACEHOLDER.findall(text)
        if name in draft.quotes
    }
    for uid, label in situation.measured:
        if uid not in quoted:
            yield finding(situation, "measurement-unquoted", label=label)
