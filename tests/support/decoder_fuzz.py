"""Damaged frames into every decoder, in a process of its own.

``python -m tests.support.decoder_fuzz SEED SECONDS``: each frame is a good one with bytes changed, cut or put
in. A decoder may answer an array of the right shape or raise Damaged; anything else ends with status 1
and says which seed does it again. What was decoded is counted by syntax on the last line. A crash of native
code is seen by the caller as the process's end.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from pacs_core.dicom.pixels import decode_frame
from pacs_core.domain.errors import Damaged
from tests.support.encoded_frames import Encoded, samples

LONGEST = 20.0
"""Seconds that no frame of a few kilobytes takes, however busy the machine is."""


def damaged(good: bytes, chance: random.Random) -> bytes:
    """The bytes with one kind of harm, most often near the front where the headers are."""
    data = bytearray(good)
    where = chance.randrange(min(len(data), chance.choice((64, 512, len(data)))))
    kind = chance.randrange(6)
    if kind == 0:
        return bytes(data[:where])
    if kind == 1:
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        data[where] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
    elif kind == 3:
        data[where:where] = chance.randbytes(chance.randint(1, 16))
    elif kind == 4:
        data[where : where + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
    else:
        del data[where : where + chance.randint(1, 64)]
    return bytes(data)


def attempt(one: Encoded, data: bytes) -> str:
    """Decode; "decoded" or "refused", an AssertionError where the answer has another shape."""
    try:
        frame = decode_frame(
            data, one.uid, one.rows, one.columns, one.samples, one.allocated, one.stored, one.signed,
            one.photometric,
        )  # fmt: skip
    except Damaged:
        return "refused"
    wanted = (one.rows, one.columns) if one.samples == 1 else (one.rows, one.columns, one.samples)
    assert frame.shape == wanted, (frame.shape, wanted)
    return "decoded"


def rounds(seed: int) -> Iterator[tuple[int, Encoded, bytes]]:
    """Harm without end, the next seed for each frame."""
    good = samples()
    while True:
        chance = random.Random(seed)
        one = good[seed % len(good)]
        yield seed, one, damaged(one.data, chance)
        seed += 1


def main(seed: int, seconds: float) -> int:
    logging.disable(logging.CRITICAL)
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    for number, one, data in rounds(seed):
        if time.monotonic() > end:
            break
        print(number, one.uid, file=sys.stderr, flush=True)
        start = time.monotonic()
        outcome = attempt(one, data)
        took = time.monotonic() - start
        if took > LONGEST:
            print(f"seed {number} ({one.uid}) took {took:.0f} s")
            return 1
        counts[f"{one.uid} {outcome}"] += 1
    print(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
