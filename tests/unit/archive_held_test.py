"""A held study says which of its results, and of its orders' other studies, receivers have already."""

from __future__ import annotations

from pacs_core.archive.local import LocalArchive
from pacs_core.archive.models import HeldStudy
from pacs_core.domain.access import Actor, Role
from tests.support.spine import Spine
from tests.unit.services_delivering_test import attempt_due, house, sign

__all__ = ["house"]
TECH = Actor("tech", Role.TECHNOLOGIST, "Tech")


def held(house: Spine, uid: str) -> HeldStudy:
    archive = LocalArchive(house.services, TECH, None)  # type: ignore[arg-type]  # nothing here asks the node
    return next(one for one in archive.inbox.held() if one.study_uid == uid)


def test_a_delivered_result_of_the_study_and_of_its_orders_other_study_is_named(house: Spine) -> None:
    sign(house)
    house.image(content=b"other bytes")
    assert (held(house, "1.2.3").signed, held(house, "1.2.3").delivered) == (True, ())
    attempt_due(house)
    (told,) = held(house, "1.2.3").delivered
    assert (told.accession, told.study_uid) == ("A1", "1.2.3")

    house.image("1.2.4", patient_id="P9", patient_name="ROE^RICHARD")
    other = held(house, "1.2.4")
    assert (other.signed, other.delivered) == (False, ())
    (suggested,) = (one for one in other.suggestions if one.order.accession == "A1")
    assert [one.study_uid for one in suggested.delivered] == ["1.2.3"]
