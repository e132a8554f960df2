"""Specific character sets: every real sample, round trips, and leniency that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacs_core.dicom import charset
from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.sources import read_data_set
from pacs_core.domain.errors import NotStorable

NAMES = {
    "chrArab.dcm": "قباني^لنزار",
    "chrFren.dcm": "Buc^Jérôme",
    "chrFrenMulti.dcm": "Buc^Jérôme",
    "chrGerm.dcm": "Äneas^Rüdiger",
    "chrGreek.dcm": "Διονυσιος",
    "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw.dcm": "שרון^דבורה",
    "chrI2.dcm": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrJapMulti.dcm": "やまだ^たろう",
    "chrJapMultiExplicitIR6.dcm": "やまだ^たろう",
    "chrKoreanMulti.dcm": "김희중",
    "chrRuss.dcm": "Люкceмбypг",
    "chrSQEncoding.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrSQEncoding1.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrX1.dcm": "Wang^XiaoDong=王^小東",
    "chrX2.dcm": "Wang^XiaoDong=王^小东",
}
REDUNDANT_ESCAPES = {"chrKoreanMulti.dcm", "chrSQEncoding.dcm", "chrSQEncoding1.dcm"}
PATIENT_NAME = 0x00100010
REQUESTED_PROCEDURE = 0x00321064


def names_in(path: Path) -> list[tuple[bytes, str, str]]:
    data = path.read_bytes()
    place = locate(data)
    header = read_data_set(data, place.start, place.transfer_syntax_uid).header
    levels = [header, *header.items(REQUESTED_PROCEDURE)]
    return [(raw, x.character_set, x.text(PATIENT_NAME)) for x in levels if (raw := x.raw(PATIENT_NAME))]


def test_every_sample_is_listed(shared_data: Path) -> None:
    assert {p.name for p in (shared_data / "charsets").iterdir()} == set(NAMES)


@pytest.mark.parametrize("file", sorted(NAMES))
def test_names_of_every_script(shared_data: Path, file: str) -> None:
    path = shared_data / "charsets" / file
    ((raw, declared, text),) = names_in(path)
    assert charset.canonical_name(text) == NAMES[file]
    again = charset.encode_text(text, declared, charset.NAME_DELIMITERS)
    assert charset.decode_name(again, declared) == text
    assert (again == raw.rstrip(b" ")) is (file not in REDUNDANT_ESCAPES)


@pytest.mark.parametrize("file", sorted(set(NAMES) - {"chrSQEncoding.dcm", "chrSQEncoding1.dcm"}))
def test_intake_gives_the_name(shared_data: Path, file: str) -> None:
    assert intake_file(shared_data / "charsets" / file).header.patient_name == NAMES[file]


def test_the_two_without_uid_are_refused(shared_data: Path) -> None:
    with pytest.raises(NotStorable, match=r"SOPInstanceUID \(0008,0018\) is missing"):
        intake_file(shared_data / "charsets" / "chrSQEncoding.dcm")


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("ISO_IR 166", "สมชาย^ใจดี"),
        ("ISO_IR 148", "Ağaoğlu^Şule"),
        ("ISO_IR 203", "Œuvre^€"),
        ("\\ISO 2022 IR 58", "Zhang^XiaoDong=张^小东"),
        ("\\ISO 2022 IR 87\\ISO 2022 IR 159", "=丂^山田"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "Müller^Иван"),
        ("GBK", "王^小东"),
        ("GB18030", "𠀀^€"),
        ("ISO_IR 192", "Ωmega^👩"),
    ],
)
def test_round_trips(declared: str, text: str) -> None:
    raw = charset.encode_text(text, declared, charset.NAME_DELIMITERS)
    assert charset.decode(raw, declared, charset.NAME_DELIMITERS) == (text, True)


def test_multibyte_may_hold_the_delimiters_bytes() -> None:
    text = "山^充=ソ"  # in JIS X 0208 and GBK some characters hold the bytes of ^ = and backslash
    for declared in ("\\ISO 2022 IR 87", "GBK", "GB18030"):
        raw = charset.encode_text(text, declared, charset.NAME_DELIMITERS)
        assert charset.decode_name(raw, declared) == text


def test_code_extensions_reset_at_delimiters() -> None:
    raw = b"\x1b-F\xc4^\xc4"
    assert charset.decode_name(raw, "ISO 2022 IR 100\\ISO 2022 IR 126") == "Δ^Ä"


@pytest.mark.parametrize("spelling", ["ISO_IR 100", "ISO IR 100", "ISO-IR 100", "iso_ir 100", "ISO_IR100"])
def test_misspelt_terms_are_understood(spelling: str) -> None:
    assert charset.decode_text(b"J\xe9r", spelling) == "Jér"
    assert charset.is_known(spelling)


def test_unknown_terms_are_told() -> None:
    assert not charset.is_known("ISO_IR 999")
    assert not charset.is_known("WINDOWS")


@pytest.mark.parametrize(("raw", "text"), [("Jérôme".encode(), "Jérôme"), (b"J\xe9r\xf4me", "Jérôme")])
def test_undeclared_bytes_are_read_and_told(raw: bytes, text: str) -> None:
    assert charset.decode(raw, "") == (text, False)


def test_an_unknown_escape_sequence_is_told() -> None:
    assert charset.decode(b"A\x1b%5B", "\\ISO 2022 IR 87")[1] is False


def test_decoded_text_is_composed() -> None:
    assert charset.decode_text("e\u0301".encode(), "ISO_IR 192") == "é"


def test_what_a_set_cannot_hold_is_not_written() -> None:
    with pytest.raises(UnicodeEncodeError):
        charset.encode_text("山田", "ISO_IR 100")


def test_best_set_is_the_askers_where_it_can() -> None:
    assert charset.best_character_set(["Jérôme"], "ISO_IR 100") == "ISO_IR 100"
    assert charset.best_character_set(["山田"], "ISO_IR 100") == "ISO_IR 192"
    assert charset.best_character_set(["山田"], "\\ISO 2022 IR 87") == "\\ISO 2022 IR 87"
    assert charset.best_character_set(["Jérôme"], "") == "ISO_IR 192"
    assert charset.best_character_set(["Smith"], "") == ""
