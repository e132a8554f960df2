"""Routes put together: one per path, so that a wrong method is told every right one (RFC 9110 15.5.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class At:
    """An endpoint at a path for one method; GET answers HEAD too."""

    path: str
    method: str
    endpoint: Endpoint


def routes(endpoints: Iterable[At]) -> list[Route]:
    """One route per path, in the order in which the paths first come."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for at in endpoints:
        methods = by_path.setdefault(at.path, {})
        methods[at.method] = at.endpoint
        if at.method == "GET":
            methods.setdefault("HEAD", at.endpoint)
    return [Route(path, _either(methods), methods=sorted(methods)) for path, methods in by_path.items()]


def _either(methods: dict[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await methods[request.method](request)

    return endpoint
