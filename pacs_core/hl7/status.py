"""What went wrong, in HL7's words: acknowledgement code, condition (table 0357) and place (ERR-2).

Domain errors are translated here and nowhere else in this room.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pacs_core.domain.errors import (
    Busy,
    Conflict,
    Denied,
    InvalidValue,
    MissingValue,
    NotFound,
    OutOfSpace,
    ReadingRoomError,
    Refused,
    StorageFailure,
)


class AckCode(StrEnum):
    """MSA-1 (table 0008) in original mode; the first letter is C for an accept acknowledgement."""

    AA = "AA"
    AE = "AE"
    AR = "AR"

    @property
    def accept(self) -> str:
        """The same verdict as an accept acknowledgement of enhanced mode."""
        return "C" + self.value[1]


class Condition(IntEnum):
    """Message error conditions (table 0357)."""

    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE = 102
    TABLE_VALUE = 103
    UNSUPPORTED_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    LOCKED = 206
    INTERNAL = 207


CONDITION_TEXT: dict[Condition, str] = {
    Condition.SEGMENT_SEQUENCE: "Segment sequence error",
    Condition.REQUIRED_FIELD_MISSING: "Required field missing",
    Condition.DATA_TYPE: "Data type error",
    Condition.TABLE_VALUE: "Table value not found",
    Condition.UNSUPPORTED_TYPE: "Unsupported message type",
    Condition.UNSUPPORTED_EVENT: "Unsupported event code",
    Condition.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    Condition.UNSUPPORTED_VERSION: "Unsupported version id",
    Condition.UNKNOWN_KEY: "Unknown key identifier",
    Condition.DUPLICATE_KEY: "Duplicate key identifier",
    Condition.LOCKED: "Application record locked",
    Condition.INTERNAL: "Application internal error",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message was not taken; `location` is written as ERR-2 wants it (``PID^1^3``)."""

    code: AckCode
    condition: Condition
    text: str
    location: str = ""


class MessageRefused(ReadingRoomError):
    """A message this door answers with AE or AR; `where` is an ERR-2 location."""

    def __init__(self, code: AckCode, condition: Condition, message: str, where: str = "") -> None:
        super().__init__(message, where)
        self.code = code
        self.condition = condition


_TABLE: tuple[tuple[type[ReadingRoomError], AckCode, Condition], ...] = (
    (MissingValue, AckCode.AE, Condition.REQUIRED_FIELD_MISSING),
    (InvalidValue, AckCode.AE, Condition.DATA_TYPE),
    (NotFound, AckCode.AE, Condition.UNKNOWN_KEY),
    (Conflict, AckCode.AE, Condition.DUPLICATE_KEY),
    (Denied, AckCode.AR, Condition.INTERNAL),
    (Refused, AckCode.AR, Condition.INTERNAL),
    (Busy, AckCode.AR, Condition.LOCKED),
    (OutOfSpace, AckCode.AR, Condition.INTERNAL),
    (StorageFailure, AckCode.AR, Condition.INTERNAL),
    (ReadingRoomError, AckCode.AE, Condition.INTERNAL),
)
"""AE: the content is at fault. AR: it is not, the sender may send the same again (HL7 v2.5.1 §2.9.2)."""

_LOCATION = re.compile(r"^[A-Z][A-Z0-9]{2}(\^\d+){0,5}$")
_PLACE = re.compile(r"^([A-Z][A-Z0-9]{2})-(\d+)$")


def problem_of(error: ReadingRoomError) -> Problem:
    """Translate a domain error; a `where` that is no ERR-2 location goes into the text."""
    location = _PLACE.sub(r"\1^1^\2", error.where)
    location = location if _LOCATION.match(location) else ""
    text = error.message if location or not error.where else f"{error.message} ({error.where})"
    if isinstance(error, MessageRefused):
        return Problem(error.code, error.condition, text, location)
    code, condition = next((c, k) for kind, c, k in _TABLE if isinstance(error, kind))
    return Problem(code, condition, text, location)
