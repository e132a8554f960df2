"""However the stream is cut into reads, the frames are the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pacs_core.hl7.mllp import Frame, FrameDecoder, Item, frame

CONTENT = st.binary(max_size=40).filter(lambda b: b"\x0b" not in b and b"\x1c" not in b)
PIECES = st.lists(
    st.one_of(
        CONTENT.map(frame),
        st.sampled_from(
            [b"\x0b", b"\x1c", b"\r", b"\n", b"\x0bMSH|", b"MSH|^~\\&|x\r", b"\x1c\r", b"junk", b"\x06"]
        ),
        st.binary(max_size=12),
    ),
    max_size=12,
)


def decode(parts: list[bytes], limit: int) -> tuple[list[Item], int]:
    decoder = FrameDecoder(limit)
    items = [item for part in parts for item in decoder.feed(part)]
    return items + decoder.flush(), decoder.discarded


@given(PIECES, st.lists(st.integers(0, 400), max_size=30), st.sampled_from([16, 60, 10_000]))
def test_any_split_gives_the_same_items(pieces: list[bytes], cuts: list[int], limit: int) -> None:
    stream = b"".join(pieces)
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    parts = [stream[start:end] for start, end in pairwise(places)]
    assert decode(parts, limit) == decode([stream], limit)
    assert decode([bytes([byte]) for byte in stream], limit) == decode([stream], limit)


@given(
    st.lists(CONTENT, max_size=8),
    st.lists(st.sampled_from([b"", b"\n", b"noise", b"\r\r"]), min_size=9, max_size=9),
)
def test_every_framed_message_comes_through_unchanged(contents: list[bytes], noise: list[bytes]) -> None:
    stream = b"".join(between + frame(content) for between, content in zip(noise, contents, strict=False))
    items, _ = decode([stream], 10_000)
    assert [item.content for item in items if isinstance(item, Frame)] == contents
    assert all(isinstance(item, Frame) for item in items)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    items, discarded = decode([data], 64)
    assert discarded <= len(data)
    assert sum(len(item.content) for item in items if isinstance(item, Frame)) <= len(data)
