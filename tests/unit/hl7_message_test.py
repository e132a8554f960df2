"""The light reader: delimiters, line ends, character sets, deleted and empty values."""

from __future__ import annotations

import pytest

from pacs_core.domain.errors import InvalidValue, MissingValue
from pacs_core.domain.field_map import Place
from pacs_core.hl7.message import Header, Message

HEAD = b"MSH|^~\\&|APP|FAC|RR||20260101||ADT^A08|C1|P|2.5.1"


def parse(*segments: bytes, joint: bytes = b"\r", charset: bytes = b"", default: str = "8859/1") -> Message:
    head = HEAD + (b"||||||" + charset if charset else b"")
    return Message.parse(joint.join((head, *segments)) + joint, default)


@pytest.mark.parametrize("joint", [b"\r", b"\n", b"\r\n", b"\r\r\n"])
def test_every_line_end_is_read_and_other_than_cr_noted(joint: bytes) -> None:
    message = parse(b"EVN|A08", b"PID|1||P1", joint=joint)
    assert [segment.name for segment in message.segments] == ["MSH", "EVN", "PID"]
    assert ("line ends other than CR" in message.notes) is (joint != b"\r")


def test_the_header_counts_its_separator_as_a_field() -> None:
    message = parse()
    assert message.text("MSH-3") == "APP"
    assert message.first("MSH").raw(1) == "|"
    assert message.first("MSH").raw(2) == "^~\\&"
    assert message.kind == ("ADT", "A08")
    assert Header.read(message.raw).component(9, 2) == "A08"


def test_repetitions_components_and_subcomponents() -> None:
    message = parse(b"PID|1||A^^^I1&1.2&ISO^MR~B^^^I2^SS~~|")
    pid = message.first("PID")
    assert pid is not None
    ids = [(one.text(1), one.text(4), one.text(4, 2), one.text(5)) for one in pid.repetitions(3)]
    assert ids == [("A", "I1", "1.2", "MR"), ("B", "I2", None, "SS")]
    assert message.text("PID-3.4.3") == "ISO"
    assert message.text("PID-99") is None
    assert message.text("ZZZ-1") is None


def test_empty_leaves_and_two_quotes_delete() -> None:
    message = parse(b'PID|1||P1||""|  |19800101|""^x')
    assert message.text("PID-5") == ""
    assert message.text("PID-6") is None
    assert message.text("PID-8") == ""
    assert message.text("PID-8.2") == "x"


def test_a_sender_may_use_its_own_delimiters() -> None:
    message = Message.parse(
        b"MSH#*!?@#APP#FAC#RR##2026##ADT*A08#1#P#2.5\rPID#1##P1***I@1.2!P2##Doe*?F?x?S?y\r"
    )
    assert message.text("PID-3.4") == "I"
    assert message.text("PID-5.2") == "#x*y"


def test_escape_sequences() -> None:
    text = rb"\F\\S\\R\\T\\E\ a\.br\b\.sp2\c\X41\ \H\bold\N\ C:\dir\file \Zxy\ \.in5\."
    message = parse(b"OBX|1|FT|||" + text)
    assert message.text("OBX-5") == "|^~&\\ a\nb\n\ncA bold C:\\dir\\file \\Zxy\\ ."


def test_a_line_that_begins_no_segment_continues_the_field() -> None:
    message = parse(b"OBX|1|TX|||first", b"second line", b"OBX|2|TX|||x", joint=b"\n")
    assert message.text("OBX-5") == "first\nsecond line"
    assert len(message.all("OBX")) == 2
    assert any("begins no segment" in note for note in message.notes)


def test_a_byte_order_mark_means_utf_8() -> None:
    message = Message.parse(b"\xef\xbb\xbf" + HEAD + "\rPID|1||P1||Müller\r".encode(), "8859/1")
    assert message.text("PID-5") == "Müller"
    assert "byte order mark dropped" in message.notes


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        (b"UNICODE UTF-8", "utf-8", "山田^太郎"),
        (b"8859/1", "latin-1", "Müller"),
        (b"8859/2", "iso8859-2", "Dvořák"),
        (b"8859/5", "iso8859-5", "Люкceмбypг"),
        (b"8859/6", "iso8859-6", "قباني"),
        (b"8859/7", "iso8859-7", "Διονυσιος"),
        (b"8859/8", "iso8859-8", "שרון"),
        (b"8859/9", "iso8859-9", "Şahin"),
        (b"GB 18030-2000", "gb18030", "王小东"),
        (b"ISO IR87", "iso2022_jp", "山田"),
        (b"ISO IR14", "shift_jis", "ﾔﾏﾀﾞ"),
        (b"KS X 1001", "euc_kr", "김희중"),
        (b"BIG-5", "big5", "王小東"),
        (b"utf8", "utf-8", "Müller"),
        (b"ISO-8859-1", "latin-1", "Müller"),
        (b"ASCII", "latin-1", "Müller"),
        (b"", "utf-8", "Müller"),
        (b"", "latin-1", "Müller"),
        (b"KLINGON", "latin-1", "Müller"),
    ],
)
def test_character_sets(charset: bytes, codec: str, name: str) -> None:
    message = parse(b"PID|1||P1||" + name.replace("^", " ").encode(codec), charset=charset)
    assert message.text("PID-5") == name.replace("^", " ")
    assert message.undecoded == ()


@pytest.mark.parametrize(
    ("sets", "name"),
    [
        (b"~ISO IR87", "山田 太郎".encode("iso2022_jp")),
        (b"ASCII~ISO IR87", "山田 太郎".encode("iso2022_jp")),
        (b"ASCII~ISO IR87", b"\\M2442\\;3ED\\C2842\\ \\M2442\\B@O:\\C2842\\"),
    ],
)
def test_several_sets_are_switched_by_escape_sequences(sets: bytes, name: bytes) -> None:
    assert parse(b"PID|1||P1||" + name, charset=sets).text("PID-5") == "山田 太郎"


def test_korean_escape_sequences() -> None:
    name = b"\x1b$)C" + "김희중".encode("euc_kr")
    assert parse(b"PID|1||P1||" + name, charset=b"ASCII~KS X 1001").text("PID-5") == "김희중"


def test_bytes_that_do_not_decode_are_named() -> None:
    message = parse(b"PID|1||P1||M\xfcller^x", charset=b"UNICODE UTF-8")
    assert message.undecoded == ("PID-5",)
    assert any("not UNICODE UTF-8" in note for note in message.notes)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(codec: str) -> None:
    with pytest.raises(InvalidValue, match="UTF-16") as refused:
        Message.parse((HEAD + b"\r").decode().encode(codec))
    assert refused.value.where == "MSH^1^18"


def test_declared_utf_16_is_refused() -> None:
    with pytest.raises(InvalidValue, match="UTF-16"):
        parse(b"PID|1", charset=b"UNICODE UTF-16")


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"MSH||APP|FAC\r", "MSH^1^2"),
        (b"MSH", "MSH^1^1"),
        (b"MSHA^~\\&A", "MSH^1^1"),
        (b"MSH|^^^^|APP\r", "MSH^1^2"),
        (b"PID|1\r", "MSH"),
        (b"", "MSH"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused_with_its_place(raw: bytes, where: str) -> None:
    with pytest.raises((InvalidValue, MissingValue)) as refused:
        Message.parse(raw)
    assert refused.value.where == where


def test_a_doubled_escape_sign_is_read() -> None:
    assert Message.parse(b"MSH|^~\\\\&|SE050|F\r").separators.subcomponent == "&"


def test_places_are_read_and_written() -> None:
    assert str(Place.parse("PID-3.4.2")) == "PID-3.4.2"
    assert Place.parse("OBR-18").location == "OBR^1^18"
    assert Place.parse("ORC-7.4").location == "ORC^1^7^1^4"
    for wrong in ("OBR18", "OBR-0", "obr-1", "OBR-", ""):
        with pytest.raises(InvalidValue, match="no place"):
            Place.parse(wrong)
