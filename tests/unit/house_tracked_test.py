"""Nothing of one machine, one site or one person stands in the files that everybody gets."""

import re

import pytest

from tests.machine import CHECKOUT, tracked

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~/-])/(?:work|farm|root|home/\w+|Users/\w+)/", re.ASCII),
    "where packages come from": re.compile(
        r"(?:extra-)?index-url\s*=|find-links\s*=|\bdeb(?:-src)? (?:\[[^]]*\] )?http|trusted-host\s*=",
        re.IGNORECASE,
    ),
    "a secret": re.compile(
        r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}\b"
    ),
}
ITSELF = "tests/unit/house_tracked_test.py"
SAMPLES = {
    "a path of one machine": ("open('/" + "root/x')", "see docs/root/x and ~/work/notes"),
    "where packages come from": ("extra-index-" + "url = file:///srv/simple", "the index of a study"),
    "a secret": ("-----BEGIN " + "PRIVATE KEY-----", "a private key is asked for"),
}


def texts():
    """Name and text of each tracked file that is text."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path.relative_to(CHECKOUT).as_posix(), data.decode("utf-8", "replace")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_pattern_finds_what_it_is_for(what):
    guilty, innocent = SAMPLES[what]
    assert FORBIDDEN[what].search(guilty)
    assert not FORBIDDEN[what].search(innocent)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what):
    found = [
        f"{name}: {hit.group()}"
        for name, text in texts()
        if name != ITSELF
        for hit in FORBIDDEN[what].finditer(text)
    ]
    assert found == []


def test_locks_and_ci_hold_no_addresses():
    files = tracked("requirements/*", ".ci/*")
    assert len(files) >= 4
    assert [path.name for path in files if "://" in path.read_text(encoding="utf-8")] == []


def test_no_sample_data_is_committed():
    kinds = {".dcm", ".dicom", ".nii", ".gz", ".bin", ".whl"}
    assert [path.name for path in tracked() if path.suffix.lower() in kinds] == []
