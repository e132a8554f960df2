"""The archive over HTTP: one endpoint per method of its protocol, derived from the table of routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from pacs_core.archive import codec, openapi
from pacs_core.archive import models as m
from pacs_core.archive.routes import JSON, OCTETS, OPENAPI, SESSION, SIGN_IN, Call, parse_query
from pacs_core.domain.access import Actor
from pacs_core.domain.errors import InvalidValue, NotSignedIn
from pacs_core.web import bodies
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import Caller, actor_of, caller_of
from pacs_core.web.feed import Feed
from pacs_core.web.node import WebNode
from pacs_core.web.problems import unsupported
from pacs_core.web.responses import answer
from pacs_core.web.routing import At, Endpoint

MAX_JSON = 16 << 20
MAX_PASSWORD = 1024


class ReadingApi:
    """The endpoints of ``/api/v1``; `wrong_password` is told of every sign-in that failed."""

    def __init__(
        self,
        node: WebNode,
        feed: Feed,
        blocking: Blocking,
        calls: Sequence[Call],
        version: str,
        max_object: int,
    ) -> None:
        self._node = node
        self._feed = feed
        self._blocking = blocking
        self._calls = calls
        self._version = version
        self._max_object = max_object
        self._document = b""
        self.wrong_password: Callable[[Caller], None] = lambda _: None

    def endpoints(self) -> list[At]:
        """The archive's own methods, and what comes before sign-in."""
        own = [At(c.path, c.route.method, self._endpoint(c)) for c in self._calls]
        before = [
            At(SESSION, "POST", self._sign_in),
            At(SESSION, "GET", self._who),
            At(SESSION, "DELETE", self._sign_out),
            At(SIGN_IN, "GET", self._facts),
            At(OPENAPI, "GET", self._openapi),
        ]
        return before + own

    def _endpoint(self, call: Call) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            actor_of(request)
            query = parse_query(request.scope["query_string"])
            body = await self._body(request, call)
            if (call.part, call.name) == ("changes", "since"):
                return await self._changes(request, call, call.heard(query, body))
            encoded = await self._blocking.run(self._work, caller_of(request), call, query, body)
            return _respond(request, call, encoded)

        return endpoint

    async def _body(self, request: Request, call: Call) -> bytes:
        if call.octets is not None:
            return await bodies.read(request, self._max_object)
        if call.in_body:
            _check_json(request)
        return await bodies.read(request, MAX_JSON)

    def _work(self, caller: Caller, call: Call, query: list[tuple[str, str]], body: bytes) -> bytes:
        arguments = call.heard(query, body)
        if caller.actor is None:
            raise NotSignedIn("sign in first")
        part = getattr(self._node.archive(caller.actor, caller.shares_disk), call.part)
        bound = call.signature.bind(**arguments)
        return call.answer(getattr(part, call.name)(*bound.args, **bound.kwargs))

    async def _changes(self, request: Request, call: Call, arguments: dict[str, object]) -> Response:
        page = await self._feed.since(
            caller_of(request),
            cast("int", arguments["sequence"]),
            cast("float", arguments.get("wait_s", 0.0)),
            cast("int", arguments.get("limit", 500)),
        )
        return _respond(request, call, call.answer(page))

    async def _sign_in(self, request: Request) -> Response:
        _check_json(request)
        name, password = _name_and_password(await bodies.read(request, MAX_JSON))
        caller = caller_of(request)
        try:
            sign_in = self._node.access.sign_in
            token, actor = await self._blocking.run(sign_in, name, password, caller.address)
        except NotSignedIn:
            self.wrong_password(caller)
            raise
        session = m.Session(token, _who(actor))
        return answer(request, codec.dump(codec.to_jsonable(m.Session, session)), JSON)

    async def _who(self, request: Request) -> Response:
        return answer(request, codec.dump(codec.to_jsonable(m.WhoAmI, _who(actor_of(request)))), JSON)

    async def _sign_out(self, request: Request) -> Response:
        await self._blocking.run(self._node.access.sign_out, caller_of(request).bearer)
        return Response(status_code=204)

    async def _facts(self, request: Request) -> Response:
        facts = await self._blocking.run(self._node.sign_in_facts)
        return answer(request, codec.dump(codec.to_jsonable(m.SignIn, facts)), JSON)

    async def _openapi(self, request: Request) -> Response:
        if not self._document:
            self._document = codec.dump(openapi.document(self._version, self._calls))
        return answer(request, self._document, JSON)


def _who(actor: Actor) -> m.WhoAmI:
    return m.WhoAmI(actor.name, actor.role.value, actor.full_name)


def _respond(request: Request, call: Call, encoded: bytes) -> Response:
    if not call.answer_type:
        return Response(status_code=204)
    if call.answer_type == OCTETS:
        return Response(encoded, media_type=OCTETS)
    return answer(request, encoded, call.answer_type)


def _check_json(request: Request) -> None:
    if bodies.content_type(request).full != JSON:
        raise unsupported(f"the body is to be {JSON}")


def _name_and_password(body: bytes) -> tuple[str, str]:
    members = codec.from_jsonable(dict[str, str], codec.load(body))
    if set(members) != {"name", "password"}:
        raise InvalidValue("the body is to be an object with name and password", "body")
    if max(len(members["name"]), len(members["password"])) > MAX_PASSWORD:
        raise InvalidValue(f"name and password have at most {MAX_PASSWORD} characters", "password")
    return members["name"], members["password"]
