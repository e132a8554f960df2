"""What people mistype at a scanner's console, so that a study turns up that does not fit its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pacs_core.domain.identifiers import uid_from_name
from pacs_core.rehearsal.identity import Identity


def wrong_patient_id(identity: Identity) -> Identity:
    """The last two different neighbours of the patient ID swapped."""
    return replace(identity, patient_id=swapped(identity.patient_id))


def wrong_accession(identity: Identity) -> Identity:
    """The last two different neighbours of the accession number swapped."""
    return replace(identity, accession=swapped(identity.accession))


def no_accession(identity: Identity) -> Identity:
    """No accession number at all."""
    return replace(identity, accession="")


def typo_in_name(identity: Identity) -> Identity:
    """A letter of the family name left out; the identifiers are right."""
    family, *rest = identity.name.split("^")
    shorter = family[:2] + family[3:] if len(family) > 3 else family
    return replace(identity, name="^".join((shorter, *rest)))


def nobody_at_all(identity: Identity) -> Identity:
    """Nothing but a made-up name, as for an emergency without registration."""
    return Identity(identity.study_uid, name="Emergency^Unknown", patient_id="X1", charset=identity.charset)


MISTAKES: dict[str, Callable[[Identity], Identity]] = {
    "wrong-patient-id": wrong_patient_id,
    "wrong-accession": wrong_accession,
    "no-accession": no_accession,
    "typo": typo_in_name,
    "nobody": nobody_at_all,
}


def typed_by_hand(identity: Identity, mistake: str = "") -> Identity:
    """The identity as somebody typed it in who did not pick the worklist entry.

    With the mistake (none where empty), a study UID of the machine's own, and no word of the requested
    procedure. Raises ValueError for an unknown mistake.
    """
    if mistake and mistake not in MISTAKES:
        raise ValueError(f"{mistake!r} is no mistake known here; known are {', '.join(MISTAKES)}")
    wrong = MISTAKES[mistake](identity) if mistake else identity
    study_uid = uid_from_name(f"typed/{mistake}/{identity.study_uid}")
    return replace(wrong, study_uid=study_uid, procedure_id="", step_id="", step_description="")


def swapped(text: str) -> str:
    """Text with the last pair of different neighbours swapped; an x added where there is none."""
    for i in range(len(text) - 1, 0, -1):
        if text[i] != text[i - 1]:
            return text[: i - 1] + text[i] + text[i - 1] + text[i + 1 :]
    return text + "x"
