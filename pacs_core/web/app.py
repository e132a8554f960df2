"""The HTTP doors put together: guard, router, executor and change hub in one ASGI application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from pacs_core.archive.protocol import PARTS
from pacs_core.archive.routes import table
from pacs_core.web.blocking import Blocking
from pacs_core.web.dicomweb import DicomWeb
from pacs_core.web.feed import ChangeHub, Feed
from pacs_core.web.guard import Doors, Guard
from pacs_core.web.health import Health, Traffic
from pacs_core.web.node import WebNode
from pacs_core.web.reading import ReadingApi
from pacs_core.web.routing import routes


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Settings of the HTTP doors: further names of this node, sites that may ask it, limits in bytes."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    version: str = "0"
    max_object: int = 4 << 30
    workers: int = 16


class WebApp:
    """The ASGI application; ``begin_shutdown`` before its server stops, so that no listener holds it up."""

    def __init__(self, node: WebNode, settings: WebSettings, parts: Mapping[str, type]) -> None:
        self._blocking = Blocking(settings.workers)
        self._hub = ChangeHub(node)
        traffic = Traffic()
        feed = Feed(node, self._hub, self._blocking)
        reading = ReadingApi(node, feed, self._blocking, table(parts), settings.version, settings.max_object)
        health = Health(node, self._blocking, traffic)
        dicomweb = DicomWeb(node, self._blocking, settings.max_object)
        endpoints = [*health.endpoints(), *reading.endpoints(), *feed.endpoints(), *dicomweb.endpoints()]
        self._router = Router(routes(endpoints), redirect_slashes=False)
        doors = Doors(settings.hosts, settings.origins)
        self._guard = Guard(self._router, node, doors, self._blocking, traffic.seen)
        reading.wrong_password = self._guard.wrong_password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the start and stop of the server."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        scope["app"] = self  # the router then raises for an unknown path, and the guard answers
        await self._guard(scope, receive, send)

    def begin_shutdown(self) -> None:
        """Let every stream and long poll end; safe from any thread."""
        self._hub.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._hub.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._hub.close()
                self._blocking.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def uvicorn_options() -> dict[str, Any]:
    """Keyword arguments of ``uvicorn.Config`` that belong to this application."""
    from pacs_core.web import server

    return server.uvicorn_options()


def make_app(node: WebNode, settings: WebSettings | None = None, parts: Mapping[str, type] = PARTS) -> WebApp:
    """Put the application together; `parts` are those of the archive's protocol."""
    return WebApp(node, settings or WebSettings(), parts)
