"""`config.toml` is changed where its values stand: comments and order stay, and it says what was meant."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.domain.errors import Refused
from pacs_core.runtime import config_file
from pacs_core.runtime.config_file import Changes, edited, literal, write_changes

WRITTEN = """\
# Our clinic, mended by Eva.
[dicom]   # the scanners
host = "10.0.0.5"
port = 104  # as the CT knows it
# the name on the CT's list
ae = 'CLINIC#1'   # not a comment in there

[http]
origins = [  # the viewers
    "https://a.example",  # the old one
    "https://b.example",
]
hosts = []
"""


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({("dicom", "port"): 11112}, "port = 104  # as", "port = 11112  # as"),
        (
            {("dicom", "ae"): "B#2"},
            "ae = 'CLINIC#1'   # not a comment in there",
            'ae = "B#2"  # not a comment in there',
        ),
        ({("dicom", "host"): None}, 'host = "10.0.0.5"\n', ""),
        ({("dicom", "idle_s"): 60}, "in there\n", "in there\nidle_s = 60\n"),
        ({("http", "hosts"): ("pacs", "rr")}, "hosts = []", 'hosts = ["pacs", "rr"]'),
        ({("store", "reserve_mb"): 9}, "hosts = []\n", "hosts = []\n\n[store]\nreserve_mb = 9\n"),
        ({("hl7", "insecure"): None}, "", ""),
    ],
    ids=["number", "text", "removed", "added", "list", "section", "not there"],
)
def test_one_value_is_changed_and_everything_else_stays(changes: Changes, old: str, new: str) -> None:
    assert edited(WRITTEN, changes) == WRITTEN.replace(old, new)


def test_a_list_over_several_lines_becomes_one(tmp_path: Path) -> None:
    fresh = edited(WRITTEN, {("http", "origins"): ("https://c.example",)})
    assert tomllib.loads(fresh)["http"] == {"origins": ["https://c.example"], "hosts": []}
    assert "# Our clinic" in fresh
    assert "a.example" not in fresh


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "[dicom]\n", "[dicom]", "# only words", 'dicom.port = 1\n[http]\nhost = "x"\n',
     "dicom = { port = 1 }\n", '[dicom]\nae = """\n[http]\nport = 3\n"""\n'],
)  # fmt: skip
def test_however_it_was_written_it_says_what_was_meant(text: str) -> None:
    fresh = tomllib.loads(edited(text, {("dicom", "port"): 104, ("http", "port"): 0}))
    assert (fresh["dicom"]["port"], fresh["http"]["port"]) == (104, 0)
    kept = {k: v for k, v in tomllib.loads(text).get("dicom", {}).items() if k != "port"}
    assert {k: v for k, v in fresh["dicom"].items() if k != "port"} == kept


VALUES = st.one_of(
    st.integers(-(2**40), 2**40), st.booleans(), st.text(max_size=9), st.lists(st.text(max_size=5)).map(tuple)
)  # fmt: skip
PLACES = st.tuples(st.sampled_from(["dicom", "hl7", "http"]), st.sampled_from(["host", "port", "ae"]))
CHANGES = st.dictionaries(PLACES, st.one_of(st.none(), VALUES), max_size=4)


@given(st.lists(CHANGES, max_size=4))
def test_any_changes_in_any_order_read_back(rounds: list[Changes]) -> None:
    text, wanted = "# begin\n[hl7]  # messages\nport = 1  # old\n", {("hl7", "port"): 1}
    for changes in rounds:
        text = edited(text, changes)
        wanted = {k: v for k, v in {**wanted, **changes}.items() if v is not None}
    read = {(s, k): v for s, keys in tomllib.loads(text).items() for k, v in keys.items()}
    assert read == {k: list(v) if isinstance(v, tuple) else v for k, v in wanted.items()}
    assert text.startswith("# begin\n[hl7]  # messages\n")


@given(VALUES)
def test_every_value_is_written_as_it_is_read(value: config_file.Value) -> None:
    read = tomllib.loads(f"x = {literal(value)}")["x"]
    assert read == (list(value) if isinstance(value, tuple) else value)


def test_the_file_is_put_in_place_whole_with_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    write_changes(file, {("dicom", "port"): 104})
    assert file.read_text(encoding="utf-8") == "[dicom]\nport = 104\n"
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o640)
        write_changes(file, {("dicom", "port"): 105})
        assert file.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["config.toml"]


def test_a_disk_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text(WRITTEN, encoding="utf-8")

    def fail(_handle: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(config_file, "sync_file", fail)
    with pytest.raises(Refused, match="No space left"):
        write_changes(file, {("dicom", "port"): 1})
    assert file.read_text(encoding="utf-8") == WRITTEN
    assert [p.name for p in tmp_path.iterdir()] == ["config.toml"]
