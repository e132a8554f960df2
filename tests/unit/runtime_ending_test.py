"""The wish to end is heard whenever it comes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pacs_core.runtime.ending import Ending

# A signal after every single step of the interpreter through the wait. Where the handler took a lock that the
# waiting thread holds just then, it would wait for ever; the alarm ends that.
AT_EVERY_MOMENT = """
import signal, sys
from pacs_core.runtime.ending import Ending

signal.alarm(60)
moment, passed = 0, 1
while passed > moment:
    moment, passed = moment + 1, 0

    def step(frame, event, argument):
        global passed
        frame.f_trace_opcodes = True
        passed += 1
        if passed == moment:
            signal.raise_signal(signal.SIGTERM)
        return step

    ending = Ending().on_signals()
    ending.wish()
    sys.settrace(step)
    ending.wait()
    sys.settrace(None)
print(moment)
"""

# The kernel may give a process's signal to any of its threads; then nothing interrupts what the main thread
# waits in. The same holds for a signal in the instant before that wait.
IN_ANOTHER_THREAD = """
import signal, sys, threading
from pacs_core.runtime.ending import Ending

signal.alarm(60)
ending, main = Ending().on_signals(), threading.get_ident()

def tell():
    while sys._current_frames()[main].f_code is not Ending.wait.__code__:
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=tell).start()
ending.wait()
print("ended")
"""


def test_what_was_wished_before_is_heard() -> None:
    ending = Ending()
    ending.wish()
    ending.wish()
    ending.wait()
    ending.wait()


def test_the_end_is_heeded_only_where_it_was_wished() -> None:
    ending = Ending()
    ending.heed()
    ending.wish()
    for _again in range(2):
        with pytest.raises(KeyboardInterrupt):
            ending.heed()


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no alarm")
def test_a_signal_at_any_moment_of_the_wait_does_not_hang_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EVERY_MOMENT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no alarm")
def test_a_signal_that_another_thread_received_ends_the_wait() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_THREAD], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
