"""Reading headers, loading series, and what stays in memory; 600 files of 512 x 512 unless said."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pairing import SECONDS, Missing, Seen, Work
from benchmarks.rows.volumes import ct
from pacs_core.archive.models import InstanceManifest, LocalFile, SeriesManifest
from pacs_core.dicom.file_scan import Wanted, scan_file
from workstation.imaging.display_sets import display_sets
from workstation.imaging.files import series_of_files
from workstation.imaging.loader import Loader
from workstation.imaging.volume import Volume

FILES = 600
ACCESSION = "BENCH600"
LEAST_THREADS = 2
GEOMETRY = ("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "Rows",
            "Columns", "PixelSpacing", "BitsAllocated", "RescaleIntercept", "RescaleSlope")  # fmt: skip


class Series:
    """The volume of `ct` as files of a folder that goes with the program."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="reading-room-bench-"))
        volume = ct()[:FILES]
        self.paths = [self.folder / f"{k:04d}.dcm" for k in range(len(volume))]
        for k, path in enumerate(self.paths):
            _write(path, k, volume[k])
        self.places = [_pixels_of(path) for path in self.paths]

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@lru_cache(maxsize=1)
def series() -> Series:
    made = Series()
    atexit.register(made.close)
    return made


def _write(path: Path, number: int, pixels: np.ndarray[Any, Any]) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    data: Any = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"2.25.1.{number + 1}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "2.25.2", "2.25.3", "2.25.4"
    data.PatientName, data.PatientID, data.Modality, data.InstanceNumber = (
        "Bench^Mark",
        "B1",
        "CT",
        number + 1,
    )
    data.AccessionNumber, data.StudyID = ACCESSION, "1"
    data.StudyDate, data.StudyTime, data.ImageType = (
        datetime.now(UTC).strftime("%Y%m%d"),
        "120000",
        ["ORIGINAL", "PRIMARY", "AXIAL"],
    )
    data.SeriesDescription, data.KVP, data.SliceThickness, data.ConvolutionKernel = (
        "Chest",
        "120",
        "1",
        "B30f",
    )
    data.ImagePositionPatient = [-200.0, -200.0, float(number)]
    data.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    data.PixelSpacing, data.WindowCenter, data.WindowWidth = [0.78125, 0.78125], "40", "400"
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.RescaleIntercept, data.RescaleSlope = "0", "1"
    data.PixelData = np.ascontiguousarray(pixels).tobytes()
    data.save_as(path, enforce_file_format=True)


def _pixels_of(path: Path) -> tuple[str, int, int]:
    where = series_of_files([path]).instances[0].frames[0]
    assert isinstance(where, LocalFile)
    return str(path), where.offset, where.length


def works() -> Iterator[Work | Missing | Seen]:
    """The rows."""
    yield tags()
    yield from volumes()
    yield same_time_a_picture("2,000 slices, time a picture", 2000)
    yield same_time_a_picture("20,000 frames, time a picture", 20000, one_object=True)
    yield memory()


def tags() -> Work:
    import pydicom

    paths = [str(p) for p in series().paths]
    wanted = Wanted.of(*GEOMETRY)

    def ours() -> None:
        for path in paths:
            scan_file(path, wanted)

    def theirs() -> None:
        for path in paths:
            pydicom.dcmread(path, specific_tags=list(GEOMETRY), stop_before_pixels=True)

    return Work("geometry tags of 600 files", "pydicom specific_tags", ours, theirs, 6, 12,
                quality=f"{len(GEOMETRY)} tags", seconds=2 * SECONDS)  # fmt: skip


def loaded() -> Volume:
    """Files to a volume, all of the way: headers, display set, pixels."""
    loader = Loader(workers=LEAST_THREADS)
    try:
        (shown,) = display_sets(series_of_files(series().paths))
        return loader.load(shown).done.result(300)
    finally:
        loader.close()


def floor() -> np.ndarray[Any, Any]:
    """The same bytes read straight into an array on as many threads, their places known beforehand."""
    volume = np.empty((FILES, 512, 512), np.int16)

    def read(k: int) -> None:
        path, offset, length = series().places[k]
        file = os.open(path, os.O_RDONLY)
        try:
            assert os.preadv(file, [volume[k].data.cast("B")], offset) == length
        finally:
            os.close(file)

    with ThreadPoolExecutor(LEAST_THREADS) as pool:
        list(pool.map(read, range(FILES)))
    return volume


def volumes() -> Iterator[Work | Missing]:
    assert np.array_equal(loaded().pixels, floor())
    if hasattr(os, "preadv"):
        beside = "preadv of the same bytes, 2 threads"
        yield Work("600 files to one volume, warm", beside, loaded, floor, 1 / 1.5, 1 / 1.25,
                   quality="headers read and sorted too", seconds=4 * SECONDS)  # fmt: skip
    try:
        sitk: Any = importlib.import_module("SimpleITK")
    except ImportError:
        yield Missing(
            "600 files to one volume, warm", "SimpleITK series reader", "SimpleITK is not installed"
        )
        return

    def theirs() -> object:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(series().folder)))
        return sitk.GetArrayViewFromImage(reader.Execute()).shape

    yield Work("600 files to one volume, warm", "SimpleITK series reader", loaded, theirs, 4, 6)


def _manifest(count: int, one_object: bool) -> SeriesManifest:
    """Many small pictures in one file: what is measured is what each picture costs beside its pixels."""
    path = series().folder / f"many-{count}"
    if not path.exists():
        path.write_bytes(bytes(128 * 128 * 2 * count))
    size = 128 * 128 * 2
    shared: dict[str, object] = {
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], "PixelSpacing": [1.0, 1.0],
        "FrameOfReferenceUID": "2.25.4", "BitsAllocated": 16, "BitsStored": 16, "PixelRepresentation": 1,
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
    }  # fmt: skip
    places = [LocalFile(str(path), k * size, size, "1.2.840.10008.1.2.1") for k in range(count)]
    at = [{"ImagePositionPatient": [0.0, 0.0, float(k)]} for k in range(count)]
    made: tuple[InstanceManifest, ...]
    syntax = "1.2.840.10008.1.2.1"
    if one_object:
        whole = {**shared, "Frames": at}
        made = (InstanceManifest("2.25.9", "2.25", syntax, 1, 128, 128, count, whole, tuple(places)),)
    else:
        made = tuple(
            InstanceManifest(f"2.25.9.{k}", "2.25", syntax, k, 128, 128, 1,
                             {**shared, **at[k]}, (places[k],))
            for k in range(count)
        )  # fmt: skip
    return SeriesManifest(f"2.25.8.{count}", "CT", 1, "many", "", "", made)


def _open(count: int, one_object: bool) -> None:
    loader = Loader(workers=LEAST_THREADS)
    try:
        (shown,) = display_sets(_manifest(count, one_object))
        loader.load(shown).done.result(300)
    finally:
        loader.close()


def same_time_a_picture(name: str, count: int, one_object: bool = False) -> Work:
    """600 pictures, as many times as make the larger series: 1 says that a picture costs the same."""
    times = round(count / FILES)

    def few() -> None:
        for _ in range(times):
            _open(FILES, one_object)

    return Work(name, f"{times} x 600 of the same", lambda: _open(times * FILES, one_object), few, 0.8, 0.95,
                quality="128 x 128, display set and loading", seconds=1.0)  # fmt: skip


def memory() -> Seen:
    """Resident growth of this process with the 600 slices open, beside their pixels; without the window."""
    series()
    gc.collect()
    before = _resident()
    kept = loaded()
    grown = _resident() - before
    return Seen("memory with 600 slices open, engine alone", "its pixels", "MiB", grown / 2**20,
                kept.pixels.nbytes / 2**20, 450, 250)  # fmt: skip


def _resident() -> int:
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if told.is_file() else 0
