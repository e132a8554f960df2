"""What the simulated scanner says it did: one MPPS for each acquisition, where the peer takes it (IHE RAD-6,
RAD-7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import Association
from pacs_core.dimse.client import connect
from pacs_core.dimse.requesting import Client
from pacs_core.domain.errors import Refused
from pacs_core.domain.identifiers import new_uid
from pacs_core.rehearsal.identity import Identity
from pacs_core.rehearsal.recipe import Station

Made = tuple[str, str, str]
"""Series Instance UID, SOP class and SOP Instance UID of an image that was sent."""


class PerformedStep:
    """One performed procedure step, from its begin to its end."""

    def __init__(
        self, node: tuple[str, int, str], station: Station, identity: Identity, when: datetime, modality: str
    ) -> None:
        self._node = node
        self._station = station
        self._identity = identity
        self._when = when
        self._modality = modality
        self._uid = new_uid()
        self._taken = False

    def begin(self) -> None:
        """N-CREATE, IN PROGRESS; a peer that offers no MPPS is left alone. Raises Busy, or Refused with its
        words where it refuses the step.
        """
        try:
            client = Client(self._associate())
        except Refused:
            return  # no MPPS there
        with client:
            client.create(sop.PERFORMED_PROCEDURE_STEP, self._uid, self._begun())
        self._taken = True

    def complete(self, made: Sequence[Made]) -> None:
        """N-SET, COMPLETED, with the images made; raises as `begin`."""
        self._end("COMPLETED", made, [])

    def discontinue(self, made: Sequence[Made], reason: tuple[str, str]) -> None:
        """N-SET, DISCONTINUED, for a reason of CID 9300 (code and meaning); raises as `begin`."""
        code, meaning = reason
        item = {"CodeValue": code, "CodingSchemeDesignator": "DCM", "CodeMeaning": meaning}
        self._end("DISCONTINUED", made, [item])

    def _end(self, state: str, made: Sequence[Made], reason: list[dict[str, str]]) -> None:
        if not self._taken:
            return
        ended = {
            "PerformedProcedureStepStatus": state,
            "PerformedProcedureStepEndDate": self._when.strftime("%Y%m%d"),
            "PerformedProcedureStepEndTime": self._when.strftime("%H%M%S"),
            "PerformedProcedureStepDiscontinuationReasonCodeSequence": reason,
            "PerformedSeriesSequence": self._series(made),
        }
        with Client(self._associate()) as client:
            client.set(sop.PERFORMED_PROCEDURE_STEP, self._uid, ended)

    def _associate(self) -> Association:
        proposal = (sop.PERFORMED_PROCEDURE_STEP, sop.PLAIN_SYNTAXES)
        return connect(*self._node, self._station.aet, [proposal])

    def _begun(self) -> dict[str, object]:
        who, station = self._identity, self._station
        scheduled = {
            "StudyInstanceUID": who.study_uid,
            "ReferencedStudySequence": "",
            "AccessionNumber": who.accession,
            "RequestedProcedureID": who.procedure_id,
            "RequestedProcedureDescription": who.procedure_description[:64],
            "ScheduledProcedureStepID": who.step_id,
            "ScheduledProcedureStepDescription": who.step_description[:64],
            "ScheduledProtocolCodeSequence": "",
        }
        return {
            "ScheduledStepAttributesSequence": [scheduled],
            "PatientName": who.name,
            "PatientID": who.patient_id,
            "IssuerOfPatientID": who.issuer,
            "PatientBirthDate": who.birth_date,
            "PatientSex": who.sex,
            "ReferencedPatientSequence": "",
            "PerformedProcedureStepID": f"PPS{self._when:%y%m%d%H%M%S}",
            "PerformedStationAETitle": station.aet,
            "PerformedStationName": station.name[:16],
            "PerformedLocation": "",
            "PerformedProcedureStepStartDate": self._when.strftime("%Y%m%d"),
            "PerformedProcedureStepStartTime": self._when.strftime("%H%M%S"),
            "PerformedProcedureStepEndDate": "",
            "PerformedProcedureStepEndTime": "",
            "PerformedProcedureStepStatus": "IN PROGRESS",
            "PerformedProcedureStepDescription": who.step_description[:64],
            "PerformedProcedureTypeDescription": "",
            "ProcedureCodeSequence": "",
            "PerformedProcedureStepDiscontinuationReasonCodeSequence": "",
            "Modality": self._modality,
            "StudyID": who.study_id[:16],
            "PerformedProtocolCodeSequence": "",
            "PerformedSeriesSequence": "",
        }

    def _series(self, made: Sequence[Made]) -> list[dict[str, object]]:
        return [
            {
                "PerformingPhysicianName": "",
                "ProtocolName": self._identity.step_description[:64] or "Routine",
                "OperatorsName": "",
                "SeriesInstanceUID": series_uid,
                "SeriesDescription": "",
                "RetrieveAETitle": "",
                "ReferencedImageSequence": [
                    {"ReferencedSOPClassUID": sop_class, "ReferencedSOPInstanceUID": uid}
                    for series, sop_class, uid in made
                    if series == series_uid
                ],
                "ReferencedNonImageCompositeSOPInstanceSequence": "",
            }
            for series_uid in dict.fromkeys(series for series, _, _ in made)
        ]


INTERRUPTED = ("110513", "Discontinued for unspecified reason")
"""A reason of CID 9300."""
