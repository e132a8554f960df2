"""The compiled header scan and its Python twin give the same answers, and stop cleanly."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pacs_core.dicom import headers, scan_fallback
from pacs_core.dicom.part10 import locate
from pacs_core.domain.errors import NotDicom

_scan = pytest.importorskip("pacs_core.dicom._scan")

PIXELS = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 4) + b"abcd"
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
OPEN_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
NEST = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + OPEN_ITEM
NAME = struct.pack("<HH2sH", 0x0010, 0x0010, b"PN", 4) + b"A^B "


def answer(module: object, data: bytes, start: int, implicit: bool) -> object:
    try:
        return module.scan(data, start, len(data), implicit)  # type: ignore[attr-defined]  # both twins have it
    except ValueError as found:
        return found.args


def test_compiled_engine_is_in_use() -> None:
    assert headers.ENGINE == "compiled"


def test_twins_agree_on_every_real_file(shared_data: Path) -> None:
    compared = 0
    for path in sorted(p for p in shared_data.rglob("*") if p.is_file() and p.stat().st_size > 132):
        data = path.read_bytes()
        try:
            start = locate(data).start
        except NotDicom:
            continue
        for implicit in (False, True):
            assert answer(_scan, data, start, implicit) == answer(scan_fallback, data, start, implicit), path
        compared += 1
    assert compared > 1000


@pytest.mark.parametrize("module", [_scan, scan_fallback])
def test_fragments_and_what_follows(module: object) -> None:
    data = NAME + PIXELS + ITEM + ITEM + END + NAME
    elements, pixels = module.scan(data, 0, len(data), False)  # type: ignore[attr-defined]
    assert elements == {0x00100010: ("PN", len(data) - 4, 4)}
    assert pixels == (0x7FE00010, "OB", 24, 24, [(32, 4), (44, 4)])


@pytest.mark.parametrize("module", [_scan, scan_fallback])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (NAME[:-2], "truncated"),
        (NAME + b"\x10\x00", "truncated"),
        (PIXELS + ITEM, "truncated"),
        (PIXELS + NAME, "item"),
        (END, "delimiter"),
        (NAME[:4] + b"??" + NAME[6:], "vr"),
        (struct.pack("<HH2sHI", 0x0040, 0x0100, b"SQ", 0, 0xFFFFFFFF) + NAME, "item"),
        (NEST * 99, "depth"),
    ],
)  # fmt: skip
def test_surprises_name_their_kind(module: object, data: bytes, kind: str) -> None:
    found = answer(module, data, 0, False)
    assert isinstance(found, tuple)
    assert found[0] == kind


@pytest.mark.parametrize("module", [_scan, scan_fallback])
def test_a_window_on_a_larger_file_says_so(module: object) -> None:
    data = NAME * 3
    with pytest.raises(module.Surprise) as found:  # type: ignore[attr-defined]
        module.scan(data, 0, len(data) + 100, False)  # type: ignore[attr-defined]
    assert found.value.args[0] == "window"


def test_impossible_spans_are_refused() -> None:
    with pytest.raises(ValueError, match="do not lie within"):
        _scan.scan(NAME, 50, 10, False)


def test_large_files_are_sliced_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(NAME + PIXELS + ITEM + END)
    with path.open("rb") as file:
        data = scan_fallback.FileBytes(file, path.stat().st_size)
        assert headers.scan(data, 0, len(data), False) == _scan.scan(path.read_bytes(), 0, len(data), False)
        assert data[8:12] == b"A^B "
        assert data[5:3] == b""
