"""What became of stored objects: the Store Instances Response Module (PS3.18 annex I.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacs_core.domain import errors as e
from pacs_core.domain.study import InstanceHeader
from pacs_core.web.attributes import JsonAttributes, put

REASONS: dict[type[e.ReadingRoomError], int] = {
    e.OutOfSpace: 0xA700,
    e.StorageFailure: 0x0110,
    e.Busy: 0xA700,
    e.Denied: 0x0124,
    e.Refused: 0xA700,
    e.Conflict: 0xA901,
    e.NotDicom: 0xC000,
    e.Damaged: 0xC000,
    e.NotStorable: 0xC000,
    e.InvalidValue: 0xC000,
}
"""Failure Reason (0008,1197) by error (PS3.18 table I.2-2; PS3.4 table B.2-1); anything else is 0110."""

COMMENT_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that was stored, or was there already."""

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that was not stored, why, and its header where that could be read."""

    number: int
    error: e.ReadingRoomError
    header: InstanceHeader | None = None

    @property
    def reason(self) -> int:
        """The Failure Reason of the error."""
        return next((REASONS[c] for c in type(self.error).__mro__ if c in REASONS), 0x0110)

    @property
    def comment(self) -> str:
        """Why in words, as much as an Error Comment (LO) holds."""
        return f"part {self.number}: {self.error.message}".replace("\\", "/")[:COMMENT_LIMIT]


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer; `study` is the one the path named, if it did."""

    base: str
    study: str
    stored: Sequence[Stored]
    failed: Sequence[Failure]

    @property
    def status(self) -> int:
        """200 all stored, 202 some, 409 none (PS3.18 table 10.5.3-1)."""
        if not self.failed:
            return 200
        return 202 if self.stored else 409

    def attributes(self) -> JsonAttributes:
        """The response module in DICOM JSON."""
        out: JsonAttributes = {}
        studies = {one.study_uid for one in self.stored}
        if len(studies) == 1:
            put(out, "RetrieveURL", f"{self.base}/studies/{next(iter(studies))}")
        named = [f for f in self.failed if f.header is not None]
        others = [f for f in self.failed if f.header is None]
        if self.stored:
            put(out, "ReferencedSOPSequence", [self._referenced(one) for one in self.stored])
        if named:
            put(out, "FailedSOPSequence", [_failed(one) for one in named])
        if others:
            put(out, "OtherFailuresSequence", [_other(one) for one in others])
        return out

    def _referenced(self, one: Stored) -> JsonAttributes:
        out: JsonAttributes = {}
        put(out, "ReferencedSOPClassUID", one.sop_class_uid)
        put(out, "ReferencedSOPInstanceUID", one.sop_instance_uid)
        url = f"{self.base}/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_instance_uid}"
        put(out, "RetrieveURL", url)
        return out


def _failed(one: Failure) -> JsonAttributes:
    out = _other(one)
    if one.header is not None:
        put(out, "ReferencedSOPClassUID", one.header.sop_class_uid)
        put(out, "ReferencedSOPInstanceUID", one.header.sop_instance_uid)
    return out


def _other(one: Failure) -> JsonAttributes:
    out: JsonAttributes = {}
    put(out, "FailureReason", one.reason)
    put(out, "ErrorComment", one.comment)
    return out
