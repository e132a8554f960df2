"""The registering child: is given two sampled volumes, lays one upon the other, answers, and ends.

Started by ``python -m workstation.session.registration_process`` or, frozen, by the hidden subcommand
``registration``. It gives way to everything else on the machine and leaves at once when its parent does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys

import numpy as np

from workstation.imaging.registration import Confidence, NoRegistration, Registration, register_samples
from workstation.imaging.registration_grid import Samples, toolkit
from workstation.imaging.registration_transform import Transform
from workstation.session.child_pipes import Header, own_ends, requests, write_frame

SUBCOMMAND = "registration"
NICE = 5
BELOW_NORMAL = 0x4000  # BELOW_NORMAL_PRIORITY_CLASS


def main(argv: list[str] | None = None) -> int:
    """Answer until the parent closes the pipe."""
    parser = argparse.ArgumentParser(
        prog=SUBCOMMAND, description="registration of a prior for the workstation; not for hand use"
    )
    parser.parse_args(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the parent's business
    asked, answers = own_ends()
    step_aside()
    toolkit()  # loaded while the parent still samples
    with contextlib.suppress(OSError):  # the parent is gone
        for header, body in requests(asked):
            write_frame(answers, {"id": header.get("id"), **_answer(header, body)})
    return 0


def step_aside() -> None:
    """Let every other process go first."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), BELOW_NORMAL)
    else:
        os.nice(NICE)


def _answer(header: Header, body: bytes) -> Header:
    """The answer to one request; a failure is an answer too (this is the child's edge)."""
    try:
        current, prior = unpacked(header, body)
        return {"ok": True, "found": plain(register_samples(current, prior, affine=bool(header["affine"])))}
    except (ValueError, ArithmeticError, LookupError, TypeError, RuntimeError, MemoryError) as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}  # SimpleITK raises RuntimeError


def packed(current: Samples, prior: Samples, affine: bool) -> tuple[Header, bytes]:
    """The request that `unpacked` reads."""
    pairs = [_packed(samples) for samples in (current, prior)]
    header = {"do": "register", "affine": affine, "volumes": [header for header, _ in pairs]}
    return header, b"".join(body for _, body in pairs)


def _packed(samples: Samples) -> tuple[Header, bytes]:
    arrays = [samples.values.astype("<f4"), samples.valid]
    if samples.counts is not None:
        arrays.append(samples.counts)
    header = {
        "shape": samples.values.shape,
        "origin": samples.origin.tolist(),
        "mm": samples.mm,
        "modality": samples.modality,
        "counts": samples.counts is not None,
    }
    return header, b"".join(array.tobytes() for array in arrays)


def unpacked(header: Header, body: bytes) -> tuple[Samples, Samples]:
    """Current and prior; raises ValueError, LookupError or TypeError where the request is none."""
    found, at = [], 0
    for one in header["volumes"]:
        shape = tuple(int(n) for n in one["shape"])
        count = int(np.prod(shape))
        arrays = []
        for kind in ("<f4", "?", "?")[: 3 if one["counts"] else 2]:
            array = np.frombuffer(body, kind, count, at).reshape(shape)
            at += array.nbytes
            arrays.append(array)
        counts = arrays[2] if one["counts"] else None
        origin = np.array(one["origin"], dtype=np.float64)
        found.append(Samples(arrays[0], arrays[1], origin, float(one["mm"]), str(one["modality"]), counts))
    current, prior = found
    return current, prior


def plain(found: Registration | NoRegistration) -> Header:
    """What was found, as `from_plain` reads it."""
    if isinstance(found, NoRegistration):
        return {"reason": found.reason}
    return {
        "matrix": found.transform.matrix.tolist(),
        "offset": found.transform.offset.tolist(),
        "confidence": str(found.confidence),
        "kind": found.kind,
        "similarity": found.similarity,
        "overlap": found.overlap,
        "spread_mm": found.spread_mm,
    }


def from_plain(found: Header) -> Registration | NoRegistration:
    """The way back; raises LookupError, TypeError or ValueError where it says something else."""
    if "reason" in found:
        return NoRegistration(str(found["reason"]))
    matrix, offset = (np.array(found[name], dtype=np.float64) for name in ("matrix", "offset"))
    if matrix.shape != (3, 3) or offset.shape != (3,):
        raise ValueError("the transform is none")
    numbers = (float(found[name]) for name in ("similarity", "overlap", "spread_mm"))
    return Registration(
        Transform(matrix, offset), Confidence(found["confidence"]), str(found["kind"]), *numbers
    )


if __name__ == "__main__":
    sys.exit(main())
