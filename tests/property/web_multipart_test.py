"""Multipart: whatever the bytes and however the stream is cut, what was framed is what is read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.domain.errors import InvalidValue
from pacs_core.web.multipart import Event, MultipartReader, MultipartWriter, PartBegins, PartData, PartEnds

BOUNDARY = "x=y"
NASTY = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"--", b"-", b"x=y", b"--x=y", b"\r\n--x=", b"\n--x=y!", b" ", b"a", b"\x00"]
    )
).map(b"".join)


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(body), *(c % (len(body) + 1) for c in cuts)})
    return [body[a:b] for a, b in pairwise(at)]


def read(boundary: str, chunks: list[bytes]) -> list[tuple[dict[str, str], bytes]]:
    reader = MultipartReader(boundary)
    events: list[Event] = [event for chunk in chunks for event in reader.feed(chunk)]
    reader.close()
    parts: list[tuple[dict[str, str], bytes]] = []
    is_open = False
    for event in events:
        if isinstance(event, PartBegins):
            assert not is_open
            assert event.number == len(parts) + 1
            parts.append((event.headers, b""))
            is_open = True
        elif isinstance(event, PartData):
            assert is_open
            parts[-1] = (parts[-1][0], parts[-1][1] + event.data)
        else:
            assert isinstance(event, PartEnds)
            is_open = False
    assert not is_open
    return parts


def holds_a_delimiter(body: bytes) -> bool:
    """Say by plain means whether a part's bytes would end it early."""
    text = b"\n" + body
    at = text.find(b"\n--" + BOUNDARY.encode())
    while at >= 0:
        rest = text[at + 3 + len(BOUNDARY) :]
        line = rest.split(b"\n")[0]
        if rest.startswith(b"--") or (b"\n" in rest and not line.removesuffix(b"\r").strip(b" \t")):
            return True
        at = text.find(b"\n--" + BOUNDARY.encode(), at + 1)
    return False


@given(
    st.lists(NASTY | st.binary(max_size=300), max_size=5),
    st.lists(st.integers(0, 10_000), max_size=40),
    st.booleans(),
)
def test_any_parts_cut_anywhere_come_back(bodies: list[bytes], cuts: list[int], lf: bool) -> None:
    bodies = [b for b in bodies if not holds_a_delimiter(b + b"\r")]
    end = b"\n" if lf else b"\r\n"
    if lf:  # a bare LF delimiter cannot be told from CRLF after a CR
        bodies = [b for b in bodies if not b.endswith(b"\r")]
    whole = b"preamble" + end
    for body in bodies:
        whole += b"--x=y" + end + b"Content-Type: a/b" + end + end + body + end
    whole += b"--x=y--" + end + b"epilogue"
    assert read(BOUNDARY, cut(whole, cuts)) == [({"content-type": "a/b"}, b) for b in bodies]


@given(st.lists(st.binary(max_size=200), max_size=4), st.lists(st.integers(0, 10_000), max_size=20))
def test_what_the_writer_frames_the_reader_reads(bodies: list[bytes], cuts: list[int]) -> None:
    writer = MultipartWriter("application/dicom")
    whole = b"".join(writer.begin("application/dicom", "/x") + b for b in bodies) + writer.end()
    headers = {"content-type": "application/dicom", "content-location": "/x"}
    assert read(writer.boundary, cut(whole, cuts)) == [(headers, b) for b in bodies]


@given(st.binary(max_size=400), st.lists(st.integers(0, 1000), max_size=10))
def test_rubbish_is_refused_or_read_but_never_crashes(body: bytes, cuts: list[int]) -> None:
    with pytest.raises(InvalidValue):
        read("never-there", cut(body, cuts))


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"--b\r\n\r\nx\r\n--b--", [({}, b"x")]),
        (b"--b\r\n\r\n\r\n--b--", [({}, b"")]),
        (b"--b\r\n\r\n--b--\r\n", [({}, b"")]),
        (b"--b\r\nA: 1\r\n--b--\r\n", [({"a": "1"}, b"")]),
        (b"--b   \r\nA: 1\r\n b=2\r\n\r\nx\r\n--b\t\r\n\r\ny\r\n--b--", [({"a": "1 b=2"}, b"x"), ({}, b"y")]),
        (b"--b--", []),
        (b"\r\n--b--\r\njunk --b\r\n", []),
    ],
)
def test_forms_seen_in_the_field(body: bytes, parts: list[tuple[dict[str, str], bytes]]) -> None:
    assert read("b", [body]) == parts
    assert read("b", [body[i : i + 1] for i in range(len(body))]) == parts


@pytest.mark.parametrize(
    ("body", "where", "words"),
    [
        (b"", "boundary", "never came"),
        (b"--c\r\n\r\nx\r\n--c--", "boundary", "never came"),
        (b"--b\r\n\r\nx\r\n", "part 1", "no closing boundary"),
        (b"--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b", "part 2", "no closing boundary"),
        (b"--b\r\nno colon\r\n\r\nx\r\n--b--", "part 1", "no name"),
        (b"--b\r\n: x\r\n\r\nx\r\n--b--", "part 1", "no name"),
        (b"--b\r\n" + b"a" * 20_000, "part 1", "headers do not end"),
        (b"--b\r\n" + b"a: b\r\n" * 5_000, "part 1", "headers do not end"),
    ],
)
def test_what_breaks_the_form_is_named(body: bytes, where: str, words: str) -> None:
    for chunks in ([body], [body[i : i + 7] for i in range(0, len(body), 7)]):
        with pytest.raises(InvalidValue, match=words) as caught:
            read("b", chunks)
        assert caught.value.where == where


@pytest.mark.parametrize("boundary", ["", "a ", "a\nb", "é", "x" * 300])
def test_a_boundary_that_is_none(boundary: str) -> None:
    with pytest.raises(InvalidValue, match="boundary"):
        MultipartReader(boundary)
