"""Commands given wrongly: 2 and one line for a usage error, 1 and one line for what cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import command


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("serve", "--dicom"),
        ("import",),
        ("ae", "add", "CT1", "10.0.0.1", "not-a-port"),
        ("serve", "--dicom", "nonsense"),
        ("ae", "paint"),
        ("hl7-source", "add", "RIS"),
        ("destination", "add", "RIS", "10.0.0.2"),
        ("user", "add", "eva"),
        ("token", "add", "viewer"),
        ("trace",),
    ],
    ids=" ".join,
)
def test_a_usage_error_ends_with_2_and_says_what_was_wrong(words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().splitlines()[-1].startswith("reading-room")
    assert ": error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ae", "remove", "NOBODY"), "NOBODY"),
        (("ae", "echo", "NOBODY"), "NOBODY"),
        (("ae", "add", "x" * 17, "10.0.0.1", "104"), "16"),
        (("ae", "add", "CT1", "10.0.0.1", "0"), "port"),
        (("ae", "add", "CT1", "10.0.0.1", "104", "--modality", "Bogus"), "modality"),
        (("hl7-source", "remove", "NOBODY"), "NOBODY"),
        (("hl7-source", "add", "RIS", "10.0.0.1", "--map", "/nowhere/map.toml"), "/nowhere/map.toml"),
        (("destination", "remove", "NOBODY"), "NOBODY"),
        (("user", "passwd", "nobody", "--password-stdin"), "nobody"),
        (("user", "disable", "nobody"), "nobody"),
        (("token", "revoke", "nobody"), "nobody"),
        (("trace", "NOTHING1"), "NOTHING1"),
        (("import", "/nowhere/at/all"), "/nowhere/at/all"),
        (("trace", "A1", "--config", "/nowhere/config.toml"), "/nowhere/config.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_ends_with_1_and_one_line(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    done = command(*words, "--data", str(tmp_path / "data"), stdin="correct horse\n")
    assert done.returncode == 1, done
    told = done.stderr.strip().splitlines()
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if words[0] != "import":  # its summary is several lines
        assert len(told) == 1
        assert done.stdout == ""
