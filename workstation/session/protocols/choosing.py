"""Which protocol a study is hung by, and why: each is scored on what the study is, the best one wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pacs_core.archive.models import Dossier
from pacs_core.domain.anatomy import regions, shared, side, spoken
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.meaning import SIDES, Meaning, meaning_of
from workstation.session.protocols.model import Match, Protocol

MODALITY, BODY_PART, HOLDS, SIDE, PROCEDURE, PRIORS, MONITORS, CELLS = 40, 30, 15, 10, 10, 5, 5, 20
OWN = 100
"""What a reader wrote goes before all that came with the program."""


@dataclass(frozen=True, slots=True)
class Hanger:
    """A series with what it means."""

    shown: DisplaySet
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What a protocol is chosen by. `side` as in `Meaning`; `words` are spoken, see `anatomy`."""

    modalities: frozenset[str]
    body_part: frozenset[str] = frozenset()
    side: str = ""
    words: str = ""
    priors: int = 0
    monitors: int = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence of `REASONS` or `REFUSALS` with what stands in its gap."""

    words: str
    what: str = ""


REASONS = (
    "the modality is {what}",
    "the body part is {what}",
    "the side is {what}",
    "the procedure says {what}",
    "the study has the series: {what}",
    "earlier studies: {what}",
    "monitors: {what}",
    "series found for its cells: {what}",
    "you wrote it",
)
REFUSALS = (
    "it is for {what}",
    "it is for the body part {what}",
    "the study does not say its body part; it is for {what}",
    "it is for the side {what}",
    "the procedure says none of {what}",
    "the study has no such series: {what}",
    "it is for another number of earlier studies",
    "it is for another number of monitors",
    "none of its series is there",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A protocol with its score and the reasons; it `fits` where nothing speaks against it."""

    protocol: Protocol
    score: float
    reasons: tuple[Reason, ...]
    fits: bool


_meant: WeakKeyDictionary[DisplaySet, Meaning] = WeakKeyDictionary()


def hangers(sets: Sequence[DisplaySet]) -> tuple[Hanger, ...]:
    """Series with what they mean, worked out once for as long as somebody holds them."""
    return tuple(Hanger(shown, _meaning(shown)) for shown in sets)


def _meaning(shown: DisplaySet) -> Meaning:
    known = _meant.get(shown)
    if known is None:
        known = _meant[shown] = meaning_of(shown)
    return known


def facts_of(dossier: Dossier, series: Sequence[Hanger], priors: int = 0, monitors: int = 1) -> StudyFacts:
    """What is known of a study: its order first, then its own words, then those of its series."""
    exam, manifest = dossier.exam, dossier.manifest
    of_series = frozenset().union(*(h.meaning.body_part for h in series if h.meaning.use == "image"))
    asked = f"{exam.body_part} {exam.procedure} {manifest.description}"
    ordered = SIDES.get((dossier.order.laterality if dossier.order else "").upper()[:1], "")
    sides = {h.meaning.side for h in series} - {""}
    own = SIDES.get(side(f"{exam.procedure}"), "") or (sides.pop() if len(sides) == 1 else "")
    return StudyFacts(
        modalities=frozenset(m for m in exam.modality.replace("\\", "/").split("/") if m)
        | {h.meaning.modality for h in series if h.meaning.use == "image"},
        body_part=regions(asked) or of_series,
        side=ordered or own or ("both" if len(sides) > 1 else ""),
        words=spoken(f"{exam.procedure} {manifest.description}"),
        priors=priors,
        monitors=monitors,
    )


def judged(protocols: Sequence[Protocol], facts: StudyFacts, series: Sequence[Hanger]) -> tuple[Judged, ...]:
    """Every protocol, those that fit first, the best of them in front; equals by name."""
    found = [judge(protocol, facts, series) for protocol in protocols]
    return tuple(sorted(found, key=lambda j: (not j.fits, -j.score, j.protocol.name)))


def judge(protocol: Protocol, facts: StudyFacts, series: Sequence[Hanger]) -> Judged:
    """One protocol on one study."""
    points, reasons, refusal = _matched(protocol.match, facts, series)
    if refusal is not None:
        return Judged(protocol, 0.0, (refusal,), False)
    found, count = _cells(protocol, series)
    if not found:
        return Judged(protocol, 0.0, (Reason(REFUSALS[8]),), False)
    points += CELLS * found / count
    reasons.append(Reason(REASONS[7], f"{found}/{count}"))
    if protocol.own:
        points += OWN
        reasons.append(Reason(REASONS[8]))
    return Judged(protocol, round(points, 1), tuple(reasons), True)


def _matched(
    match: Match, facts: StudyFacts, series: Sequence[Hanger]
) -> tuple[float, list[Reason], Reason | None]:
    """Points and reasons of what a protocol asks of the study, or the first thing that speaks against it."""
    points, reasons = 0.0, list[Reason]()
    for asked in (_modality, _body_part, _side, _procedure, _holds, _counts):
        more, said, refusal = asked(match, facts, series)
        if refusal is not None:
            return 0.0, [], refusal
        points += more
        reasons += said
    return points, reasons, None


Answer = tuple[float, list[Reason], Reason | None]
NOTHING: Answer = (0.0, [], None)


def _modality(match: Match, facts: StudyFacts, _series: Sequence[Hanger]) -> Answer:
    if not match.modality:
        return NOTHING
    both = facts.modalities & set(match.modality)
    if not both:
        return 0.0, [], Reason(REFUSALS[0], ", ".join(match.modality))
    return MODALITY, [Reason(REASONS[0], ", ".join(sorted(both)))], None


def _body_part(match: Match, facts: StudyFacts, _series: Sequence[Hanger]) -> Answer:
    if not match.body_part:
        return NOTHING
    said = ", ".join(match.body_part)
    if not facts.body_part:
        return 0.0, [], Reason(REFUSALS[2], said)
    part = shared(facts.body_part, frozenset(match.body_part))
    if not part:
        return 0.0, [], Reason(REFUSALS[1], said)
    return BODY_PART * part, [Reason(REASONS[1], ", ".join(sorted(facts.body_part)))], None


def _side(match: Match, facts: StudyFacts, _series: Sequence[Hanger]) -> Answer:
    if not match.side:
        return NOTHING
    if facts.side not in match.side:
        return 0.0, [], Reason(REFUSALS[3], ", ".join(match.side))
    return SIDE, [Reason(REASONS[2], facts.side)], None


def _procedure(match: Match, facts: StudyFacts, _series: Sequence[Hanger]) -> Answer:
    if not match.procedure:
        return NOTHING
    said = [word for word in match.procedure if spoken(word) in facts.words]
    if not said:
        return 0.0, [], Reason(REFUSALS[4], ", ".join(match.procedure))
    return PROCEDURE, [Reason(REASONS[3], ", ".join(said))], None


def _holds(match: Match, _facts: StudyFacts, series: Sequence[Hanger]) -> Answer:
    reasons = []
    for wish in match.holds:
        named = " ".join(words[0] for _fact, words in wish.want)
        if not any(wish.fits(h.meaning) for h in series):
            return 0.0, [], Reason(REFUSALS[5], named)
        reasons.append(Reason(REASONS[4], named))
    return float(HOLDS * len(match.holds)), reasons, None


def _counts(match: Match, facts: StudyFacts, _series: Sequence[Hanger]) -> Answer:
    points, reasons = 0.0, []
    asked = (
        (match.priors, facts.priors, PRIORS, REASONS[5], REFUSALS[6]),
        (match.monitors, facts.monitors, MONITORS, REASONS[6], REFUSALS[7]),
    )
    for limits, count, worth, reason, refusal in asked:
        if limits is None:
            continue
        if count < limits[0] or (limits[1] is not None and count > limits[1]):
            return 0.0, [], Reason(refusal)
        points += worth
        reasons.append(Reason(reason, str(count)))
    return points, reasons, None


def _cells(protocol: Protocol, series: Sequence[Hanger]) -> tuple[int, int]:
    """How many of the cells of all stages would find a series, and how many there are."""
    cells = [cell for stage in protocol.stages for cell in stage.of_current]
    found = sum(any(cell.wish.fits(h.meaning) for h in series) for cell in cells)
    return found, len(cells)
