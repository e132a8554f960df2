"""The core behind a window: attached to, left behind, found by the next one, ended by it, started again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pacs_core.domain.errors import Conflict, Denied
from pacs_core.remote.archive import RemoteDoor
from pacs_core.runtime.data_folder import Hold, announce, held, running
from pacs_core.runtime.node import Node
from pacs_core.runtime.seat import Seat
from pacs_core.runtime.settings import load
from tests.support.serving import FREE, serving

PATIENCE = 30.0


def wait_for(fact: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < until, what
        time.sleep(0.02)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder; whatever core still holds it at the end is ended."""
    folder = tmp_path / "data"
    yield folder
    pid = running(folder).get("pid")
    if isinstance(pid, int):
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not held(folder), "a core was left running")


def seated(data: Path) -> Seat:
    seat = Seat(data, FREE)
    seat.begin()
    return seat


def pid_of(data: Path) -> int:
    return int(str(running(data)["pid"]))


def answers(seat: Seat) -> bool:
    place = seat.find()
    if place is None:
        return False
    door = RemoteDoor(*place, find=seat.find, verify=seat.trust())
    try:
        return door.as_owner().administration.node().ae == "READINGROOM"
    finally:
        door.close()


def test_a_core_that_goes_on_is_attached_to_and_ended_by_the_next_window(data: Path) -> None:
    first = seated(data)
    assert first.ours
    core = pid_of(data)
    assert "left_behind" not in running(data)
    first.close(goes_on=True)
    wait_for(lambda: running(data).get("left_behind"), "the core does not know that its window is gone")
    assert pid_of(data) == core
    second = seated(data)
    assert second.ours
    assert answers(second)
    assert pid_of(data) == core
    second.close(goes_on=True)
    third = seated(data)
    third.close(goes_on=False)
    assert not held(data)
    assert running(data) == {}


def test_a_core_is_ended_with_its_window(data: Path) -> None:
    seat = seated(data)
    seat.close(goes_on=False)
    assert not held(data)


def test_a_second_window_does_not_decide_while_the_first_is_there(data: Path) -> None:
    first = seated(data)
    second = seated(data)
    assert not second.ours
    second.close(goes_on=False)
    assert answers(first)
    first.close(goes_on=False)
    assert not held(data)


def test_what_somebody_else_serves_is_left_alone(data: Path) -> None:
    with serving(data) as node:
        seat = seated(data)
        assert not seat.ours
        assert answers(seat)
        seat.close(goes_on=False)
        assert node.process.poll() is None
        assert node.end() == 0


@pytest.mark.skipif(os.name != "posix", reason="killed as on Linux")
def test_a_core_left_behind_that_dies_is_started_again_for_the_window_that_sits_there(
    data: Path, expect_errors: Callable[[str], None]
) -> None:
    expect_errors("started again")
    seated(data).close(goes_on=True)
    wait_for(lambda: running(data).get("left_behind"), "the core does not know that its window is gone")
    second = seated(data)
    core = pid_of(data)
    os.kill(core, signal.SIGKILL)
    wait_for(lambda: running(data).get("pid") not in (None, core), "no core came back")
    wait_for(lambda: answers(second), "the new core does not answer")
    second.close(goes_on=False)
    assert not held(data)


@pytest.mark.skipif(os.name != "posix", reason="killed as on Linux")
def test_a_window_does_not_attach_to_what_a_killed_core_left_lying(data: Path) -> None:
    with serving(data) as node:
        node.kill()
    assert (data / "core.json").exists()
    seat = seated(data)
    assert seat.ours
    assert answers(seat)
    seat.close(goes_on=False)


def test_only_the_owner_ends_a_node_over_its_api(data: Path) -> None:
    with serving(data) as node:
        door = node.door()
        door.as_owner().administration.add_user("boss", "admin", "boss password")
        boss = door.sign_in("boss", "boss password")
        with pytest.raises(Denied):
            boss.administration.stop()
        boss.sign_out()
        door.as_owner().administration.stop()
        door.close()
        assert node.process.wait(PATIENCE) == 0
    assert not held(data)


def test_nobody_is_called_owner(tmp_path: Path) -> None:
    with Node(load(tmp_path / "data")).open() as node:
        administration = node.archive(node.owner()).administration
        for name in ("owner", "Owner"):
            with pytest.raises(Exception, match="holds the data folder"):
                administration.add_user(name, "admin", "some password")
        with pytest.raises(Conflict):
            administration.stop()


def test_a_core_that_is_just_starting_is_waited_for(data: Path) -> None:
    data.mkdir(mode=0o700)
    hold = Hold(data)
    seats: list[Seat] = []
    sitting = threading.Thread(target=lambda: seats.append(seated(data)))
    sitting.start()
    sitting.join(0.2)
    assert sitting.is_alive()
    announce(data, {"http": "http://127.0.0.1:1", "secret": "s", "pid": "other"})
    sitting.join(PATIENCE)
    assert [seat.ours for seat in seats] == [False]
    seats[0].close()
    hold.release()
