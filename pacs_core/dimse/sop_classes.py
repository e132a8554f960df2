"""SOP classes this archive serves, and what counts as storage (PS3.4 B.5; PS3.6 annex A)."""

from __future__ import annotations

from pacs_core.dicom.transfer_syntaxes import EXPLICIT, IMPLICIT

VERIFICATION = "1.2.840.10008.1.1"
MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
PERFORMED_PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
PERFORMED_PROCEDURE_STEP_RETRIEVE = "1.2.840.10008.3.1.2.3.4"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET = (f"1.2.840.10008.5.1.4.1.2.1.{n}" for n in (1, 2, 3))
STUDY_ROOT_FIND, STUDY_ROOT_MOVE, STUDY_ROOT_GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))

FIND = frozenset({PATIENT_ROOT_FIND, STUDY_ROOT_FIND})
MOVE = frozenset({PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE})
GET = frozenset({PATIENT_ROOT_GET, STUDY_ROOT_GET})
PATIENT_ROOT = frozenset({PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, PATIENT_ROOT_GET})
QUERY_RETRIEVE = FIND | MOVE | GET
PERFORMED = frozenset({PERFORMED_PROCEDURE_STEP, PERFORMED_PROCEDURE_STEP_RETRIEVE})

NAMES = {
    VERIFICATION: "Verification",
    MODALITY_WORKLIST: "Modality Worklist Information Model - FIND",
    PERFORMED_PROCEDURE_STEP: "Modality Performed Procedure Step",
    PERFORMED_PROCEDURE_STEP_RETRIEVE: "Modality Performed Procedure Step Retrieve",
    STORAGE_COMMITMENT: "Storage Commitment Push Model",
    PATIENT_ROOT_FIND: "Patient Root Query/Retrieve - FIND",
    PATIENT_ROOT_MOVE: "Patient Root Query/Retrieve - MOVE",
    PATIENT_ROOT_GET: "Patient Root Query/Retrieve - GET",
    STUDY_ROOT_FIND: "Study Root Query/Retrieve - FIND",
    STUDY_ROOT_MOVE: "Study Root Query/Retrieve - MOVE",
    STUDY_ROOT_GET: "Study Root Query/Retrieve - GET",
}

DICOM_ROOT = "1.2.840.10008."
STORAGE_ROOTS = ("1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.34.10")
STORAGE_BESIDE = frozenset(
    (*(f"1.2.840.10008.5.1.4.{n}" for n in ("38.1", "39.1", "43.1", "44.1", "45.1")),
     *(f"1.2.840.10008.5.1.1.{n}" for n in ("27", "29", "30")))
)  # fmt: skip
"""Non-patient objects, and the retired stored print and hardcopy classes that some still propose."""

PLAIN_SYNTAXES = (EXPLICIT, IMPLICIT)


def is_storage(uid: str) -> bool:
    """Say whether an abstract syntax is a storage class: of the standard, or private and unknown."""
    if uid in NAMES:
        return False
    return not uid.startswith(DICOM_ROOT) or uid.startswith(STORAGE_ROOTS) or uid in STORAGE_BESIDE


def name_of(uid: str) -> str:
    """The SOP class for people, or its UID."""
    return NAMES.get(uid, uid)
