"""Reconciliation: does this study belong to that order? Pure, run wherever a fact arrives (architecture §11
i).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.matching import folded_name
from pacs_core.domain.order import Order, OrderState
from pacs_core.domain.patient import Demographics, Patient, fitted_name


@dataclass(frozen=True, slots=True)
class Received:
    """The identity a study came with: what its headers said."""

    study_uid: str
    patient_id: str
    issuer: str
    name: str
    birth_date: str
    sex: str
    accession: str
    accession_issuer: str = ""
    modality: str = ""
    study_date: str = ""
    step_ids: tuple[str, ...] = ()
    other_accessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order with its surviving patient."""

    order: Order
    patient: Patient


@dataclass(frozen=True, slots=True)
class Matched:
    """The study belongs to these orders (several where one acquisition answers several accessions)."""

    candidates: tuple[Candidate, ...]
    how: str


@dataclass(frozen=True, slots=True)
class Held:
    """The study waits for a person: `kind` for programs, `reason` in words."""

    kind: str
    reason: str


Decision = Matched | Held


def reconcile(
    received: Received,
    by_number: Sequence[Candidate],
    by_study_uid: Sequence[Candidate],
    linked: Collection[int] = (),
) -> Decision:
    """Decide by accession and issuer first, then by step, then by the Study Instance UID the order was given.

    `by_number` are orders with one of the received accession numbers or step ids, `by_study_uid` those
    whose procedure has this Study Instance UID, `linked` the rows of orders the study has already (a cancel
    does not take it from them). The order of arrival never changes the outcome.
    """
    accessions = sorted({received.accession, *received.other_accessions} - {""})
    numbered = [c for c in by_number if c.order.accession.value in accessions and _issuer_fits(received, c)]
    if accessions and not numbered:
        return Held("no order", f"no order has the accession number {' or '.join(accessions)}")
    if numbered:
        return _decide(received, numbered, linked, "accession number")
    stepped = [c for c in by_number if any(s.step_id in received.step_ids for s in c.order.steps)]
    if stepped:
        return _decide(received, stepped, linked, "scheduled procedure step ID")
    if by_study_uid:
        return _decide(received, by_study_uid, linked, "Study Instance UID")
    return Held("no accession", "the images carry no accession number")


def _issuer_fits(received: Received, candidate: Candidate) -> bool:
    """An issuer that is not said fits any; the images' own one speaks of their own number."""
    accession = candidate.order.accession
    said = received.accession_issuer if accession.value == received.accession else ""
    return not said or not accession.issuer or said == accession.issuer


def _decide(
    received: Received, candidates: Sequence[Candidate], linked: Collection[int], how: str
) -> Decision:
    candidates = sorted(candidates, key=lambda c: _rank(received, c.order))
    fitting = [c for c in candidates if owns(c.patient, received.patient_id, received.issuer)]
    if not fitting:
        c = candidates[0]
        return Held(
            "wrong patient",
            f"the order {c.order.accession or c.order.placer_number} is for patient "
            f"{c.patient.identifier.value}, the images say {received.patient_id or 'no patient ID'}",
        )
    for c in fitting:
        contradiction = contradicts(c.patient, received)
        if contradiction:
            return Held("identity contradicts", contradiction)
    alive = [c for c in fitting if c.order.state is not OrderState.CANCELLED or c.order.id in linked]
    if not alive:
        return Held("cancelled order", f"the order {fitting[0].order.accession} was cancelled")
    return Matched(tuple(_of_modality(received, alive)), how)


def _of_modality(received: Received, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Of several orders those that asked for this modality; all of them where none, or nobody, says one."""
    asked = [c for c in candidates if received.modality in {s.modality for s in c.order.steps}]
    return asked if received.modality and asked else candidates


def _rank(received: Received, order: Order) -> tuple[object, ...]:
    """The main order of several first: the one made for this study, then by numbers, never by arrival."""
    numbers = (order.accession.value, order.procedure_id, order.placer_number, order.id)
    return (order.study_uid != received.study_uid, *numbers)


def owns(patient: Patient, value: str, issuer: str) -> bool:
    """Say whether the identifier is one of the patient's, an unsaid issuer fitting any."""
    if not value:
        return False
    return any(
        own.value == value and (not issuer or not own.issuer or own.issuer == issuer)
        for own in (patient.identifier, *patient.other_identifiers)
    )


def contradicts(patient: Patient, received: Received) -> str:
    """Why the same ID cannot be the same person, in words; empty where nothing contradicts.

    One differing field is a correction in progress; family name and birth date (or sex) both differing is
    another person under the same number.
    """
    known = patient.demographics
    name_differs = bool(known.name and received.name) and not same_name(known.name, received.name)
    date_differs = bool(known.birth_date and received.birth_date) and known.birth_date != received.birth_date
    sex_differs = (
        bool(known.sex and received.sex)
        and known.sex != received.sex
        and "O" not in (known.sex, received.sex)
    )
    if name_differs and (date_differs or sex_differs):
        what = "birth date" if date_differs else "sex"
        return f"the same patient ID {received.patient_id} with another name and {what}"
    return ""


def unlike(known: Demographics, received: Received) -> str:
    """Why two people whom no RIS has told of cannot be one under the same ID, in words; else empty.

    Stricter than `contradicts`: nobody vouches for either, so every said difference counts.
    """
    differing = [
        what
        for what, differs in (
            ("name", known.name and received.name and not same_name(known.name, received.name)),
            ("birth date", known.birth_date and received.birth_date not in ("", known.birth_date)),
            ("sex", known.sex and received.sex not in ("", known.sex)),
        )
        if differs
    ]
    if not differing:
        return ""
    what = " and ".join(differing)
    return f"other images came under the same patient ID {received.patient_id} with another {what}"


def same_name(one: str, other: str) -> bool:
    """Say whether two PN values share their family name in some group, case and accents aside.

    Scanners got a name that DICOM cannot hold as `fitted_name` cuts it, and send it back so.
    """
    one, other = fitted_name(one), fitted_name(other)
    families = [{folded_name(g.split("^")[0]) for g in name.split("=")} - {""} for name in (one, other)]
    if families[0] & families[1]:
        return True
    swapped = [set(folded_name(name.split("=")[0]).split()) for name in (one, other)]
    return bool(swapped[0]) and swapped[0] == swapped[1]


def suggest(
    received: Received, candidates: Sequence[Candidate]
) -> list[tuple[Candidate, float, tuple[str, ...]]]:
    """Rank orders a held study may belong to, with the evidence field by field; best first, none below
    0.25.
    """
    ranked = [(c, *_evidence(received, c)) for c in candidates]
    return sorted((r for r in ranked if r[1] >= 0.25), key=lambda r: (-r[1], r[0].order.id))


def _evidence(received: Received, candidate: Candidate) -> tuple[float, tuple[str, ...]]:
    order, patient = candidate.order, candidate.patient
    words: list[str] = []
    score = 0.0
    score += 0.35 * _closeness("accession number", received.accession, order.accession.value, words)
    ids = [i.value for i in (patient.identifier, *patient.other_identifiers)]
    best = max(ids, key=lambda i: SequenceMatcher(None, i, received.patient_id).ratio())
    score += 0.3 * _closeness("patient ID", received.patient_id, best, words)
    score += 0.15 * _closeness(
        "name", folded_name(received.name), folded_name(patient.demographics.name), words
    )
    if received.birth_date and received.birth_date == patient.demographics.birth_date:
        score += 0.1
        words.append("birth date equal")
    modalities = {s.modality for s in order.steps}
    if received.modality in modalities:
        score += 0.05
        words.append(f"modality {received.modality} equal")
    elif received.modality and modalities:
        score -= 0.2
        words.append(f"modality {received.modality}, ordered {'/'.join(sorted(modalities))}")
    if received.study_date and received.study_date in {s.start_date for s in order.steps}:
        score += 0.05
        words.append("scheduled for that day")
    return max(0.0, min(1.0, score)), tuple(words)


def _closeness(what: str, got: str, known: str, words: list[str]) -> float:
    if not got or not known:
        return 0.0
    if got == known:
        words.append(f"{what} equal")
        return 1.0
    if len(got) == len(known):
        differing = [i for i in range(len(got)) if got[i] != known[i]]
        transposed = (
            len(differing) == 2
            and differing[1] == differing[0] + 1
            and (got[differing[0]], got[differing[1]]) == (known[differing[1]], known[differing[0]])
        )
        if transposed or len(differing) == 1:
            how = "two characters swapped" if transposed else "one character differs"
            words.append(f"{what} {how}: {got} / {known}")
            return 0.8
    ratio = SequenceMatcher(None, got, known).ratio()
    if ratio >= 0.75:
        words.append(f"{what} similar: {got} / {known}")
        return ratio * 0.7
    return 0.0


def identifier_of(received: Received) -> PatientIdentifier:
    """The received patient identifier as a value."""
    return PatientIdentifier(received.patient_id, received.issuer)
