"""How uvicorn is to serve the HTTP doors: quietly, and without patience for slow headers."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_S = 20.0
"""How long a connection may take over the headers of a request."""

KEEP_ALIVE_S = 75
"""How long it may stand idle between two requests."""

MAX_CONNECTIONS = 512
MAX_HEADERS = 64 * 1024


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request headers do not come to their end (slow loris)."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._deadline = self.loop.call_later(HEADER_S, self._too_slow)
        _without_delay(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a wait begins with the first of a request and ends with its headers."""
        super().data_received(data)
        if self._in_request():
            self._no_deadline()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(HEADER_S, self._too_slow)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; an endpoint that waits for the rest of it is told it will not come."""
        if self._in_request():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._no_deadline()
        super().connection_lost(exc)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _too_slow(self) -> None:
        self._deadline = None
        if not self._in_request():
            self.transport.close()


def _without_delay(transport: asyncio.BaseTransport) -> None:
    """Switch Nagle's algorithm off: asyncio does so only where a socket was made naming its protocol."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def uvicorn_options() -> dict[str, Any]:
    """Keyword arguments of ``uvicorn.Config`` that belong to these doors."""
    return {
        "http": PatientProtocol,
        "ws": "none",
        "lifespan": "on",
        "loop": "asyncio",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,
        "limit_concurrency": MAX_CONNECTIONS,
        "h11_max_incomplete_event_size": MAX_HEADERS,
        "timeout_keep_alive": KEEP_ALIVE_S,
    }
