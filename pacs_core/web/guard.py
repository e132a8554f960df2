"""The guard before every HTTP door: Host, Origin, credentials, and an answer for every failure.

Host against DNS rebinding, Origin against other sites' pages, and a user or token on every path but
the liveness of ``/health``: loopback alone is no credential (contract.md, Who may come in).
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pacs_core.archive.routes import SECRET_HEADER, SESSION, SIGN_IN
from pacs_core.domain.errors import NotSignedIn
from pacs_core.web import problems
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import CALLER, Caller, Credentials, WrongCredentials, credentials_of, identify
from pacs_core.web.node import WebNode
from pacs_core.web.problems import HttpProblem

log = logging.getLogger("reading_room.web")

HEALTH = "/health"
_PREFLIGHT = "Access-Control-Request-Method"
_ALLOWED_HEADERS = "Authorization, Accept, Content-Type, If-None-Match, Last-Event-ID, Range"


@dataclass(frozen=True, slots=True)
class Doors:
    """Names this node may be called by besides its own address, and sites whose pages may ask it."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


class Guard:
    """ASGI middleware around the router; `seen` is told method, status and seconds of each request."""

    def __init__(
        self,
        app: ASGIApp,
        node: WebNode,
        doors: Doors,
        blocking: Blocking,
        seen: Callable[[str, int, float], None],
        wrong: WrongCredentials | None = None,
    ) -> None:
        self._app = app
        self._node = node
        self._doors = doors
        self._blocking = blocking
        self._seen = seen
        self._wrong = wrong or WrongCredentials()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, _allowed_origin(scope, self._doors))
        started = time.perf_counter()
        try:
            early = await self._admit(scope)
            await (early or self._app)(scope, receive, answer.send)
        except ClientDisconnect:
            log.debug("the caller went away during %s", scope["method"])
        except Exception as error:  # the edge of the door: every failure is answered here
            log.debug("answered with a failure", exc_info=error)
            await self._failed(error, scope, receive, answer)
        self._seen(scope["method"], answer.status, time.perf_counter() - started)

    async def _failed(self, error: Exception, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if not answer.status:
            await problems.answer(_as_problem(error))(scope, receive, answer.send)
            return
        log.error("answer broken off: %s at %s", type(error).__name__, problems.where_in_code(error))
        # the server then closes the connection, so that nobody takes the half for the whole
        raise BrokenOff from None

    async def _admit(self, scope: Scope) -> Response | None:
        check_host(scope, self._doors)
        headers = Headers(scope=scope)
        check_origin(scope, headers, self._doors)
        if scope["method"] == "OPTIONS" and _PREFLIGHT in headers:
            return _preflight()
        shown = credentials_of(scope)
        scope[CALLER] = await self._caller(scope, shown)
        return None

    async def _caller(self, scope: Scope, shown: Credentials) -> Caller:
        path, method = scope["path"], scope["method"]
        if not shown.any and path == HEALTH and method in ("GET", "HEAD"):
            return Caller(None, False, "", shown.address)
        if path == SESSION and method == "POST":
            return await self._before_sign_in(shown)
        if not shown.any:
            raise NotSignedIn(
                "this path needs a session or token in the header Authorization", "Authorization"
            )
        if path == SIGN_IN and not shown.secret:
            raise NotSignedIn("the sign-in facts are told to who shows the core's secret", SECRET_HEADER)
        return await self._identified(shown)

    async def _before_sign_in(self, shown: Credentials) -> Caller:
        """Name and password come in the body; who shows the secret is not slowed by what others did."""
        secret_only = Credentials("", shown.secret, shown.address)
        if shown.secret:
            caller = await self._identified(secret_only)
            return Caller(None, caller.shares_disk, "", shown.address)
        self._wrong.check(shown.address)
        return Caller(None, False, "", shown.address)

    async def _identified(self, shown: Credentials) -> Caller:
        try:
            return await self._blocking.run(identify, self._node, shown)
        except NotSignedIn:
            self._wrong.note(shown.address)
            raise

    def wrong_password(self, caller: Caller) -> None:
        """A sign-in from there failed; raises LockedOut once there were too many."""
        if not caller.shares_disk:
            self._wrong.note(caller.address)


class BrokenOff(Exception):
    """An answer that had begun could not be finished."""


class _Answer:
    """Adds what every answer carries, and remembers whether one has begun."""

    def __init__(self, send: Send, origin: str) -> None:
        self._send = send
        self._origin = origin
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
            if self._origin:
                headers["Access-Control-Allow-Origin"] = self._origin
                headers.add_vary_header("Origin")
        await self._send(message)


def _as_problem(error: Exception) -> Exception:
    """Say what Starlette's router says (404, 405) as a problem."""
    if not isinstance(error, HTTPException):
        return error
    names = {404: "Not found", 405: "Method not allowed"}
    details = {404: "there is nothing at this path", 405: "this path does not take this method"}
    status = error.status_code
    problem = HttpProblem(
        status, names.get(status, "Failure"), details.get(status, str(error.detail)), "path"
    )
    problem.headers |= dict(error.headers or {})
    return problem


def check_host(scope: Scope, doors: Doors) -> None:
    """Refuse a Host that is neither the address called, nor a configured name (421, RFC 9110 15.5.20)."""
    hosts = Headers(scope=scope).getlist("host")
    if len(hosts) != 1:
        raise HttpProblem(400, "Bad host", "one Host header is needed", "Host")
    name = _host_name(hosts[0])
    if name in {h.lower() for h in doors.hosts} or _is_own_address(name, scope.get("server")):
        return
    raise HttpProblem(421, "Misdirected request", f"this node is not called {name[:80]!r}", "Host")


def _host_name(host: str) -> str:
    """The name or address in a Host header, without its port and brackets, in lower case."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def _is_own_address(name: str, server: tuple[str, int | None] | None) -> bool:
    own = _address(server[0]) if server else None
    if own is None:
        return False
    return (name == "localhost" and own.is_loopback) or _address(name) == own


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def check_origin(scope: Scope, headers: Headers, doors: Doors) -> None:
    """Refuse what a page of another site asks (403), unless that site is configured."""
    origins = headers.getlist("origin")
    if origins and not all(o in doors.origins or _same_site(o, scope, headers) for o in origins):
        raise HttpProblem(403, "Foreign origin", "pages of that site may not ask this node", "Origin")
    if not origins and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise HttpProblem(
            403, "Foreign origin", "pages of other sites may not ask this node", "Sec-Fetch-Site"
        )


def _same_site(origin: str, scope: Scope, headers: Headers) -> bool:
    return origin.lower() == f"{scope['scheme']}://{headers.get('host', '')}".lower()


def _allowed_origin(scope: Scope, doors: Doors) -> str:
    origin = Headers(scope=scope).get("origin", "")
    return origin if origin in doors.origins else ""


def _preflight() -> Response:
    """The answer to a browser that asks whether a configured site may ask (Fetch 3.2.2)."""
    headers = {
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers=headers)
