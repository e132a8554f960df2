"""MLLP framing: what ends a frame, what is forgiven, what is refused."""

from __future__ import annotations

import pytest

from pacs_core.hl7.mllp import Frame, FrameDecoder, TooLong, Truncated, Unframed, frame

MESSAGE = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A08|1|P|2.5.1\rPID|1||P1\r"


def feed(data: bytes, limit: int = 10_000) -> tuple[list[object], FrameDecoder]:
    decoder = FrameDecoder(limit)
    return list(decoder.feed(data)), decoder


def test_one_whole_frame() -> None:
    items, decoder = feed(frame(MESSAGE))
    assert items == [Frame(MESSAGE)]
    assert decoder.flush() == []
    assert decoder.discarded == 0


def test_several_messages_in_one_read() -> None:
    items, _ = feed(frame(b"MSH|1") + frame(b"MSH|2") + frame(b"MSH|3"))
    assert items == [Frame(b"MSH|1"), Frame(b"MSH|2"), Frame(b"MSH|3")]


def test_bytes_between_frames_are_discarded_and_counted() -> None:
    items, decoder = feed(b"xx\r\n" + frame(MESSAGE) + b"\r\n" + frame(MESSAGE) + b"junk")
    assert items == [Frame(MESSAGE), Frame(MESSAGE)]
    assert decoder.discarded == 4 + 2 + 4


@pytest.mark.parametrize("end", [b"\x1c\n", b"\x1c\x0b"])
def test_an_end_block_without_its_carriage_return(end: bytes) -> None:
    items, _ = feed(b"\x0b" + MESSAGE + end)
    assert items == [Frame(MESSAGE, terminated=False)]


def test_a_missing_final_carriage_return_is_forgiven_after_silence() -> None:
    items, decoder = feed(b"\x0b" + MESSAGE + b"\x1c")
    assert items == []
    assert decoder.may_flush
    assert decoder.flush() == [Frame(MESSAGE, terminated=False)]
    assert decoder.feed(b"\r") == []
    assert decoder.discarded == 1


def test_an_end_block_character_inside_the_text_does_not_end_it() -> None:
    items, _ = feed(b"\x0bMSH|a\x1cb\x1c\r")
    assert items == [Frame(b"MSH|a\x1cb")]


def test_a_truncated_frame_is_told_and_never_a_message() -> None:
    items, decoder = feed(b"\x0b" + MESSAGE)
    assert items == []
    assert decoder.in_frame
    assert decoder.flush() == [Truncated(MESSAGE, len(MESSAGE))]
    assert decoder.feed(frame(MESSAGE)) == [Frame(MESSAGE)]


def test_a_frame_begun_anew_drops_the_cut_one() -> None:
    items, _ = feed(b"\x0bMSH|cut in ha" + frame(MESSAGE))
    assert items == [Truncated(b"MSH|cut in ha", 13, begun_anew=True), Frame(MESSAGE)]


def test_a_vertical_tab_in_a_text_stays() -> None:
    items, _ = feed(b"\x0bMSH|word\x0bword\x1c\r")
    assert items == [Frame(b"MSH|word\x0bword")]


def test_a_message_over_the_limit_ends_everything() -> None:
    items, decoder = feed(frame(b"MSH" + b"x" * 50) + frame(MESSAGE), limit=20)
    assert items == [TooLong(b"MSH" + b"x" * 17)]
    assert decoder.feed(frame(b"MSH")) == []
    assert decoder.flush() == []


def test_a_message_of_exactly_the_limit_passes() -> None:
    assert feed(frame(b"x" * 20), limit=20)[0] == [Frame(b"x" * 20)]


def test_a_message_without_start_block_is_told() -> None:
    items, decoder = feed(MESSAGE + b"\x1c\r")
    assert items == []
    assert decoder.may_flush
    assert decoder.flush() == [Unframed(MESSAGE + b"\x1c\r")]
    assert decoder.flush() == []


def test_block_characters_cannot_be_framed() -> None:
    for content in (b"a\x0bb", b"a\x1cb"):
        with pytest.raises(ValueError, match="0x0B or 0x1C"):
            frame(content)
