"""Players in processes of their own: told what to do, and ended whatever they do."""

from __future__ import annotations

import sys
import threading

import pytest

from pacs_core.rehearsal.company import Process, SimulatorFailed

ANSWERS = """
import json, sys
print("READY {}", flush=True)
for line in sys.stdin:
    print(json.dumps({"ok": json.loads(line)["do"]}), flush=True)
"""
WORKS_FOR_EVER = """
import sys, threading
print("READY {}", flush=True)
sys.stdin.readline()
threading.Event().wait()
"""


def test_a_player_answers_and_ends() -> None:
    with Process("echo", [sys.executable, "-c", ANSWERS]) as player:
        assert player.tell("wave") == "wave"
    with pytest.raises(SimulatorFailed, match="has ended"):
        player.tell("wave")


@pytest.mark.timeout(60)
def test_one_that_is_at_work_is_ended_and_who_waits_for_it_is_told() -> None:
    player = Process("busy", [sys.executable, "-c", WORKS_FOR_EVER])
    told: list[str] = []
    asking = threading.Event()

    def ask() -> None:
        asking.set()
        try:
            player.tell("work")
        except SimulatorFailed as failure:
            told.append(str(failure))

    waiting = threading.Thread(target=ask)
    waiting.start()
    asking.wait()
    while not player._lock.locked():
        pass
    player.stop()
    waiting.join()
    assert told
