"""DICOM JSON against pydicom's own model, over every sample; bulk data by its path; and back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pydicom
import pytest

from pacs_core.dicom import json as module
from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.json import bulk_data, data_set_from_json, data_set_to_json
from pacs_core.domain.errors import InvalidValue, NotFound, ReadingRoomError

FOLDERS = (
    "objects", "charsets", "transfer-syntaxes", "dicomdir/98892001", "studies/mr-enhanced-siemens-xa30",
    "studies/cr-dx-mg", "studies/pt-single-slices",
)  # fmt: skip


def uri(path: str) -> str:
    return f"bulk/{path}"


def same(ours: object, theirs: object, where: str) -> None:
    """Equal but for what is a matter of choice: how a decimal is written, bulk by reference, padding."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if "BulkDataURI" in ours:
            assert ours["vr"] == theirs["vr"], where
            return
        if "InlineBinary" in ours or "InlineBinary" in theirs:
            assert ours.get("InlineBinary") == theirs.get("InlineBinary"), where
            return
        assert set(ours) == {k for k, v in theirs.items() if v != []}, where
        for key in ours:
            same(ours[key], theirs[key], f"{where}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            same(a, b, f"{where}[{number}]")
    elif isinstance(ours, float) or isinstance(theirs, float):
        assert math.isclose(float(ours), float(theirs), rel_tol=1e-6), where  # type: ignore[arg-type]  # numbers here
    else:
        assert str(ours or "").strip(" \0") == str(theirs or "").strip(" \0"), where


def test_every_sample_gives_pydicoms_model(shared_data: Path) -> None:
    compared = 0
    for path in sorted(p for f in FOLDERS for p in (shared_data / f).rglob("*") if p.is_file()):
        try:
            intake_file(path)
        except ReadingRoomError:
            continue
        ours = data_set_to_json(path, uri)
        json.dumps(ours, allow_nan=False)
        data_set = pydicom.dcmread(path, force=True)
        data_set.pop("PixelData", None)
        data_set.walk(lambda ds, e: ds.pop(e.tag) if e.tag.element == 0 or e.tag.group == 0x6000 else None)
        try:
            theirs = data_set.to_json_dict(bulk_data_threshold=10**9, suppress_invalid_tags=True)
        except (TypeError, ValueError):
            continue
        assert not set(theirs) - set(ours), path.name
        for tag in theirs:
            if tag in ("00080005", "7FE00010") or ours[tag]["vr"] == "UN":  # type: ignore[index]
                continue
            same(ours[tag], theirs[tag], f"{path.name}:{tag}")
        compared += 1
    assert compared > 130


def test_names_are_split_in_groups_and_the_set_is_utf8(shared_data: Path) -> None:
    out = data_set_to_json(shared_data / "charsets/chrH31.dcm", uri)
    assert out["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    name = {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    assert out["00100010"] == {"vr": "PN", "Value": [name]}


def test_pixel_data_is_by_reference_and_served(shared_data: Path) -> None:
    path = shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.1_LittleEndianExplicit.dcm"
    out = data_set_to_json(path, uri)
    assert out["7FE00010"] == {"vr": "OW", "BulkDataURI": "bulk/7FE00010"}
    assert bulk_data(path, "7FE00010") == pydicom.dcmread(path).PixelData


def test_bulk_data_inside_sequences_is_served(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE", 16)
    nested = 0
    for path in sorted((shared_data / "studies/pt-single-slices").iterdir()):
        asked: list[str] = []

        def remember(where: str, asked: list[str] = asked) -> str:
            asked.append(where)
            return where

        data_set_to_json(path, remember)
        assert all(len(bulk_data(path, where)) > 16 for where in asked)
        nested += sum("/" in where for where in asked)
    assert nested


@pytest.mark.parametrize("path", ["00081140/9/00081150", "99999999", "rubbish", "00081140/x/1"])
def test_bulk_data_that_is_not_there(shared_data: Path, path: str) -> None:
    with pytest.raises(NotFound):
        bulk_data(shared_data / "charsets/chrFren.dcm", path)


def test_big_endian_objects_too(shared_data: Path) -> None:
    big = data_set_to_json(shared_data / "transfer-syntaxes/other/MR_small_bigendian.dcm", uri)
    little = data_set_to_json(shared_data / "transfer-syntaxes/other/MR_small_implicit.dcm", uri)
    shared = {t for t in big if t in little and big[t]["vr"] == little[t]["vr"]}  # type: ignore[index]
    assert len(shared) > 60
    assert all(big[t] == little[t] for t in shared if not t.startswith(("7FE0", "FFFC")))


def test_there_and_back(shared_data: Path) -> None:
    path = shared_data / "objects/gsps/overlay.dcm"
    original = pydicom.dcmread(path)
    bulk: dict[str, bytes] = {}

    def remember(where: str) -> str:
        bulk[where] = bulk_data(path, where)
        return where

    out = json.loads(json.dumps(data_set_to_json(path, remember)))
    back = data_set_from_json(out, bulk)
    assert back.PixelData == original.PixelData
    assert back.SOPInstanceUID == original.SOPInstanceUID
    assert back.Rows == original.Rows


def test_what_is_no_dicom_json_is_named() -> None:
    with pytest.raises(InvalidValue, match="0010ZZ10 is no DICOM JSON attribute"):
        data_set_from_json({"0010ZZ10": {"vr": "PN"}}, {})
    with pytest.raises(NotFound, match="bulk data part-7"):
        data_set_from_json({"7FE00010": {"vr": "OW", "BulkDataURI": "part-7"}}, {})
