"""The watch over the tests must itself be able to bark."""

import logging
import subprocess
import sys
import threading

import pytest

from tests.watching import Expectation, Left, errors_logged


def test_a_thread_left_running_is_named():
    before, go = Left.now(), threading.Event()
    thread = threading.Thread(target=go.wait, name="left-over")
    thread.start()
    try:
        with pytest.raises(AssertionError, match="left-over"):
            before.must_be_all(patience=0.0)
    finally:
        go.set()
        thread.join()
    before.must_be_all()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children of others are seen on Linux alone")
def test_a_child_left_running_is_named_and_ended():
    before = Left.now()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as child:
        with pytest.raises(AssertionError, match=str(child.pid)):
            before.must_be_all(patience=0.0)
        assert child.wait() != 0
    before.must_be_all()


def test_an_active_qt_timer_is_named(qtbot):
    from PySide6.QtCore import QTimer

    timer = QTimer()
    timer.start(60_000)
    with pytest.raises(AssertionError, match="timers"):
        Left.now().must_be_all(with_timers=True)
    timer.stop()
    Left.now().must_be_all(with_timers=True)


def test_errors_must_be_announced_and_announced_errors_must_come(expect_errors):
    expect_errors("disk is full")
    logger = logging.getLogger("reading_room.web")
    with errors_logged() as records:
        logger.error("the disk is full")
        logging.getLogger("pynetdicom.assoc").error("the peer went away")
    with pytest.raises(AssertionError, match="the disk is full"):
        Expectation().check(records)
    Expectation(["disk is full"]).check(records)
    Expectation(["disk is full", "peer went"]).check(records)
    with pytest.raises(AssertionError, match="not there"):
        Expectation(["disk is full", "another thing"]).check(records)
