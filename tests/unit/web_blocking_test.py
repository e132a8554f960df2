"""The pool where the doors block: bounded, and never on the loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pacs_core.domain.errors import Busy
from pacs_core.web.blocking import Blocking


def test_more_than_can_wait_is_told_so_and_room_comes_back() -> None:
    go = threading.Event()
    blocking = Blocking(workers=1, waiting=1)

    async def knock() -> None:
        inside = [asyncio.ensure_future(blocking.run(go.wait, 20)) for _ in range(2)]
        await asyncio.sleep(0)  # lets both begin
        with pytest.raises(Busy):
            await blocking.run(go.wait, 20)
        go.set()
        assert await asyncio.gather(*inside) == [True, True]
        assert await blocking.run(threading.current_thread) is not threading.current_thread()

    asyncio.run(knock())
    blocking.close()


def test_a_failure_comes_back_as_itself_and_frees_its_place() -> None:
    blocking = Blocking(workers=1, waiting=0)

    async def fail() -> None:
        for _ in range(3):
            with pytest.raises(ValueError, match="invalid literal"):
                await blocking.run(int, "x")

    asyncio.run(fail())
    blocking.close()
