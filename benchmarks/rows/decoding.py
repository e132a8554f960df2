"""Compressed 16-bit frames on as many threads as there are cores, beside pydicom's plugins.

Each plugin is timed on one thread and on all, and the best of them at its best thread count stands in the
row. Plugins that are not installed are not looked for; `python-gdcm` may be offered by PYTHONPATH.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.pairing import SECONDS, Missing, Work
from benchmarks.rows.volumes import ct
from pacs_core.dicom.pixels import decode_frame, decoder_name
from pacs_core.dicom.transfer_syntaxes import name_of

CORES = os.cpu_count() or 2
FRAMES = 8
ROWS: tuple[tuple[str, float, float], ...] = (
    ("1.2.840.10008.1.2.5", 2, 4),
    ("1.2.840.10008.1.2.4.70", 2, 4),
    ("1.2.840.10008.1.2.4.80", 2, 4),
    ("1.2.840.10008.1.2.4.201", 2, 4),
    ("1.2.840.10008.1.2.4.90", 1.2, 2),
)
PLUGINS = ("gdcm", "pylibjpeg", "pyjpegls", "pillow")
"""pydicom's own RLE decoder in Python is 20 times slower than the others and left out."""


def works() -> Iterator[Work | Missing]:
    """A row a syntax."""
    frames = [np.clip(ct()[k].astype(np.int32) + 1024, 0, 4095).astype(np.uint16) for k in range(0, 600, 75)]
    for uid, least, aim in ROWS:
        encoded = [_encoded(uid, frame) for frame in frames]
        yield _row(uid, encoded, frames, least, aim)


def _encoded(uid: str, frame: np.ndarray[Any, Any]) -> bytes:
    import imagecodecs

    if uid.endswith("2.5"):
        from rle.utils import encode_pixel_data

        whole = frame.tobytes()
        return bytes(encode_pixel_data(whole, byteorder="<", rows=512, columns=512, samples_per_pixel=1,
                                       bits_allocated=16, number_of_frames=1))  # fmt: skip
    if uid.endswith(".70"):
        return bytes(imagecodecs.jpeg8_encode(frame, lossless=True, predictor=1, bitspersample=16))
    if uid.endswith(".80"):
        return bytes(imagecodecs.jpegls_encode(frame))
    if uid.endswith(".201"):
        return bytes(imagecodecs.htj2k_encode(frame, reversible=True))
    return bytes(imagecodecs.jpeg2k_encode(frame, reversible=True, codecformat="j2k", level=0))


def _row(
    uid: str, encoded: list[bytes], frames: list[np.ndarray[Any, Any]], least: float, aim: float
) -> Work | Missing:
    name = f"{FRAMES} frames of {name_of(uid)}"
    peers = {
        f"{p}, {n} thread(s)": _theirs(uid, p, n, encoded) for p in PLUGINS for n in (1, CORES) if _has(p)
    }
    working = {words: run for words, run in peers.items() if _right(run, frames)}
    if not working:
        return Missing(name, "pydicom's plugins", "no plugin that decodes it is installed")
    best = min(working, key=lambda words: _seconds(working[words]))

    def ours() -> list[np.ndarray[Any, Any]]:
        return _on(CORES, lambda data: decode_frame(data, uid, 512, 512), encoded)

    assert _right(ours, frames), name
    return Work(name, f"pydicom's {best}", ours, working[best], least, aim, quality=decoder_name(uid),
                seconds=3 * SECONDS)  # fmt: skip


def _has(plugin: str) -> bool:
    module = {"gdcm": "gdcm", "pylibjpeg": "pylibjpeg", "pyjpegls": "jpeg_ls", "pillow": "PIL"}[plugin]
    return importlib.util.find_spec(module) is not None


def _on(threads: int, decode: Callable[[bytes], Any], encoded: list[bytes]) -> list[Any]:
    if threads == 1:
        return [decode(data) for data in encoded]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(decode, encoded))


def _theirs(uid: str, plugin: str, threads: int, encoded: list[bytes]) -> Callable[[], list[Any]]:
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    wrapped = [encapsulate([data]) for data in encoded]
    options: dict[str, Any] = {
        "rows": 512, "columns": 512, "number_of_frames": 1, "samples_per_pixel": 1, "bits_allocated": 16,
        "bits_stored": 16, "pixel_keyword": "PixelData", "photometric_interpretation": "MONOCHROME2",
        "pixel_representation": 0, "planar_configuration": 0,
    }  # fmt: skip

    def decode(data: bytes) -> Any:
        return get_decoder(uid).as_array(data, index=0, raw=True, decoding_plugin=plugin, **options)[0]

    return lambda: _on(threads, decode, wrapped)


def _right(run: Callable[[], list[Any]], frames: list[np.ndarray[Any, Any]]) -> bool:
    """Whether it decodes these frames to the last bit; plugins raise where they cannot."""
    try:
        return all(np.array_equal(a, b) for a, b in zip(run(), frames, strict=True))
    except (RuntimeError, ValueError, NotImplementedError, TypeError, AttributeError):
        return False


def _seconds(run: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
