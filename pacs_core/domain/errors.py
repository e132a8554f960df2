"""What can go wrong, said once: doors translate these into their own protocol's answers."""

from __future__ import annotations


class ReadingRoomError(Exception):
    """Any failure that has an answer; `where` names the field, tag or path it is about."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where


class InvalidValue(ReadingRoomError):
    """A value that its field cannot hold."""


class MissingValue(ReadingRoomError):
    """A value that had to be there is not."""


class EmptyValue(MissingValue):
    """A value that had to be there is there and empty."""


class NotFound(ReadingRoomError):
    """No such thing under that identifier."""


class Conflict(ReadingRoomError):
    """The change contradicts the present state (already signed, already merged, locked by another)."""


class Duplicate(Conflict):
    """There is one already under that identifier."""


class Denied(ReadingRoomError):
    """This actor may not do this."""


class NotSignedIn(ReadingRoomError):
    """No valid credential was given, or it was wrong."""


class LockedOut(NotSignedIn):
    """Too many wrong passwords; `retry_after` seconds remain."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutOfSpace(ReadingRoomError):
    """The store cannot take more; the sender keeps its object."""


class StorageFailure(ReadingRoomError):
    """The store or the index failed; nothing was accepted."""


class Busy(ReadingRoomError):
    """Try again later."""


class NotDicom(ReadingRoomError):
    """The bytes are no DICOM object."""


class Damaged(ReadingRoomError):
    """The object starts as DICOM but ends before it should, or contradicts itself."""


class NotStorable(ReadingRoomError):
    """A DICOM object that cannot be kept (a UID missing or unusable)."""


class NeedsPerson(ReadingRoomError):
    """What was sent can be kept but not carried out: a person decides (acknowledged and parked)."""


class Refused(ReadingRoomError):
    """Well formed, but not accepted here (unknown peer, not configured, over a limit)."""
