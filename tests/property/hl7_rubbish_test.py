"""Whatever arrives: it is read or refused with words and a place, and it can always be answered."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.field_map import FieldMap
from pacs_core.hl7 import ack
from pacs_core.hl7.interpret import interpret
from pacs_core.hl7.message import Header, Message
from pacs_core.hl7.mllp import frame
from pacs_core.hl7.sources import default_map_text
from pacs_core.hl7.status import AckCode, problem_of

MAP = FieldMap.read(default_map_text(), "[options]\nmake_accession_number = true\n")
ZONE = ZoneInfo("Europe/Berlin")
ORDER = (
    b"MSH|^~\\&|RIS|SITE|RR||20260101||ORM^O01|C1|P|2.3.1||||||UNICODE UTF-8\r"
    b"PID|1||P1^^^ISS||Doe^Jane||19800101|F\rPV1|1|O|||||||R^Ref^Doc\r"
    b"ORC|NW|PL1|FI1||SC||1^^^20260102103000^^S\r"
    b"OBR|1|PL1|FI1|71260^CT chest^C4||||||||||||||ACC1|RP1|S1||||CT\r"
    b"ZDS|1.2.3^^Application^DICOM\r"
)
MERGE = b"MSH|^~\\&|RIS|SITE|RR||20260101||ADT^A40|C2|P|2.5.1\rEVN|A40\rPID|1||P1^^^I\rMRG|P2^^^I\r"
SIGNS = st.sampled_from(
    [b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b'""', b"\xff", b"\x00", b"\x1b$B", b"MSH|"]
)


def read(raw: bytes) -> None:
    """The whole way from bytes to acknowledgement, as the receiver goes it."""
    try:
        found = interpret(Message.parse(raw, MAP.character_set), MAP, ZONE, "RIS")
        problem = None
        assert found.commands or found.parked
    except ReadingRoomError as failure:
        problem = problem_of(failure)
        assert problem.text
        assert problem.code in (AckCode.AE, AckCode.AR)
    for answer in ack.answers(Header.read(raw), "text", problem, always=True):
        frame(answer)
        assert answer.startswith(b"MSH")
        assert b"\rMSA|" in answer or Header.read(raw).separators.field != "|"
    frame(ack.refusal(raw[:4096], "why"))


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    read(raw)


@given(st.binary(max_size=120))
def test_any_bytes_after_a_good_header(tail: bytes) -> None:
    read(b"MSH|^~\\&|A|B|C|D|20260101||ORM^O01|1|P|2.5.1\r" + tail)


@given(
    st.sampled_from([ORDER, MERGE]),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 12), st.one_of(SIGNS, st.binary(max_size=6))),
        max_size=6,
    ),
)
def test_good_messages_with_wounds(raw: bytes, wounds: list[tuple[int, int, bytes]]) -> None:
    for place, length, filling in wounds:
        at = place % len(raw) if raw else 0
        raw = raw[:at] + filling + raw[at + length :]
    read(raw)


@given(st.sampled_from([ORDER, MERGE]), st.integers(0, 400))
def test_messages_cut_short(raw: bytes, length: int) -> None:
    read(raw[:length])
