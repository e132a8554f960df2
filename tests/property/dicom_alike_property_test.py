"""A header taken over from the object before is the header that reading it whole gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom import intake, scan_fallback
from pacs_core.dicom.alike import header_like_before
from pacs_core.dicom.headers import scan
from pacs_core.dicom.intake import Intake, intake_bytes
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.scan_fallback import Element
from pacs_core.dicom.sources import DataSet
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.study import InstanceHeader

_scan = pytest.importorskip("pacs_core.dicom._scan")

SERIES = ("dicomdir/77654033/CT2", "dicomdir/98892001/CT2N")


def told(data: bytes, name: str) -> Intake | str:
    try:
        return intake_bytes(data, name)
    except ReadingRoomError as error:
        return f"{type(error).__name__}: {error}"


def read_whole(data: bytes, name: str) -> Intake | str:
    """As a thread reads it that has read nothing before."""
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(told, data, name).result()


@cache
def pair(folder: Path) -> tuple[bytes, bytes]:
    first, second = sorted(p for p in folder.iterdir() if p.is_file())[:2]
    return first.read_bytes(), second.read_bytes()


def test_every_real_file_reads_the_same_after_any_other(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_over = []

    def counted(found: DataSet, shift: int) -> InstanceHeader | None:
        header = header_like_before(found, shift)
        if header is not None:
            taken_over.append(header)
        return header

    monkeypatch.setattr(intake, "header_like_before", counted)
    for path in sorted(p for p in shared_data.rglob("*") if p.is_file() and p.stat().st_size < 1 << 21):
        data = path.read_bytes()
        assert told(data, path.name) == read_whole(data, path.name), path
    assert len(taken_over) > 40


@given(st.sampled_from(SERIES), st.data())
def test_a_changed_value_is_read_as_it_now_is(shared_data: Path, name: str, draw: st.DataObject) -> None:
    before, _ = pair(shared_data / name)
    found = locate(before, name)
    elements, pixels = scan(before, found.start, len(before), False)
    assert pixels is not None
    changed = bytearray(before)
    for _ in range(draw.draw(st.integers(1, 3))):
        _, at, length = elements[draw.draw(st.sampled_from(sorted(elements)))]
        put = draw.draw(
            st.binary(min_size=length, max_size=length)
            | st.text("0123456789.\\ ", min_size=length, max_size=length).map(str.encode)
        )
        changed[at : at + length] = put
    with ThreadPoolExecutor(1) as thread:
        thread.submit(told, before, name).result()
        assert thread.submit(told, bytes(changed), name).result() == read_whole(bytes(changed), name)


@given(st.sampled_from(SERIES), st.integers(0, 20_000), st.binary(min_size=1, max_size=12), st.booleans())
def test_a_damaged_next_one_is_read_as_alone(
    shared_data: Path, name: str, at: int, put: bytes, longer: bool
) -> None:
    before, after = pair(shared_data / name)
    at %= len(after)
    damaged = after[:at] + put + after[at + (0 if longer else len(put)) :]
    with ThreadPoolExecutor(1) as thread:
        thread.submit(told, before, name).result()
        assert thread.submit(told, damaged, name).result() == read_whole(damaged, name)


Places = st.dictionaries(
    st.integers(0, 5),
    st.tuples(st.sampled_from(["CS", "US"]), st.integers(0, 12), st.integers(0, 12)),
    max_size=4,
)


@given(st.binary(min_size=24, max_size=24), st.binary(min_size=24, max_size=24), Places, Places)
def test_the_twins_find_the_same_differences(
    ours: bytes, theirs: bytes, elements: dict[int, Element], those: dict[int, Element]
) -> None:
    assert _scan.differing(ours, elements, theirs, those) == scan_fallback.differing(
        ours, elements, theirs, those
    )
