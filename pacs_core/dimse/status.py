"""Failures to DIMSE statuses (PS3.4 B.2.3, C.4, F.7, J.3, K.4; PS3.7 annex C): one table for every SCP of
this room."""

from __future__ import annotations

from dataclasses import dataclass

from pacs_core.dimse.commands import ATTRIBUTES, ERROR_ID, OFFENDING, Command
from pacs_core.domain import errors as e

SUCCESS = 0x0000
PENDING = 0xFF00
PENDING_WITHOUT_OPTIONAL_KEYS = 0xFF01
CANCELLED = 0xFE00
SUB_OPERATIONS_FAILED = 0xB000
OUT_OF_RESOURCES = 0xA700
CANNOT_COUNT = 0xA701
CANNOT_PERFORM = 0xA702
DESTINATION_UNKNOWN = 0xA801
MISMATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
NOT_AUTHORISED = 0x0124
UNRECOGNISED_OPERATION = 0x0211
CLASS_NOT_SUPPORTED = 0x0122
INVALID_VALUE = 0x0106
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_EVENT = 0x0113
NO_SUCH_ARGUMENT = 0x0114
INVALID_ARGUMENT = 0x0115
INVALID_INSTANCE = 0x0117
NO_SUCH_CLASS = 0x0118
CLASS_INSTANCE_CONFLICT = 0x0119
MISSING_ATTRIBUTE = 0x0120
MISSING_VALUE = 0x0121
NO_SUCH_ACTION = 0x0123
DUPLICATE_TRANSACTION = 0x0131
RESOURCE_LIMITATION = 0x0213

MAY_NO_LONGER_BE_UPDATED = 0xA710
"""Error ID (0000,0903) beside 0110H: the performed procedure step has ended (PS3.4 table F.7.2-2)."""

STORE: tuple[tuple[type[e.ReadingRoomError], int], ...] = (
    (e.OutOfSpace, OUT_OF_RESOURCES),
    (e.StorageFailure, OUT_OF_RESOURCES),
    (e.Busy, OUT_OF_RESOURCES),
    (e.NotDicom, CANNOT_UNDERSTAND),
    (e.NotStorable, MISMATCH),
    (e.Damaged, CANNOT_UNDERSTAND),
    (e.Denied, NOT_AUTHORISED),
    (e.Refused, NOT_AUTHORISED),
    (e.ReadingRoomError, CANNOT_UNDERSTAND),
)
"""C-STORE (PS3.4 B.2.3); the first class that fits counts."""

QUERY: tuple[tuple[type[e.ReadingRoomError], int], ...] = (
    (e.InvalidValue, MISMATCH),
    (e.MissingValue, MISMATCH),
    (e.Damaged, MISMATCH),
    (e.Denied, NOT_AUTHORISED),
    (e.Refused, NOT_AUTHORISED),
    (e.StorageFailure, OUT_OF_RESOURCES),
    (e.ReadingRoomError, CANNOT_UNDERSTAND),
)
"""C-FIND (PS3.4 C.4.1.1.4, K.4.1.1.4)."""

RETRIEVE: tuple[tuple[type[e.ReadingRoomError], int], ...] = (
    (e.NotFound, DESTINATION_UNKNOWN),
    (e.InvalidValue, MISMATCH),
    (e.MissingValue, MISMATCH),
    (e.Damaged, MISMATCH),
    (e.Denied, NOT_AUTHORISED),
    (e.Refused, NOT_AUTHORISED),
    (e.StorageFailure, CANNOT_COUNT),
    (e.ReadingRoomError, CANNOT_UNDERSTAND),
)
"""C-MOVE and C-GET (PS3.4 C.4.2.1.5, C.4.3.1.4)."""

NORMALIZED: tuple[tuple[type[e.ReadingRoomError], int], ...] = (
    (e.EmptyValue, MISSING_VALUE),
    (e.MissingValue, MISSING_ATTRIBUTE),
    (e.InvalidValue, INVALID_VALUE),
    (e.Duplicate, DUPLICATE_INSTANCE),
    (e.NotFound, NO_SUCH_INSTANCE),
    (e.Conflict, PROCESSING_FAILURE),
    (e.Denied, NOT_AUTHORISED),
    (e.Refused, NOT_AUTHORISED),
    (e.OutOfSpace, RESOURCE_LIMITATION),
    (e.ReadingRoomError, PROCESSING_FAILURE),
)
"""N-CREATE, N-SET, N-GET, N-ACTION and N-EVENT-REPORT (PS3.7 10.1; PS3.4 F.7.2, J.3)."""

Table = tuple[tuple[type[e.ReadingRoomError], int], ...]


def status_of(error: e.ReadingRoomError, table: Table) -> int:
    """The status that answers an error."""
    return next(status for kind, status in table if isinstance(error, kind))


def failure(request: Command, error: e.ReadingRoomError, table: Table) -> Command:
    """The response to a request that failed: status, a comment in words, the element it is about (PS3.7
    C.4)."""
    response = request.response(status_of(error, table), comment=comment(error.message))
    tag = offending_tag(error.where)
    if tag is not None:
        response.values[OFFENDING] = (tag,)
    return response


def normalized_failure(request: Command, error: e.ReadingRoomError) -> Command:
    """The response to an N- request that failed, with the attributes it is about (PS3.7 C.4, C.5)."""
    response = request.response(status_of(error, NORMALIZED), comment=comment(error.message))
    tag = offending_tag(error.where)
    if tag is not None:
        response.values[ATTRIBUTES] = (tag,)
    if isinstance(error, e.Conflict) and response.status == PROCESSING_FAILURE:
        response.values[ERROR_ID] = MAY_NO_LONGER_BE_UPDATED
    return response


def comment(words: str) -> str:
    """An Error Comment (0000,0902): printable ASCII, at most 64 characters (VR LO)."""
    plain = "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in words)
    return plain if len(plain) <= 64 else plain[:61] + "..."


def offending_tag(where: str) -> int | None:
    """The tag in a sentence like ``PatientID (0010,0020)``; None where it names none."""
    at = where.find("(")
    if at < 0 or where[at + 5 : at + 6] != "," or where[at + 10 : at + 11] != ")":
        return None
    try:
        return int(where[at + 1 : at + 5] + where[at + 6 : at + 10], 16)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a peer's status means for us: its kind (success, pending, cancel, warning, failure) and words."""

    kind: str
    words: str


WORDS = {
    SUCCESS: "success", CANCELLED: "cancelled", OUT_OF_RESOURCES: "out of resources",
    CANNOT_COUNT: "cannot count the matches", CANNOT_PERFORM: "cannot perform the sub-operations",
    DESTINATION_UNKNOWN: "the move destination is not known there",
    CLASS_NOT_SUPPORTED: "the SOP class is not supported",
    NOT_AUTHORISED: "not authorised", UNRECOGNISED_OPERATION: "the operation is not known there",
}  # fmt: skip

RANGES = {
    0xA9: "the data set does not match",
    0xA7: "out of resources",
    0xC: "cannot understand the data set",
}


def meaning(status: int) -> Meaning:
    """Sort a status by the ranges of PS3.7 annex C."""
    if status == SUCCESS:
        kind = "success"
    elif status in (PENDING, PENDING_WITHOUT_OPTIONAL_KEYS):
        kind = "pending"
    elif status == CANCELLED:
        kind = "cancel"
    elif status >> 12 == 0xB or status in (0x0001, 0x0107, 0x0111, 0x0116):
        kind = "warning"
    else:
        kind = "failure"
    if status in WORDS:
        return Meaning(kind, WORDS[status])
    words = RANGES.get(status >> 8) or RANGES.get(status >> 12) or kind
    return Meaning(kind, f"{words} (status {status:04X}H)")
