"""The compiled modules under the address and undefined-behaviour sanitizers, over edges and rubbish."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machine import CHECKOUT
from tests.support.sanitized import drive

DRIVERS = {
    "tests.support.kernels_driven": [
        "pacs_core/dicom/_fill.c",
        "pacs_core/dicom/_jpeg2000.c",
        "pacs_core/dicom/_jpegls.c",
        "pacs_core/dicom/_rle.c",
        "pacs_core/dicom/_scan.c",
        "workstation/imaging/_fusion.c",
        "workstation/imaging/_kernels.c",
        "workstation/imaging/_project.c",
    ],
    "tests.support.raycast_driven": ["workstation/rendering/_raycast.c"],
}
SECONDS = 6.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("driver", DRIVERS)
def test_no_memory_error_and_nothing_undefined(driver: str, tmp_path: Path) -> None:
    drive(driver, DRIVERS[driver], tmp_path, SECONDS)


def test_every_compiled_module_is_driven() -> None:
    compiled = {
        path.relative_to(CHECKOUT).as_posix()
        for house in ("pacs_core", "workstation")
        for path in (CHECKOUT / house).rglob("_*.c")
    }
    assert compiled == {source for sources in DRIVERS.values() for source in sources}
