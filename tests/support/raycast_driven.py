"""Run by `tests/property/kernels_sanitized_test.py` in a process of its own: the ray caster built with
sanitizers, driven over edges and rubbish for a bounded time.

    python -m tests.support.raycast_driven FOLDER SECONDS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.support.kernels_driven import loaded, three

SIDES = [2, 3, 8, 9, 10, 17, 18, 26]


def any_vectors(rng: np.random.Generator, shape: tuple[int, ...]) -> list[tuple[float, float, float]]:
    """Origin, across, down, along: sane, along an axis, tiny, huge, near and far."""
    reach = rng.choice([1e-9, 0.3, 1.0, 1.0, 1.0, 40.0, 1e6])
    axes = rng.normal(size=(3, 3)) * reach
    if rng.random() < 0.4:
        axes = np.eye(3)[rng.permutation(3)] * rng.choice([-1.0, 0.0, 0.5, 1.0], 3)[:, None]
    middle = (np.array(shape[::-1]) - 1) / 2
    origin = middle + rng.normal(size=3) * rng.choice([0.0, 1.0, 30.0, 1e7])
    return [three(np.clip(v, -1e9, 1e9)) for v in (origin, *axes)]


def arguments(raycast: ModuleType, rng: np.random.Generator) -> dict[str, Any]:
    """Everything `cast` is told, of a fresh block of memory each, so that its ends are guarded."""
    shape = tuple(int(n) for n in rng.choice(SIDES, 3))
    volume = rng.integers(-32768, 32767, shape, dtype=np.int16, endpoint=True)
    if rng.random() < 0.6:
        volume[rng.random(shape) < 0.9] = -1000
    blocks = raycast.block_shape(volume)
    ranges, leaps = np.empty((*blocks, 2), np.int16), np.empty(int(np.prod(blocks)) + 4, np.uint8)
    raycast.ranges(volume, ranges, 0, blocks[0])
    entries = int(rng.choice([2, 16, 4096]))
    alpha = np.where(rng.random(entries) < 0.5, 0.0, rng.random(entries) ** 4).astype(np.float32)
    mask = rng.integers(0, 2, shape, dtype=np.uint8) if rng.random() < 0.4 else None
    scale, bias = float(rng.choice([0.0, 1.0, -0.1, 1e9, entries / 65536])), float(rng.normal() * 1000)
    raycast.leaps(volume, ranges, mask, alpha, scale, bias, leaps)
    width, rows = int(rng.choice([1, 3, 4, 5, 17])), int(rng.choice([1, 2, 3, 7]))
    origin, across, down, along = any_vectors(rng, shape)
    planes = rng.normal(size=(int(rng.integers(1, 9)), 4)) * 10 if rng.random() < 0.4 else None
    lit = rng.random() < 0.5
    return {
        "volume": volume, "ranges": ranges, "leaps": leaps, "mask": mask,
        "out": np.empty((rows, width, 3), np.uint8), "width": width, "row0": 0, "row1": rows,
        "origin": origin, "across": across, "down": down, "along": along, "planes": planes,
        "mode": int(rng.integers(0, 3)), "scale": scale, "bias": bias, "alpha": alpha,
        "colour": rng.integers(0, 1 << 30, entries, dtype=np.uint32),
        "edge": rng.random(256).astype(np.float32) if lit else None,
        "edge_scale": float(rng.choice([0.0, 1e-3, 9.0])),
        "light": rng.random((257, 2)).astype(np.float32) if lit else None,
        "metric": tuple(rng.normal(size=6)), "sight": three(rng.normal(size=3)),
        "faint": float(rng.choice([0.0, 50.0])), "floor": float(rng.choice([-np.inf, 0.0])),
        "ceiling": float(rng.choice([np.inf, 100.0])), "newest": None, "mine": 0,
    }  # fmt: skip


def drive(raycast: ModuleType, rng: np.random.Generator) -> None:
    """One picture, one cut with scissors, and what has to be refused."""
    said = arguments(raycast, rng)
    assert raycast.cast(*said.values())
    shape = said["volume"].shape
    stencil = rng.integers(0, 2, (int(rng.integers(1, 9)), int(rng.integers(1, 9))), dtype=np.uint8)
    pairs = [tuple(float(v) for v in rng.normal(size=2) * rng.choice([1.0, 1e8])) for _ in range(4)]
    raycast.snip(np.ones(shape, np.uint8), shape, stencil, *pairs, bool(rng.integers(2)), 0, shape[0])
    bad = float(rng.choice([np.nan, np.inf, 1e300]))
    wrong: dict[str, Any] = {
        "origin": (bad, 0.0, 0.0), "along": (0.0, bad, 0.0), "volume": said["volume"][:1], "row1": 99999,
        "leaps": said["leaps"][:-1], "ranges": said["ranges"][:, :, :, :1], "out": said["out"][:-1],
        "alpha": said["alpha"][:1], "colour": said["colour"][:-1], "planes": np.full((33, 4), 1.0), "mode": 3,
        "edge": np.zeros(9, np.float32), "light": np.zeros(9, np.float32), "mask": np.zeros(3, np.uint8),
        "newest": np.zeros(2, np.int32),
    }  # fmt: skip
    for name, value in wrong.items():
        try:
            raycast.cast(*{**said, name: value}.values())
        except (ValueError, TypeError, BufferError):
            continue
        raise AssertionError(f"{name} was not refused")


def main() -> None:
    """Drive every instruction set in turn until the time is over; the last line says how often."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    raycast = loaded(folder, "_raycast")
    choices = raycast.choices()
    until, rounds = time.monotonic() + seconds, 0
    while rounds < len(choices) * 8 or time.monotonic() < until:
        raycast.use(choices[rounds % len(choices)])
        drive(raycast, np.random.default_rng(rounds))
        rounds += 1
    print(f"{rounds} rounds on {', '.join(choices)}")


if __name__ == "__main__":
    main()
