"""The archive of another process or machine: every part of the protocol made from the table of routes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pacs_core.archive import codec
from pacs_core.archive import models as m
from pacs_core.archive.protocol import PARTS, Archive
from pacs_core.archive.routes import JSON, SESSION, SIGN_IN, Call, table
from pacs_core.domain.errors import InvalidValue, NotSignedIn, StorageFailure
from pacs_core.remote.connection import READ_S, Connection, Find, Place

WAIT = "wait_s"
"""The parameter of a method that waits: its call is given that much longer."""


class RemoteDoor:
    """Knocks at a core over HTTP; satisfies `archive.protocol.Door`.

    `find` is asked for ``(url, secret)`` whenever the core cannot be reached: a restarted one is found again.
    """

    def __init__(
        self,
        url: str,
        secret: str = "",
        find: Find | None = None,
        patience_s: float = 8.0,
        verify: bool | ssl.SSLContext = True,
        parts: Mapping[str, type] = PARTS,
    ) -> None:
        self._connection = Connection(Place(url.rstrip("/"), secret), find, patience_s, verify)
        self._calls = table(parts)

    def sign_in_facts(self) -> m.SignIn:
        """What the sign-in page may show; raises Busy while the core is not reachable."""
        return cast("m.SignIn", _read(m.SignIn, self._connection.ask("GET", SIGN_IN)))

    def sign_in(self, name: str, password: str) -> Archive:
        """Open the archive as a person; raises NotSignedIn, LockedOut or Busy."""
        body = codec.dump({"name": name, "password": password})
        session = cast("m.Session", _read(m.Session, self._connection.ask("POST", SESSION, (), body, JSON)))
        return self._archive(session.token, session.who)

    def with_token(self, bearer: str) -> Archive:
        """Open the archive with a token, or go on with a session; raises NotSignedIn."""
        return self._archive(bearer, self._who(bearer))

    def as_owner(self) -> Archive:
        """Open the archive as the data folder's owner, by the core's secret alone."""
        return self._archive("", self._who(""))

    def close(self) -> None:
        """Close every connection; archives opened here answer no more."""
        self._connection.close()

    def _who(self, bearer: str) -> m.WhoAmI:
        return cast("m.WhoAmI", _read(m.WhoAmI, self._connection.ask("GET", SESSION, bearer=bearer)))

    def _archive(self, bearer: str, who: m.WhoAmI) -> Archive:
        return cast("Archive", RemoteArchive(self._connection, self._calls, bearer, who))


class RemoteArchive:
    """The archive as one session sees it; its parts (``worklist``, ``studies``, …) are set from the table."""

    def __init__(self, connection: Connection, calls: Sequence[Call], bearer: str, who: m.WhoAmI) -> None:
        self._connection = connection
        self._bearer = bearer
        self._who = who
        self._signed_out = False
        methods: dict[str, dict[str, Any]] = {}
        for call in calls:
            methods.setdefault(call.part, {})[call.name] = self._method(call)
        for part, members in methods.items():
            setattr(self, part, type(part.title(), (), {n: staticmethod(f) for n, f in members.items()})())

    @property
    def who(self) -> m.WhoAmI:
        """The signed-in person."""
        return self._who

    def sign_out(self) -> None:
        """End the session; the next call raises NotSignedIn."""
        if self._signed_out:
            return
        self._signed_out = True
        if self._bearer:
            self._connection.ask("DELETE", SESSION, bearer=self._bearer)

    def _method(self, call: Call) -> Callable[..., object]:
        """The caller of one method, with the signature and words of its declaration."""

        def method(*args: object, **kwargs: object) -> object:
            return self._ask(call, call.signature.bind(*args, **kwargs).arguments)

        method.__name__ = method.__qualname__ = call.name
        method.__doc__ = call.words
        vars(method)["__signature__"] = call.signature  # what inspect and help() show
        return method

    def _ask(self, call: Call, arguments: Mapping[str, object]) -> object:
        if self._signed_out:
            raise NotSignedIn("this session was ended: sign in again")
        asked = call.ask(arguments)
        wait_s = arguments.get(WAIT, 0.0)
        body = self._connection.ask(
            call.route.method,
            call.path,
            asked.query,
            asked.body,
            asked.media_type,
            self._bearer,
            READ_S + (wait_s if isinstance(wait_s, int | float) else 0.0),
        )
        return _understood(lambda: call.answered(body))


def _read(hint: type, body: bytes) -> object:
    return _understood(lambda: codec.from_jsonable(hint, codec.load(body, "answer"), "answer", lenient=True))


def _understood(read: Callable[[], object]) -> object:
    """What an answer says; raises StorageFailure where it is none of ours (a portal, another program)."""
    try:
        return read()
    except InvalidValue as wrong:
        raise StorageFailure(
            f"the other side does not answer as an archive: {wrong.message}", "answer"
        ) from None
