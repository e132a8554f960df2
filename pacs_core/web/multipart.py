"""multipart/related as a stream, both ways: nothing but one chunk is ever held (RFC 2046 5.1; RFC 2387).

Reading takes what clients send: a preamble, an epilogue, blanks after a boundary, bare LF line ends, parts
without headers. What breaks the form raises InvalidValue naming the part and what is wrong with it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from pacs_core.domain.errors import InvalidValue

MAX_HEADERS = 16 * 1024
MAX_PARTS = 100_000
MAX_PADDING = 80
# RFC 2046 allows 70; clients were seen to send more
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]")
_TAIL = re.compile(rb"(--)|[ \t]{0,%d}\r?\n" % MAX_PADDING)


@dataclass(frozen=True, slots=True)
class PartBegins:
    """A new part, counted from 1, with its headers (names in lower case)."""

    number: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """Some more bytes of the part."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnds:
    """The part is whole."""


Event = PartBegins | PartData | PartEnds


class _State(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    BODY = auto()
    EPILOGUE = auto()


class MultipartReader:
    """Turns chunks into events: ``feed`` each chunk, then ``close``; both raise InvalidValue."""

    def __init__(self, boundary: str) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise InvalidValue(
                "the multipart body has no boundary, or one of letters no boundary has", "boundary"
            )
        self.boundary = boundary
        self.parts = 0
        self._mark = b"\n--" + boundary.encode("ascii")
        self._keep = len(self._mark) + MAX_PADDING + 3
        self._state = _State.PREAMBLE
        self._headers: dict[str, str] = {}
        self._headers_size = 0
        # a delimiter counts after a line end only: one of ours stands before the body and before each part's
        self._buffer = bytearray(b"\n")
        self._ours = 1

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take a chunk and give the events it completes."""
        self._buffer += chunk
        going = True
        while going:
            if self._state is _State.HEADERS:
                event = self._header_line()
                going = self._state is not _State.HEADERS or event is not None
                if isinstance(event, PartBegins):
                    yield event
            elif self._state is _State.EPILOGUE:
                self._buffer.clear()
                going = False
            else:
                in_body = self._state is _State.BODY
                data, going = self._until_delimiter()
                if in_body and data:
                    yield PartData(data)
                if in_body and going:
                    yield PartEnds()

    def close(self) -> None:
        """The body is over: raises InvalidValue where the closing boundary never came."""
        if self._state is _State.PREAMBLE:
            raise InvalidValue(f"the boundary {self.boundary!r} never came in the body", "boundary")
        if self._state is not _State.EPILOGUE:
            raise self._wrong("the body ended inside it, no closing boundary came")

    def _wrong(self, words: str) -> InvalidValue:
        where = f"part {self.parts}"
        return InvalidValue(f"{where}: {words}", where)

    def _until_delimiter(self) -> tuple[bytes, bool]:
        """What lies before the next delimiter, or as much as surely does; and whether the delimiter came."""
        found = self._delimiter()
        if found is None:
            return self._take(max(0, len(self._buffer) - self._keep)), False
        start, end, last = found
        data = self._take(start)
        del self._buffer[: end - start]
        self._state = _State.EPILOGUE if last else _State.HEADERS
        if not last:
            self._new_part()
        return data, True

    def _delimiter(self) -> tuple[int, int, bool] | None:
        at = self._buffer.find(self._mark)
        while at >= 0:
            tail = _TAIL.match(self._buffer, at + len(self._mark))
            if tail:
                last, end = bool(tail.group(1)), tail.end()
                start = at - 1 if at > self._ours and self._buffer[at - 1] == 13 else at
                return start, end, last
            at = self._buffer.find(self._mark, at + 1)
        return None

    def _take(self, count: int) -> bytes:
        """Cut bytes off the front, our own line end not among what is given."""
        ours = min(self._ours, count)
        with memoryview(self._buffer) as view:
            data = bytes(view[ours:count])
        del self._buffer[:count]
        self._ours -= ours
        return data

    def _new_part(self) -> None:
        self.parts += 1
        self._headers, self._headers_size, self._ours = {}, 0, 0
        if self.parts > MAX_PARTS:
            raise self._wrong(f"a body has at most {MAX_PARTS} parts")

    def _header_line(self) -> PartBegins | bool | None:
        """Read one line of the part's headers: True for one read, the part's beginning after the last."""
        end = self._buffer.find(b"\n")
        self._headers_size += end + 1
        if max(self._headers_size, len(self._buffer) if end < 0 else 0) > MAX_HEADERS:
            raise self._wrong("its headers do not end")
        if end < 0:
            return None
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        if line.startswith(self._mark[1:]):  # no blank line, no body: the line is the next delimiter
            return self._body_begins()
        del self._buffer[: end + 1]
        if not line.strip():
            return self._body_begins()
        self._keep_header(line.decode("latin-1"))
        return True

    def _body_begins(self) -> PartBegins:
        self._state = _State.BODY
        self._buffer[:0] = b"\n"
        self._ours = 1
        return PartBegins(self.parts, self._headers)

    def _keep_header(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if line[0] in " \t" and self._headers:
            last = next(reversed(self._headers))
            self._headers[last] += " " + line.strip()
        elif not colon or not name.strip():
            raise self._wrong(f"a header line has no name: {line[:40]!r}")
        else:
            self._headers[name.strip().lower()] = value.strip()


class MultipartWriter:
    """Frames parts for sending: ``begin`` before each part's bytes, ``end`` after the last."""

    def __init__(self, part_type: str) -> None:
        self.boundary = f"reading-room-{secrets.token_hex(16)}"
        self.media_type = f'multipart/related; type="{part_type}"; boundary={self.boundary}'
        self._any = False

    def begin(self, content_type: str, location: str = "") -> bytes:
        """The delimiter and headers of the next part; parts carry no length (PS3.18 8.6.1.2.2)."""
        lines = [f"--{self.boundary}", f"Content-Type: {content_type}"]
        if location:
            lines.append(f"Content-Location: {location}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        lead = "\r\n" if self._any else ""
        self._any = True
        return (lead + head).encode("latin-1")

    def end(self) -> bytes:
        """The closing delimiter."""
        lead = "\r\n" if self._any else ""
        return f"{lead}--{self.boundary}--\r\n".encode("ascii")
