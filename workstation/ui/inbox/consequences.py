"""What a link or a merge brings about beyond the study itself, said before it is done."""

from __future__ import annotations

from pacs_core.archive.models import DeliveryView, HeldStudy, PatientView, Suggestion
from workstation.ui import words


def of_link(held: HeldStudy, suggestion: Suggestion) -> tuple[str, ...]:
    """Sentences on results that receivers have already; empty where a link touches none."""
    order, said = suggestion.order, []
    for one in held.delivered:
        if one.accession != order.accession:
            told = words.t(
                "The result of this study is with {destination} under {accession}. It is taken back there."
            )
            said.append(_of(told, one))
    if held.signed:
        told = words.t("Its signed report is sent for {accession}; after that the link cannot be undone.")
        said.append(told.format(accession=order.accession))
    for one in suggestion.delivered:
        told = words.t("{destination} has a result for {accession} already, of another study; it stays.")
        said.append(_of(told, one))
    return tuple(said)


def of_merge(filed: PatientView, known: PatientView) -> str:
    """What a merge does and that it stays done."""
    told = words.t(
        "{filed} becomes the same person as {known} ({id}): studies, orders and reports of both are of "
        "{known} from then on, and the ID finds them. No image is changed. A merge cannot be undone."
    )
    return told.format(filed=filed.display_name, known=known.display_name, id=known.patient_id)


def _of(told: str, delivery: DeliveryView) -> str:
    return told.format(destination=delivery.destination, accession=delivery.accession)
