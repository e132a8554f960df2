"""Registration in its process: what is found there, its end at once, its death, and that of its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from pacs_core.rehearsal.phantoms import chest_scene, render
from pacs_core.rehearsal.phantoms import stack as slices
from tests.support.processes import PATIENCE, alive, until
from tests.unit.imaging_support import filled, stack
from workstation.imaging.registration import NoRegistration, Registration, register, register_samples
from workstation.imaging.registration_grid import Samples
from workstation.imaging.volume import Volume
from workstation.session.child_process import Child, ChildGone, ChildRefused
from workstation.session.registrar import STOPPED, Registrar, registering_child
from workstation.session.registration_process import from_plain, packed, plain, unpacked

HEIGHT = 30


def chest(lower: int = 0) -> Volume:
    """A chest, 10 mm slices, its table so many slices lower."""
    planes = render(chest_scene(), slices((48, 64, HEIGHT), (7.0, 7.0, 10.0)))
    places = [10.0 * (k + lower) for k in range(HEIGHT)]
    shown = stack(places, shape=(48, 64), PixelSpacing=[7.0, 7.0], FrameOfReferenceUID=f"1.2.3.{lower + 9}")
    return filled(shown, lambda k: planes[k])


@pytest.fixture(scope="module")
def pair() -> tuple[Volume, Volume]:
    return chest(), chest(2)


def test_it_finds_what_is_found_in_this_process(pair: tuple[Volume, Volume]) -> None:
    registrar = Registrar()
    found, expected = registrar.find(*pair), register(*pair)
    assert isinstance(found, Registration)
    assert isinstance(expected, Registration)
    assert plain(found) == plain(expected)
    assert found.transform.to_prior((0.0, 0.0, 0.0)) == pytest.approx((0.0, 0.0, 20.0), abs=2.0)
    assert registrar.pid is None


def test_what_cannot_be_registered_is_said_without_a_failure(pair: tuple[Volume, Volume]) -> None:
    empty = Volume(pair[1].display_set)
    assert Registrar().find(pair[0], empty) == NoRegistration("the prior series is not loaded yet")


def test_places_that_count_go_along(pair: tuple[Volume, Volume]) -> None:
    seen: list[Samples] = []

    def search(current: Samples, prior: Samples, **_more: object) -> NoRegistration:
        header, body = packed(current, prior, True)
        seen.extend(unpacked(header, body))
        return NoRegistration("seen")

    register(*pair, mask=lambda points: points[:, 0] > 0, search=search)
    current, prior = seen
    assert current.counts is not None
    assert (current.counts.reshape(-1) == (current.points()[:, 0] > 0)).all()
    assert prior.counts is None
    assert prior.values.shape == prior.valid.shape


class Asking:
    """A registration under way on a thread, its child in the middle of the search."""

    def __init__(self, pair: tuple[Volume, Volume], monkeypatch: pytest.MonkeyPatch) -> None:
        self.registrar, self.answers = Registrar(), list[object]()
        asked, real = threading.Event(), Child.ask

        def ask(child: Child, *request: object) -> object:
            asked.set()
            return real(child, *request)  # type: ignore[arg-type]  # handed on as it came

        monkeypatch.setattr(Child, "ask", ask)
        self.thread = threading.Thread(target=self._work, args=pair)
        self.thread.start()
        assert asked.wait(PATIENCE)
        pid = self.registrar.pid
        assert pid is not None
        self.pid = pid

    def _work(self, current: Volume, prior: Volume) -> None:
        try:
            self.answers.append(self.registrar.find(current, prior))
        except (ChildGone, ChildRefused) as error:
            self.answers.append(error)

    def answer(self) -> object:
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.answers[0]


def test_it_ends_the_moment_nobody_waits(
    pair: tuple[Volume, Volume], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(pair, monkeypatch)
    asking.registrar.stop()
    assert asking.answer() == STOPPED
    assert not alive(asking.pid)
    assert asking.registrar.find(*pair) == STOPPED


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_child_that_dies_by_itself_is_told(
    pair: tuple[Volume, Volume], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(pair, monkeypatch)
    os.kill(asking.pid, signal.SIGKILL)
    assert isinstance(asking.answer(), ChildGone)


def test_rubbish_is_refused_and_the_next_request_served(pair: tuple[Volume, Volume]) -> None:
    child = registering_child()
    one = Samples(np.zeros((4, 4, 4), np.float32), np.ones((4, 4, 4), np.bool_), np.zeros(3), 4.0, "CT")
    header, body = packed(one, one, False)
    short = {**header, "volumes": header["volumes"][:1]}
    for request in ({}, {"volumes": 3}, short, {**header, "volumes": [{"shape": [-1, 2]}]}):
        with pytest.raises(ChildRefused):
            child.ask(request, PATIENCE, body)
    with pytest.raises(ChildRefused):
        child.ask(header, PATIENCE, body[:-1])
    answer, _ = child.ask(header, PATIENCE, body)
    assert from_plain(answer["found"]) == register_samples(one, one)
    child.close()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_parent_that_is_killed_leaves_no_child() -> None:
    program = (
        "import threading, tests.flow.registration_process_test as t\n"
        "registrar = t.Registrar()\n"
        "threading.Thread(target=registrar.find, args=(t.chest(), t.chest(2))).start()\n"
        "while registrar.pid is None: pass\n"
        "print(registrar.pid, flush=True)\n"
        "registrar._stop.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait(PATIENCE)
    parent.stdout.close()
    until(lambda: not alive(child))
