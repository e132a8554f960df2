"""Run by `tests/property/kernels_sanitized_test.py` in a process of its own: compiled modules built with
sanitizers, driven over edges and rubbish for a bounded time.

    python -m tests.support.kernels_driven FOLDER SECONDS
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pacs_core.dicom import rle_fallback, scan_fallback
from pacs_core.dicom.file_scan import SYNTAXES, Wanted, scan_in_python
from tests.support.encoded_frames import LOSSLESS, jpeg2000_of, jpegls_of_bits, picture
from workstation.rendering.engines.engine import Cut, Flat, Layer, Ribbon
from workstation.rendering.engines.kernel import KernelEngine
from workstation.session.view_state import Interpolation, SlabMode

TYPES = ["int16", "uint16", "uint8"]
MODES = list(SlabMode)
WAYS = list(Interpolation)
JPEG_LS_FRAMES = [jpegls_of_bits(picture(24, 31, bits, False, 1, bits), bits) for bits in (2, 8, 12, 16)]
JPEG_2000_FRAMES = [
    *(LOSSLESS["1.2.840.10008.1.2.4.90"](picture(24, 31, bits, signed, 1, bits), bits)
      for bits, signed in ((1, False), (8, True), (12, False), (16, True))),
    LOSSLESS["1.2.840.10008.1.2.4.90"](picture(17, 20, 8, False, 3), 8),
    jpeg2000_of(picture(70, 80, 8, False, 1, 900), tile_size=(33, 50), codeblock_size=(16, 16)),
    jpeg2000_of(picture(40, 90, 8, False, 1), precinct_size=(32, 64), codeblock_size=(4, 64),
                progression="PCRL"),
    jpeg2000_of(picture(64, 64, 8, False, 3), quality_layers=[9, 3, 1], num_resolutions=3,
                progression="RLCP"),
]  # fmt: skip
TAGS = [group << 16 | number for group in (0x0008, 0x0020, 0x0028, 0x7FE0) for number in range(0x60)]


def loaded(folder: Path, name: str) -> ModuleType:
    """The compiled module of that name in the folder, whatever package it belongs to."""
    path = str(folder / f"{name}.so")
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def three(values: Any) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def any_volume(rng: np.random.Generator) -> Any:
    """1 to 24 voxels a side, thin ones often; a fresh block of memory each, so that its ends are guarded."""
    shape = tuple(int(n) for n in rng.choice([1, 2, 3, 4, 5, 8, 9, 17, 24], 3))
    kind = rng.choice(TYPES)
    return rng.integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)


def any_cut(rng: np.random.Generator, volume: Any) -> Cut:
    """Anything from a sane plane to steps of a million voxels, starting at, near or far from the edges."""
    reach = rng.choice([1e-12, 1e-3, 0.5, 1.0, 1.0, 3.0, 1e6])
    axes = rng.normal(size=(3, 3)) * reach
    if rng.random() < 0.4:
        axes = np.eye(3)[rng.permutation(3)] * rng.choice([-1.0, 0.0, 0.5, 1.0], 3)[:, None]
    corner = rng.choice([-0.5, -1e-9, 0.0, 1e-9, 0.5, 1e9], 3)
    if rng.random() < 0.6:
        corner = (np.array(volume.shape[::-1]) - 1.0) * rng.choice([0.0, 0.5, 1.0]) - axes[0] * rng.integers(
            0, 20
        )
    corner = np.clip(corner, -1e9, 1e9)
    width, height, planes = (
        int(rng.choice(n)) for n in ([1, 7, 8, 9, 40, 130], [1, 2, 5], [1, 1, 2, 17, 40])
    )
    if rng.random() < 0.2:  # in steps that are no whole number of bits, down to the very first voxel
        axes = np.full((3, 3), -rng.choice([0.1, 0.3, 0.7]))
        corner = (np.array([width, width, width]) - 1) * -axes[0] + (planes - 1) * -axes[2]
        height = 1
    return Cut(
        three(corner), three(axes[0]), three(axes[1]), width, height, three(axes[2]), planes,
        MODES[rng.integers(3)], WAYS[rng.integers(3)],
    )  # fmt: skip


def drive_cuts(engine: KernelEngine, rng: np.random.Generator) -> None:
    """Each way to a picture once, over one volume."""
    volume = any_volume(rng)
    cut = any_cut(rng, volume)
    table = rng.integers(0, 256, 65536, dtype=np.uint8)
    stations = np.cumsum(rng.uniform(0.1, 3.0, volume.shape[0])) if rng.random() < 0.3 else None
    if stations is not None:
        stations -= stations[0]
    engine.cut(volume, cut, 3, stations)
    engine.cut_grey(volume, cut, table, 3, stations)
    rows = np.clip(rng.normal(size=(cut.height, 9)) * rng.choice([0.5, 5.0, 1e5]), -1e9, 1e9)
    engine.curved(volume, Ribbon(rows, cut.width, cut.planes, cut.mode, cut.interpolation), 3, stations)
    engine.projected(volume, replace(cut, interpolation=Interpolation.LINEAR), table, 3)
    other = any_volume(rng)
    above = replace(any_cut(rng, other), width=cut.width, height=cut.height)
    colours = rng.integers(0, 256, (256, 4), dtype=np.uint8)
    engine.fused(Layer(volume, cut, table, stations), Layer(other, above, table), colours)
    flat = Flat(
        cut.origin[:2],
        cut.across[:2],
        cut.down[:2],
        cut.width,
        cut.height,
        int(rng.integers(1, 5)),
        cut.interpolation,
    )
    engine.flat(volume[0], flat, table, 3)
    coloured = rng.integers(0, 256, (*volume.shape[1:], 3), dtype=np.uint8)
    engine.flat(coloured, flat, None, 3)


def drive_rubbish(engine: KernelEngine, rng: np.random.Generator) -> None:
    """What has to be refused, and refused without a look at memory that is not there."""
    volume = any_volume(rng)
    sane = Cut((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 8, 2)
    bad = float(rng.choice([np.nan, np.inf, -np.inf, 1e300]))
    table = np.zeros(65536, dtype=np.uint8)
    calls = [
        lambda: engine.cut(volume, replace(sane, across=(bad, 0.0, 0.0))),
        lambda: engine.cut(volume, replace(sane, planes=-1)),
        lambda: engine.cut(volume.astype(np.float32), sane),
        lambda: engine.cut(volume[..., ::-1], sane),
        lambda: engine.cut_grey(volume, sane, table[:100]),
        lambda: engine.cut(volume, sane, 0, np.zeros(volume.shape[0] + 1)),
        lambda: engine.curved(volume, Ribbon(np.full((2, 9), bad), 8)),
        lambda: engine.projected(volume, replace(sane, through=(0.0, bad, 0.0)), table),
        lambda: engine.fused(
            Layer(volume, sane, table), Layer(volume, sane, table[:9]), np.zeros((256, 4), np.uint8)
        ),
        lambda: engine.flat(volume[0], Flat((bad, 0.0), (1.0, 0.0), (0.0, 1.0), 4, 4), table),
    ]
    refused = 0
    for call in calls:
        try:
            call()
        except (ValueError, TypeError, BufferError):
            refused += 1
    assert refused >= len(calls) - 2, refused  # one voxel turned about is still in order


def element(rng: np.random.Generator) -> bytes:
    """One data element, often whole, often not."""
    group, number = int(rng.choice([0x0008, 0x0020, 0x0028, 0x7FE0])), int(rng.integers(0, 0x60))
    kind = rng.choice([b"CS", b"DS", b"OW", b"OB", b"SQ", b"UN", b"UI", b"US", b"\0\0"])
    length = int(rng.choice([0, 2, 4, 8, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF]))
    head = group.to_bytes(2, "little") + number.to_bytes(2, "little") + bytes(kind)
    long = kind in (b"OW", b"OB", b"SQ", b"UN")
    head += b"\0\0" + length.to_bytes(4, "little") if long else (length & 0xFFFF).to_bytes(2, "little")
    return head + rng.bytes(min(length, int(rng.integers(0, 40))))


def drive_scan(scan: ModuleType, rng: np.random.Generator) -> None:
    """Rubbish, and things that look like data sets, through the header scan; its twin says the same."""
    whole = rng.random() < 0.8
    data = (
        b"".join(element(rng) for _ in range(rng.integers(0, 12)))
        if whole
        else rng.bytes(int(rng.integers(0, 300)))
    )
    end = len(data) + int(rng.choice([0, 0, 1, 50]))
    implicit = bool(rng.random() < 0.3)
    tags = tuple(sorted({int(tag) for tag in rng.choice(TAGS, rng.integers(0, 5))}))
    for name, more in (("scan", ()), ("items", ()), ("pick", (tags,))):
        compiled, twin = (getattr(module, name) for module in (scan, scan_fallback))
        told = [_told(ask, data, 0, end, implicit, *more) for ask in (compiled, twin)]
        assert told[0] == told[1], (name, data.hex(), tags)


def _any_place(rng: np.random.Generator) -> tuple[str, int, int]:
    return str(rng.choice(["CS", "US"])), int(rng.integers(0, 13)), int(rng.integers(0, 13))


def drive_differing(scan: ModuleType, rng: np.random.Generator) -> None:
    """Two sets of places in rubbish, alike or not, within their bytes or beyond; its twin says the same."""
    ours, theirs = (
        rng.integers(0, 2, 24, dtype=np.uint8).tobytes(),
        rng.integers(0, 2, 24, dtype=np.uint8).tobytes(),
    )
    tags = [int(tag) for tag in rng.permutation(8)[: rng.integers(0, 8)]]
    some, those = ({tag: _any_place(rng) for tag in tags} for _ in range(2))
    assert scan.differing(ours, some, theirs, those) == scan_fallback.differing(ours, some, theirs, those)
    beyond = {tag: ("CS", int(rng.choice([0, 25, 1 << 62])), (1 << 64) - 1) for tag in tags}
    assert not tags or _told(scan.differing, ours, beyond, theirs, those)


def drive_file(scan: ModuleType, rng: np.random.Generator, folder: Path) -> None:
    """Files whole, cut and damaged, beside what Python reads of them; what is equal to before is shared."""
    wanted = Wanted(tuple(sorted({int(tag) for tag in rng.choice(TAGS, rng.integers(1, 6))})), ())
    syntax = bytes(
        rng.choice([b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", b"9"])
    )
    meta = b"\x02\0\x10\0UI" + len(syntax).to_bytes(2, "little") + syntax
    length = int(rng.choice([len(meta), len(meta), 0, 4, 0xFFFFFFFF]))
    head = bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + length.to_bytes(4, "little") + meta
    data = head + b"".join(element(rng) for _ in range(rng.integers(0, 12)))
    path = folder / "driven.dcm"
    path.write_bytes(data[: rng.integers(0, len(data))] if rng.random() < 0.2 else data)
    told = [
        _told(lambda: scan.file(str(path), wanted.tags, SYNTAXES, None)[:2]),
        _told(scan_in_python, path, wanted),
    ]
    assert told[0] == told[1], (data.hex(), wanted.tags)
    if isinstance(told[0], tuple) and isinstance(told[0][1], list):
        _, values, changed = scan.file(str(path), wanted.tags, SYNTAXES, told[0][1])
        assert (values, changed) == (told[0][1], [])
        other = [b"other", *told[0][1][1:]]
        assert scan.file(str(path), wanted.tags, SYNTAXES, other)[2] == [0]


def drive_fill(fill: ModuleType, rng: np.random.Generator, folder: Path) -> None:
    """Frames in order, beyond the file's end, of no file, and such as would lie outside the array."""
    content = rng.bytes(int(rng.choice([0, 1, 100, 5000])))
    path = folder / "driven.bin"
    path.write_bytes(content)
    array = bytearray(int(rng.choice([0, 1, 64, 4096])))
    expected = bytearray(array)
    frames, filled = [], []
    for _ in range(rng.integers(0, 6)):
        at = int(rng.integers(0, len(array) + 1))
        length, offset = int(rng.integers(0, len(array) - at + 1)), int(rng.choice([0, 1, 50, 4990, 1 << 40]))
        there = rng.random() < 0.8
        frames.append((str(path if there else folder / "absent"), offset, at, length))
        part = content[offset : offset + length] if there else b""
        expected[at : at + len(part)] = part
        filled.append(there and len(part) == length)
    assert [bool(n) for n in fill.fill(array, frames)] == filled, frames
    assert array == expected
    large = 1 << 62
    for bad in ((str(path), -1, 0, 0), (str(path), 0, len(array), 1), (str(path), large, 0, large),
                (str(path), 0, -1, 0), (str(path), 0, 1, large), ("\0", 0, 0, 0)):  # fmt: skip
        assert isinstance(_told(fill.fill, array, [*frames, bad]), tuple), bad


def drive_jpegls(jpegls: ModuleType, rng: np.random.Generator) -> None:
    """Frames with headers in order and anything behind them; good ones with bytes changed, cut and put in."""
    rows, columns, bits = int(rng.integers(1, 12)), int(rng.integers(1, 40)), int(rng.integers(2, 17))
    frame = bytearray(JPEG_LS_FRAMES[int(rng.integers(0, len(JPEG_LS_FRAMES)))])
    if rng.random() < 0.5:
        rows, columns = (int.from_bytes(frame[at : at + 2], "big") for at in (7, 9))
    else:
        size = bytes([bits, 0, rows, 0, columns, 1, 1, 0x11, 0])
        preset = b"\xff\xf8\0\x0d\1" + rng.bytes(10) if rng.random() < 0.3 else b""
        data = bytes(rng.choice([0, 255, 0x7F, 0x80, int(rng.integers(0, 256))], rng.integers(0, 90)))
        data = rng.bytes(int(rng.integers(0, 200))) if rng.random() < 0.5 else bytes(data)
        scan = b"\xff\xda\0\x08\1\1\0\0\0\0" + data + b"\xff\xd9"
        frame = bytearray(b"\xff\xd8\xff\xf7\0\x0b" + size + preset + scan)
    for _ in range(int(rng.choice([0, 0, 1, 3]))):
        at = int(rng.integers(0, len(frame)))
        frame[at : at + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 3)))
    if len(frame) > 2 and rng.random() < 0.1:
        del frame[int(rng.integers(0, len(frame))) :]
    found = _told(jpegls.decode, bytes(frame), rows, columns)
    assert isinstance(found, tuple)
    if len(found) == 2:
        assert len(found[1]) == rows * columns * found[0]


def drive_jpeg2000(jpeg2000: ModuleType, rng: np.random.Generator) -> None:
    """Frames whole, and with bytes changed, cut and put in, more often in their headers than behind them."""
    frame = bytearray(JPEG_2000_FRAMES[int(rng.integers(0, len(JPEG_2000_FRAMES)))])
    for _ in range(int(rng.choice([0, 1, 2, 4]))):
        at = int(rng.integers(0, min(len(frame), rng.choice([130, 250, len(frame)]))))
        kind = rng.random()
        if kind < 0.5:
            frame[at] ^= 1 << int(rng.integers(0, 8))
        elif kind < 0.8:
            frame[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(0, 256))]))
        else:
            frame[at : at + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 3)))
    if len(frame) > 100 and rng.random() < 0.1:
        del frame[int(rng.integers(0, len(frame))) :]
    right, bottom, left, top = (int.from_bytes(frame[8 + 4 * n : 12 + 4 * n], "big") for n in range(4))
    rows, columns, samples = bottom - top, right - left, int.from_bytes(frame[40:42], "big")
    if not (0 < rows * columns < 1 << 20 and samples < 5):
        rows, columns, samples = 24, 31, 1
    found = _told(jpeg2000.decode, bytes(frame), rows, columns, samples)
    assert isinstance(found, tuple)
    if len(found) == 3:
        assert len(found[2]) == rows * columns * samples * found[0]


def drive_rle(rle: ModuleType, rng: np.random.Generator) -> None:
    """Segments whole, cut, and with headers that lie; its twin says the same."""
    samples, width = (int(n) for n in rng.choice([0, 1, 1, 2, 3, 4, 16], 2))
    pixels = int(rng.choice([0, 1, 2, 3, 64, 1000]))
    count = max(1, min(15, samples * width))
    segments = [rng.bytes(int(rng.integers(0, 80))) for _ in range(count)]
    places = np.cumsum([64, *(len(segment) for segment in segments[:-1])], dtype=np.uint32)
    if rng.random() < 0.3:
        places[rng.integers(0, count)] = rng.choice([0, 63, 65, 1 << 20, 0xFFFFFFFF])
    said = int(rng.choice([count, count, count, 0, 16, 0xFFFFFFFF]))
    head = said.to_bytes(4, "little") + places.astype("<u4").tobytes()
    frame = head.ljust(64, b"\0") + b"".join(segments)
    if rng.random() < 0.3:
        frame = frame[: rng.integers(0, len(frame))]
    told = [_told(module.decode, frame, pixels, samples, width) for module in (rle, rle_fallback)]
    assert told[0] == told[1], (frame.hex(), pixels, samples, width)


def _told(ask: Callable[..., object], *arguments: object) -> object:
    """What is answered, or the words of the refusal."""
    try:
        return ask(*arguments)
    except ValueError as why:
        return why.args


def main() -> None:
    """Drive every instruction set in turn until the time is over; the last line says how often."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    parts = [loaded(folder, name) for name in ("_kernels", "_fusion", "_project")]
    engine = KernelEngine(*parts)
    scan, rle, fill = (loaded(folder, name) for name in ("_scan", "_rle", "_fill"))
    jpegls, jpeg2000 = loaded(folder, "_jpegls"), loaded(folder, "_jpeg2000")
    choices = parts[0].choices()
    until = time.monotonic() + seconds
    rounds = 0
    while rounds < len(choices) * 8 or time.monotonic() < until:
        rng = np.random.default_rng(rounds)
        for part in parts:
            part.use(choices[rounds % len(choices)])
        drive_cuts(engine, rng)
        for _again in range(20):
            drive_scan(scan, rng)
            drive_differing(scan, rng)
            drive_rle(rle, rng)
            drive_file(scan, rng, folder)
            drive_fill(fill, rng, folder)
            drive_jpegls(jpegls, rng)
            drive_jpeg2000(jpeg2000, rng)
        if rounds % 10 == 0:
            drive_rubbish(engine, rng)
        rounds += 1
    print(f"{rounds} rounds on {', '.join(choices)}")


if __name__ == "__main__":
    main()
