"""uvicorn inside the node's own loop: started when it accepts, stopped when its requests are over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from pacs_core.runtime.io_loop import IoLoop
    from pacs_core.web.app import WebApp


class HttpServer:
    """One uvicorn server for the HTTP doors."""

    def __init__(self, app: WebApp, certificate: str, key: str) -> None:
        from pacs_core.web.app import uvicorn_options

        self._app = app
        config = uvicorn.Config(
            app,
            ssl_certfile=certificate or None,
            ssl_keyfile=key or None,
            timeout_graceful_shutdown=10,
            **uvicorn_options(),
        )
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    def start(self, loop: IoLoop, host: str, port: int) -> tuple[str, int]:
        """Listen and serve; returns the address taken. Raises OSError where it is not free."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "nt":
                listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
            else:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(256)
        except OSError:
            listener.close()
            raise
        taken = listener.getsockname()
        self._task = loop.start(self._serve(listener))
        loop.call(self._until_started())
        return str(taken[0]), int(taken[1])

    def stop(self, loop: IoLoop) -> None:
        """Let streams end, finish requests, stop."""
        self._app.begin_shutdown()
        self._server.should_exit = True
        if self._task is not None:
            loop.call(self._until_over(self._task))

    async def _serve(self, listener: socket.socket) -> None:
        with contextlib.closing(listener):
            await self._server._serve([listener])  # serve() would take the process's signal handlers

    async def _until_started(self) -> None:
        while not self._server.started:
            if self._task is not None and self._task.done():
                self._task.result()
                raise OSError("the HTTP server ended while it started")
            await asyncio.sleep(0.005)

    @staticmethod
    async def _until_over(task: asyncio.Task[None]) -> None:
        await asyncio.wait([task], timeout=15)
