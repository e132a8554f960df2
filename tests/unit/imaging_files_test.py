"""The fast scan of files says what the whole way of reading says, or steps aside."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom import _scan, scan_fallback
from pacs_core.dicom.dictionary import TAG
from pacs_core.dicom.file_scan import (
    PIXEL_DATA,
    SURPRISES,
    Wanted,
    scan_beside,
    scan_file,
    scan_in_python,
    values_of,
)
from pacs_core.domain.errors import ReadingRoomError
from tests.support.series import series_of
from workstation.imaging import files
from workstation.imaging.display_sets import DisplaySet, display_sets

SERIES = (
    "ct-phantom-tilt/CT-0301-STEREOTAXIS",
    "mr-head-sagittal-hfs/MR-0003-t1-fl2d-sag",
    "mr-prostatex-0207/MR-0008-ep2d-diff-tra-DYNDIST",
    "two-studies-papaya-mr-ct/20180820/CT-0002-Kopf-nativ-5-0-H42s",
    "pt-single-slices",
)


def essence(shown: DisplaySet) -> list[object]:
    return [shown.kind, shown.label, shown.problems, shown.geometry, shown.modality, shown.description] + [
        (
            f.sop_instance_uid,
            f.plane,
            f.modality_lut,
            f.windows,
            f.locator,
            f.layout,
            f.inverse,
            f.calibration,
        )
        for f in shown.frames
    ]


@pytest.mark.parametrize("where", SERIES)
def test_fast_and_whole_say_the_same(shared_data: Path, where: str) -> None:
    paths = sorted((shared_data / "studies" / where).glob("*.dcm"))
    fast, whole = (display_sets(make(paths)) for make in (files.series_of_files, series_of))
    assert [essence(s) for s in fast] == [essence(s) for s in whole]


def test_a_plain_ct_takes_the_fast_way(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(path: Path) -> None:
        raise AssertionError(path)

    monkeypatch.setattr(files, "_read_whole", never)
    paths = sorted((shared_data / "studies/ct-phantom-tilt/CT-0301-STEREOTAXIS").glob("*.dcm"))
    assert len(files.series_of_files(paths).instances) == 14


def test_everything_is_read_one_way_or_the_other(shared_data: Path) -> None:
    read = 0
    for folder in ("transfer-syntaxes", "broken", "objects", "studies/cr-dx-mg", "charsets"):
        for path in sorted(p for p in (shared_data / folder).rglob("*") if p.is_file()):
            try:
                whole = series_of([path])
            except ReadingRoomError:
                with pytest.raises(ReadingRoomError):
                    files.series_of_files([path])
                continue
            fast = files.series_of_files([path])
            assert fast.instances[0].frames == whole.instances[0].frames, path
            assert fast.modality == whole.modality, path
            assert fast.description == whole.description, path
            read += 1
    assert read > 150


def picked(module: object, data: bytes, start: int, implicit: bool, tags: tuple[int, ...]) -> object:
    try:
        return module.pick(data, start, len(data), implicit, tags)  # type: ignore[attr-defined]  # both have it
    except ValueError as found:
        return found.args


@given(st.data())
def test_the_twins_pick_the_same(shared_data: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["broken/derived/no-pixel-data.dcm", "objects/pydicom/rtplan.dcm",
                                      "transfer-syntaxes/other/MR_small_RLE.dcm"]))  # fmt: skip
    content = bytearray((shared_data / name).read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    tags = tuple(
        sorted(data.draw(st.sets(st.sampled_from(sorted(TAG.values())), max_size=12)) | {PIXEL_DATA})
    )
    start = data.draw(st.sampled_from([132, 144, 300, 336]))
    implicit = data.draw(st.booleans())
    content = content[: data.draw(st.integers(start, len(content)))]
    assert picked(_scan, bytes(content), start, implicit, tags) == picked(
        scan_fallback, bytes(content), start, implicit, tags
    )


def test_numbers_that_are_none_are_a_surprise() -> None:
    wanted = Wanted.of("PixelSpacing", "Rows", "ImageType")
    raw = dict(zip(wanted.keywords, ([b"ORIGINAL\\PRIMARY ", b"\x10\x00", b"0.5\\0.5 "]), strict=True))
    found = values_of(wanted, [raw[k] for k in wanted.keywords])
    assert found == {"ImageType": ["ORIGINAL", "PRIMARY"], "Rows": 16, "PixelSpacing": [0.5, 0.5]}
    with pytest.raises(ValueError, match="could not convert"):
        values_of(wanted, [None, None, b"half"])


def test_what_is_no_plain_file_is_a_surprise(tmp_path: Path, shared_data: Path) -> None:
    wanted = Wanted.of("Rows")
    (tmp_path / "empty").write_bytes(b"")
    for path in (tmp_path / "empty", tmp_path / "absent", shared_data / "README.md",
                 next((shared_data / "transfer-syntaxes/ct").glob("1.2.840.10008.1.2.2_*"))):  # fmt: skip
        with pytest.raises(SURPRISES):
            scan_file(path, wanted)


def test_what_a_file_lacks_is_not_taken_over_from_the_one_before(tmp_path: Path, shared_data: Path) -> None:
    import pydicom

    source = min((shared_data / "studies/ct-phantom-tilt/CT-0301-STEREOTAXIS").glob("*.dcm"))
    paths = [tmp_path / f"{n}.dcm" for n in range(5)]
    for n, path in enumerate(paths):
        one = pydicom.dcmread(source)
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"2.25.{n + 1}"
        if n == 1:
            del one.WindowCenter, one.WindowWidth, one.InstanceNumber
        if n == 2:
            one.RescaleIntercept = "-7"
        if n == 3:
            one.NumberOfFrames = 0
        one.save_as(path)
    fast, alone = files.series_of_files(paths), [files.series_of_files([p]) for p in paths]
    assert fast.instances == tuple(one.instances[0] for one in alone)
    assert "WindowCenter" not in fast.instances[1].attributes
    assert fast.instances[1].instance_number is None
    headers = [f for shown in display_sets(fast) for f in shown.frames]
    single = [shown.frames[0] for one in alone for shown in display_sets(one)]
    assert sorted(headers, key=lambda f: f.sop_instance_uid) == single


def test_equal_values_of_two_files_are_the_same_objects(shared_data: Path) -> None:
    paths = sorted((shared_data / "studies/ct-phantom-tilt/CT-0301-STEREOTAXIS").glob("*.dcm"))[:2]
    wanted = Wanted.of("SOPInstanceUID", "Rows", "PixelSpacing")
    syntax, first, changed = scan_beside(paths[0], wanted, None)
    assert changed == [0, 1, 2, 3]
    again, second, changed = scan_beside(paths[1], wanted, first)
    assert (syntax, second) == (again, scan_in_python(paths[1], wanted)[1])
    assert [wanted.keywords[n] for n in changed if n < 3] == ["SOPInstanceUID"]
