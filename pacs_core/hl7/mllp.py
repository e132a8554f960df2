"""MLLP framing as a state machine on bytes: ``0x0B <message> 0x1C 0x0D`` (HL7 MLLP release 1 and 2).

Where the bytes are split between reads never matters. What is tolerated is counted, not silent: bytes
between frames, a missing 0x0D after 0x1C, a frame begun anew before its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

START_BLOCK = 0x0B
END_BLOCK = 0x1C
CARRIAGE_RETURN = 0x0D
LINE_FEED = 0x0A
MAX_MESSAGE_BYTES = 10 * 1024 * 1024
HEAD_BYTES = 4096

_STARTS_AGAIN = (b"\x0bMSH", b"\x0bFHS", b"\x0bBHS")


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message; `terminated` is false where the final 0x0D was missing."""

    content: bytes
    terminated: bool = True


@dataclass(frozen=True, slots=True)
class Truncated:
    """A frame that was begun and never ended; `head` is its first bytes, for the refusal.

    `begun_anew` is true where its sender gave it up itself and began another.
    """

    head: bytes
    length: int
    begun_anew: bool = False


@dataclass(frozen=True, slots=True)
class TooLong:
    """A frame over the limit; the decoder takes nothing more after it."""

    head: bytes


@dataclass(frozen=True, slots=True)
class Unframed:
    """Something like a message that came without its start block."""

    head: bytes


Item = Frame | Truncated | TooLong | Unframed


class _State(Enum):
    BETWEEN = auto()
    INSIDE = auto()
    ENDED = auto()
    OVER = auto()


def frame(content: bytes) -> bytes:
    """Wrap a message into its block; the message must not hold block characters (HL7 MLLP R1, note 3)."""
    if START_BLOCK in content or END_BLOCK in content:
        raise ValueError("a message for MLLP must not contain 0x0B or 0x1C")
    return bytes((START_BLOCK,)) + content + bytes((END_BLOCK, CARRIAGE_RETURN))


class FrameDecoder:
    """Turns a byte stream into frames.

    `discarded` counts the bytes outside frames so far. A 0x1C that neither 0x0D, 0x0A nor a new 0x0B follows
    belongs to the message.
    """

    def __init__(self, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._limit = limit
        self._state = _State.BETWEEN
        self._content = bytearray()
        self._stray = bytearray()
        self.discarded = 0

    @property
    def in_frame(self) -> bool:
        """A frame was begun and its end block has not come."""
        return self._state is _State.INSIDE

    @property
    def may_flush(self) -> bool:
        """Silence now would end something: a frame that lacks its 0x0D only, or a message without start."""
        return self._state is _State.ENDED or (self._state is _State.BETWEEN and b"MSH" in self._stray)

    def feed(self, data: bytes) -> list[Item]:
        """Take the bytes of one read and return what they completed."""
        items: list[Item] = []
        position = 0
        while position < len(data) and self._state is not _State.OVER:
            if self._state is _State.BETWEEN:
                position = self._skip_to_start(data, position)
            elif self._state is _State.INSIDE:
                position = self._collect(data, position, items)
            else:
                position = self._after_end(data, position, items)
        return items

    def flush(self) -> list[Item]:
        """End what silence or a closed connection ends, and return it."""
        items: list[Item] = []
        if self._state is _State.ENDED:
            self._complete(False, items)
        elif self._state is _State.INSIDE:
            items.append(Truncated(bytes(self._content[:HEAD_BYTES]), len(self._content)))
        elif b"MSH" in self._stray:
            items.append(Unframed(bytes(self._stray)))
        self._reset()
        return items

    def _reset(self) -> None:
        self._content = bytearray()
        self._stray = bytearray()
        if self._state is not _State.OVER:
            self._state = _State.BETWEEN

    def _skip_to_start(self, data: bytes, position: int) -> int:
        start = data.find(START_BLOCK, position)
        end = len(data) if start < 0 else start
        self.discarded += end - position
        room = HEAD_BYTES - len(self._stray)
        self._stray += data[position : min(end, position + room)]
        if start < 0:
            return end
        self._reset()
        self._state = _State.INSIDE
        return start + 1

    def _collect(self, data: bytes, position: int, items: list[Item]) -> int:
        end = data.find(END_BLOCK, position)
        stop = len(data) if end < 0 else end
        self._content += data[position:stop]
        if len(self._content) > self._limit:
            items.append(TooLong(bytes(self._content[: min(HEAD_BYTES, self._limit)])))
            self._state = _State.OVER
            self._reset()
            return len(data)
        if end < 0:
            return stop
        self._state = _State.ENDED
        return end + 1

    def _after_end(self, data: bytes, position: int, items: list[Item]) -> int:
        following = data[position]
        if following in (CARRIAGE_RETURN, LINE_FEED):
            self._complete(following == CARRIAGE_RETURN, items)
            return position + 1
        if following == START_BLOCK:
            self._complete(False, items)
            return position
        self._content.append(END_BLOCK)
        self._state = _State.INSIDE
        return position

    def _complete(self, terminated: bool, items: list[Item]) -> None:
        content = bytes(self._content)
        again = max(content.rfind(start) for start in _STARTS_AGAIN)
        if again >= 0:
            items.append(Truncated(content[: min(again, HEAD_BYTES)], again, begun_anew=True))
            content = content[again + 1 :]
        items.append(Frame(content, terminated))
        self._reset()
        self._state = _State.BETWEEN
