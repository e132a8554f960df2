"""Rubbish in: neither scan crashes, both say the same, and intake answers in its own errors."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom import scan_fallback
from pacs_core.dicom.intake import intake_bytes, intake_data_set
from pacs_core.domain.errors import ReadingRoomError

_scan = pytest.importorskip("pacs_core.dicom._scan")

SMALL = (
    "broken/derived/no-pixel-data.dcm", "charsets/chrH32.dcm", "objects/pydicom/rtplan.dcm",
    "transfer-syntaxes/other/MR_small_RLE.dcm", "dicomdir/98892001/CT2N/6293",
)  # fmt: skip


@cache
def sample(path: Path) -> bytes:
    return path.read_bytes()


def answer(module: object, data: bytes, start: int, end: int, implicit: bool) -> object:
    try:
        return module.scan(data, start, end, implicit)  # type: ignore[attr-defined]  # both twins have it
    except ValueError as found:
        return found.args


@given(st.binary(max_size=400), st.booleans(), st.integers(0, 50))
def test_twins_agree_on_rubbish(data: bytes, implicit: bool, beyond: int) -> None:
    ours = answer(_scan, data, 0, len(data) + beyond, implicit)
    assert ours == answer(scan_fallback, data, 0, len(data) + beyond, implicit)


@given(st.sampled_from(SMALL), st.integers(0, 100_000), st.binary(min_size=1, max_size=12), st.booleans())
def test_damaged_files_are_taken_in_or_refused(
    shared_data: Path, name: str, at: int, bytes_put: bytes, cut: bool
) -> None:
    data = sample(shared_data / name)
    at %= len(data)
    damaged = data[:at] + bytes_put + (b"" if cut else data[at + len(bytes_put) :])
    try:
        found = intake_bytes(damaged, name)
    except ReadingRoomError:
        return
    stored = found.prefix + damaged[found.source_offset :]
    assert all(0 <= f.offset <= f.offset + f.length <= len(stored) for f in found.header.frames)


@given(
    st.binary(max_size=300),
    st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]),
)
def test_rubbish_off_the_wire_is_refused(data: bytes, uid: str) -> None:
    with pytest.raises(ReadingRoomError):
        intake_data_set(data, uid)
