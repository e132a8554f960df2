"""No GPL in what is installed by default, the libraries inside wheels included (docs/licences.md)."""

import importlib.metadata
import mmap
import os
import re
import sysconfig
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
WHEELS = Path(sysconfig.get_paths()["purelib"])

LOCKED = re.findall(
    r"^([a-z0-9._-]+)==(\S+)",
    (CHECKOUT / "requirements" / "lock.txt").read_text(encoding="utf-8"),
    re.MULTILINE,
)
GPL_LIBRARIES = re.compile(
    r"(?:lib)?(x264|x265|xvidcore|faac|mad|postproc|vidstab|rubberband|fftw3\w*|gsl|gslcblas|readline|lzo2|cholmod"
    r"|umfpack|spqr|jbig|jbigkit|mupdf|gs|poppler|cdio|dvdcss|dvdread|samplerate0|de265|mysqlclient|rtmp"
    r"|qt6?(charts|datavisualization|graphs|lottie\w*|quicktimeline\w*|quick3d\w*|virtualkeyboard\w*"
    r"|waylandcompositor|networkauth|httpserver|grpc\w*|mqtt|coap))"
    r"(-[0-9a-f]{8})?(\.abi3)?\.(so|dylib|dll|pyd)(\.[0-9.]+)?",
    re.IGNORECASE,
)
LIBRARY = re.compile(r"\.(so|dylib|dll|pyd)(\.[0-9.]+)?$", re.IGNORECASE)


def gpl_alone(expression: str) -> bool:
    """Does a licence text leave no way but the GPL (the Lesser one is another)?"""
    ways = re.split(r" (?:OR|or) |/", expression)
    gpl = [re.search(r"\b(A?GPL|GNU (Affero )?General Public)", way, re.IGNORECASE) for way in ways]
    return bool(expression) and all(gpl)


def licence_texts(name: str) -> list[str]:
    """What a distribution says of its licence: the expression, else classifiers, else the free field."""
    said = importlib.metadata.metadata(name)
    classified = [text for text in said.get_all("Classifier", []) if text.startswith("License ::")]
    return (
        [said["License-Expression"]] if said["License-Expression"] else classified or [said["License"] or ""]
    )


def files_of_wheels() -> list[Path]:
    """Every file that is installed."""
    return [Path(folder, name) for folder, _, names in os.walk(WHEELS) for name in names]


@pytest.mark.parametrize(
    ("expression", "gpl"),
    [
        ("GPL-3.0-only", True),
        ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)", True),
        ("AGPL-3.0-or-later", True),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT", False),
        ("", False),
    ],
)
def test_what_counts_as_gpl(expression, gpl):
    assert gpl_alone(expression) is gpl


def test_no_locked_distribution_is_gpl():
    here = {one.metadata["Name"].lower().replace("_", "-") for one in importlib.metadata.distributions()}
    locked = sorted({name for name, _ in LOCKED} & here)
    assert len(locked) > 60
    assert [name for name in locked if all(gpl_alone(text) for text in licence_texts(name))] == []


def test_no_library_known_to_be_gpl_lies_inside_a_wheel():
    libraries = [path for path in files_of_wheels() if LIBRARY.search(path.name)]
    assert len(libraries) > 300
    assert [path.name for path in libraries if GPL_LIBRARIES.fullmatch(path.name)] == []


def test_a_gpl_library_would_be_seen():
    for name in (
        "libx265-0a1b2c3d.so.199",
        "libfftw3f.so.3",
        "libQt6QuickTimeline.so.6",
        "Qt6WaylandCompositor.dll",
    ):
        assert GPL_LIBRARIES.fullmatch(name), name
    for name in ("liblzokay-6a69d3ec.so", "libQt6WaylandClient.so.6", "libgif-f6507e95.so.7.2.0"):
        assert not GPL_LIBRARIES.fullmatch(name), name


def test_no_file_of_qt_says_gpl_alone():
    mark = b"LicenseRef-Qt-Commercial OR " + b"GPL-3.0-only"
    guilty = []
    for path in (WHEELS / "PySide6").rglob("*"):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
                guilty += [path.name] if held.find(mark) >= 0 else []
    assert guilty == []


def test_what_is_to_be_removed_is_gone():
    rows = (CHECKOUT / "requirements" / "removed.txt").read_text(encoding="utf-8").splitlines()
    patterns = [row.strip() for row in rows if row.strip() and not row.startswith("#")]
    assert [str(path) for pattern in patterns for path in WHEELS.glob(pattern)] == []


def test_the_list_of_licences_names_every_locked_version():
    text = (CHECKOUT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert [f"{name} {version}" for name, version in LOCKED if f"| {name} | {version} |" not in text] == []
