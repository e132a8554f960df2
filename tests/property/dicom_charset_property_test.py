"""Whatever a character set can express comes back as it went."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom import charset

SETS = [
    "ISO_IR 100", "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 144", "ISO_IR 127", "ISO_IR 126",
    "ISO_IR 138",
    "ISO_IR 148", "ISO_IR 166", "ISO_IR 203", "ISO_IR 13", "ISO_IR 192", "GB18030", "GBK", "\\ISO 2022 IR 87",
    "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58",
    "ISO 2022 IR 100\\ISO 2022 IR 126\\ISO 2022 IR 144", "ISO 2022 IR 6\\ISO 2022 IR 127\\ISO 2022 IR 138",
]  # fmt: skip
LETTERS = "aZ09 .'-éäßŁőğşЖяДαΩאבعربกขｱﾔ山田太郎やま김희洪张王小ソ十表€𠀀"


@given(st.sampled_from(SETS), st.text(alphabet=LETTERS + "^=\\", max_size=24))
def test_what_can_be_expressed_comes_back(declared: str, text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    try:
        raw = charset.encode_text(text, declared, charset.NAME_DELIMITERS)
    except UnicodeEncodeError:
        assert not charset.can_express([text], declared)
        return
    assert charset.decode(raw, declared, charset.NAME_DELIMITERS) == (text, True)


@given(st.sampled_from(SETS), st.binary(max_size=40))
def test_any_bytes_decode_to_something(declared: str, raw: bytes) -> None:
    text, exact = charset.decode(raw, declared)
    assert exact or text
    assert unicodedata.is_normalized("NFC", text)
