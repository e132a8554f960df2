"""The real prior pairs, sent as a scanner sends them: each study finds the one before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacs_core.dicom.intake import intake_file
from pacs_core.domain.records import StudyKeys
from tests.support.dimse_node import listening

PAIRS = ("A027284", "A046441", "A067967")


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_prior_is_found_without_order_issuer_or_accession_number(
    tmp_path: Path, shared_data: Path, pair: str, newest_first: bool
) -> None:
    folder = shared_data / f"studies/prior-pair-chest-ct-{pair}"
    dates = sorted(p.name for p in folder.iterdir())
    uids = [_study_uid(folder / date) for date in dates]
    with listening(tmp_path / "node") as node:
        for date in reversed(dates) if newest_first else dates:
            sent = node.store(*sorted(p for p in (folder / date).rglob("*.dcm")))
            assert {one.kind for one in sent} == {"success"}
        reading = node.spine.services.reading_worklist
        found = [exam.study.study_uid for exam in reading.priors(uids[1]) if exam.study]
        assert found == [uids[0]]
        (person,) = {patient.id for patient, _ in node.spine.services.querying.patients(StudyKeys())}
        assert person == node.spine.study(uids[0]).patient_id


def _study_uid(folder: Path) -> str:
    return intake_file(next(folder.rglob("*.dcm"))).header.study_instance_uid
