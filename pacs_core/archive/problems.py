"""Errors of the domain as RFC 9457 problems and back, so that both ends of HTTP say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pacs_core.domain import errors as e

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:reading-room:problem:"

STATUS: dict[type[e.ReadingRoomError], tuple[int, str]] = {
    e.InvalidValue: (400, "Invalid value"),
    e.MissingValue: (400, "Missing value"),
    e.EmptyValue: (400, "Empty value"),
    e.NotSignedIn: (401, "Not signed in"),
    e.Denied: (403, "Not allowed"),
    e.Refused: (403, "Refused"),
    e.NotFound: (404, "Not found"),
    e.Conflict: (409, "Conflict"),
    e.Duplicate: (409, "Already there"),
    e.NeedsPerson: (409, "Needs a person"),
    e.NotDicom: (422, "Not DICOM"),
    e.Damaged: (422, "Damaged DICOM object"),
    e.NotStorable: (422, "DICOM object cannot be stored"),
    e.LockedOut: (429, "Too many wrong passwords"),
    e.StorageFailure: (500, "Storage failure"),
    e.Busy: (503, "Busy"),
    e.OutOfSpace: (507, "Out of space"),
}
"""HTTP status and title of every error of the domain (RFC 9110 15; 507 is RFC 4918)."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem; `where` names the field, tag or path it is about.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "where": {"type": "string"},
        "retry_after": {"type": "number"},
    },
    "required": ["type", "title", "status", "detail"],
}


def slug(cls: type[e.ReadingRoomError]) -> str:
    """The last part of the problem's type: ``NotSignedIn`` is ``not-signed-in``."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("-")


_BY_TYPE = {PREFIX + slug(cls): cls for cls in STATUS}


def document(error: e.ReadingRoomError) -> dict[str, Any]:
    """The problem's members; an error of a class not in the table takes its nearest base's status."""
    cls = next((c for c in type(error).__mro__ if c in STATUS), None)
    status, title = STATUS[cls] if cls else (500, "Failure")
    members: dict[str, Any] = {
        "type": PREFIX + slug(cls or e.ReadingRoomError),
        "title": title,
        "status": status,
        "detail": error.message,
    }
    if error.where:
        members["where"] = error.where
    if isinstance(error, e.LockedOut):
        members["retry_after"] = error.retry_after
    return members


def error_from(status: int, members: Mapping[str, Any]) -> e.ReadingRoomError:
    """The error a problem stands for; one of an unknown type becomes the nearest by its status."""
    detail = str(members.get("detail") or members.get("title") or f"HTTP status {status}")
    where = str(members.get("where") or "")
    cls = _BY_TYPE.get(str(members.get("type"))) or _BY_STATUS.get(status) or _by_hundred(status)
    if issubclass(cls, e.LockedOut):
        error: e.ReadingRoomError = cls(detail, _seconds(members.get("retry_after")))
        error.where = where
        return error
    return cls(detail, where)


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _by_hundred(status: int) -> type[e.ReadingRoomError]:
    return e.Refused if 400 <= status < 500 else e.StorageFailure


_BY_STATUS: dict[int, type[e.ReadingRoomError]] = {
    400: e.InvalidValue,
    401: e.NotSignedIn,
    403: e.Denied,
    404: e.NotFound,
    409: e.Conflict,
    429: e.Busy,
    502: e.Busy,
    503: e.Busy,
    504: e.Busy,
    507: e.OutOfSpace,
}
