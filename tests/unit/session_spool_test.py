"""The spool: nothing written is lost, whatever dies, and nothing kept comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pacs_core.domain.measurement import Measurement, Quantity
from workstation.session.spool import Spool, SpooledDraft, SpooledStroke


def stroke(uid: str = "2.25.1", value: float = 12.5) -> Measurement:
    return Measurement(
        uid, "length", "2.25.9", "2.25.8", "2.25.7", 1, ((1.0, 2.0, 3.0), (4.5, 2.0, 3.0)),
        (Quantity("Length", value, "mm"),), details={"label_at": "1 2 3"},
    )  # fmt: skip


def test_strokes_and_drafts_come_back_as_they_were(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "dr. Ünal/x")
    spool.stroke(stroke())
    spool.draft(SpooledDraft("2.25.9", "ct-chest", '{"text": "Knoten, 12 mm"}', 4))
    spool.close()
    again = Spool.open(tmp_path, "dr. Ünal/x")
    things = [thing for _number, thing in again.waiting()]
    assert things == [
        SpooledStroke(stroke()),
        SpooledDraft("2.25.9", "ct-chest", '{"text": "Knoten, 12 mm"}', 4),
    ]
    again.close()


def test_only_the_newest_of_a_stroke_waits(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "r")
    spool.stroke(stroke(value=1.0))
    last = spool.stroke(stroke(value=2.0), removed=True)
    assert [(n, t) for n, t in spool.waiting()] == [(last, SpooledStroke(stroke(value=2.0), True))]
    spool.close()


def test_what_was_kept_does_not_come_back_but_what_came_after_does(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "r")
    first = spool.stroke(stroke(value=1.0))
    spool.stroke(stroke(value=2.0))
    spool.kept(first)
    spool.kept(spool.stroke(stroke("2.25.2")))
    spool.close()
    again = Spool.open(tmp_path, "r")
    assert [t for _n, t in again.waiting()] == [SpooledStroke(stroke(value=2.0))]
    again.close()


def test_a_spool_with_nothing_waiting_leaves_no_file(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "r")
    spool.kept(spool.stroke(stroke()))
    spool.close()
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize("cut", [2, 7, 40])
def test_a_torn_last_record_is_passed_over_and_the_rest_is_there(tmp_path: Path, cut: int) -> None:
    spool = Spool.open(tmp_path, "r")
    spool.stroke(stroke("2.25.1"))
    spool.stroke(stroke("2.25.2"))
    path = spool.path
    spool.close()
    path.write_bytes(path.read_bytes()[:-cut])
    again = Spool.open(tmp_path, "r")
    assert [t for _n, t in again.waiting()] == [SpooledStroke(stroke("2.25.1"))]
    again.close()


def test_two_windows_of_one_person_have_a_file_each(tmp_path: Path) -> None:
    one, other = Spool.open(tmp_path, "r"), Spool.open(tmp_path, "r")
    assert one.path != other.path
    one.stroke(stroke("2.25.1"))
    other.stroke(stroke("2.25.2"))
    one.close()
    other.close()
    both = Spool.open(tmp_path, "r")
    assert {t.measurement.tracking_uid for _n, t in both.waiting() if isinstance(t, SpooledStroke)} == {
        "2.25.1",
        "2.25.2",
    }
    both.close()


def test_another_person_does_not_get_it(tmp_path: Path) -> None:
    one = Spool.open(tmp_path, "ann")
    one.stroke(stroke())
    one.close()
    other = Spool.open(tmp_path, "ann-marie")
    assert not list(other.waiting())
    other.close()


def test_a_person_whose_name_begins_like_it_does_not_get_it(tmp_path: Path) -> None:
    theirs = Spool.open(tmp_path, "ann-lee")
    theirs.stroke(stroke())
    theirs.close()
    mine = Spool.open(tmp_path, "ann")
    assert list(mine.waiting()) == []
    mine.close()
    again = Spool.open(tmp_path, "ann-lee")
    assert len(list(again.waiting())) == 1
    again.close()


def test_of_two_crashed_windows_each_stroke_waits_for_its_own_answer(tmp_path: Path) -> None:
    windows = [Spool.open(tmp_path, "r") for _ in range(2)]
    for number, window in enumerate(windows, 1):
        window.stroke(stroke(f"2.25.{number}"))
    for window in windows:
        window.close()
    after = Spool.open(tmp_path, "r")
    for number, thing in list(after.waiting()):
        if thing == SpooledStroke(stroke("2.25.1")):
            after.kept(number)
    assert [thing for _number, thing in after.waiting()] == [SpooledStroke(stroke("2.25.2"))]
    after.close()


def test_of_a_draft_in_two_crashed_windows_the_one_written_last_counts(tmp_path: Path) -> None:
    first, second = (Spool.open(tmp_path, "r") for _ in range(2))
    second.draft(SpooledDraft("2.25.9", "t", "older"))
    first.draft(SpooledDraft("2.25.9", "t", "newer"))
    for window in (first, second):
        window.close()
    os.utime(first.path, ns=(2_000_000_000, 2_000_000_000))
    os.utime(second.path, ns=(1_000_000_000, 1_000_000_000))
    after = Spool.open(tmp_path, "r")
    assert [thing for _number, thing in after.waiting()] == [SpooledDraft("2.25.9", "t", "newer")]
    after.close()


def test_a_signed_draft_is_forgotten_at_once(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "r")
    spool.draft(SpooledDraft("2.25.9", "t", "{}"))
    spool.forget_draft("2.25.9")
    assert spool.draft_of("2.25.9") is None
    spool.close()


def test_a_long_report_does_not_grow_the_file_without_end(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, "r")
    for number in range(400):
        spool.draft(SpooledDraft("2.25.9", "t", "x" * 10_000 + str(number)))
    assert spool.path.stat().st_size < 2_000_000
    spool.close()


PROGRAM = """
import sys
from pathlib import Path
from workstation.session.spool import Spool, SpooledDraft
spool = Spool.open(Path(sys.argv[1]), "r")
number = 0
while True:
    number += 1
    spool.draft(SpooledDraft("2.25.9", "t", "word " * number))
    print(number, flush=True)
    if number > 2000:
        break
"""


def test_killed_in_mid_sentence_the_last_word_that_was_written_is_there(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    last = 0
    for line in writer.stdout:
        last = int(line)
        if last >= 60:
            break
    os.kill(writer.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    writer.wait(20)
    writer.stdout.close()
    spool = Spool.open(tmp_path, "r")
    draft = spool.draft_of("2.25.9")
    assert draft is not None
    assert draft.content.count("word") >= last
    spool.close()
