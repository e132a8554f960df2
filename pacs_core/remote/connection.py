"""One HTTP connection pool to a core: finds it again after a restart, and turns problems into errors.

A call is repeated only where it cannot have had an effect: it never left, or it is of a kind that may be
asked twice (GET, PUT; RFC 9110 9.2.2).
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from pacs_core.archive import problems
from pacs_core.archive.codec import load
from pacs_core.archive.routes import SECRET_HEADER
from pacs_core.domain import errors as e

log = logging.getLogger("reading_room.node")

CONNECT_S = 5.0
READ_S = 120.0
FIRST_PAUSE_S = 0.05
PAUSE_CAP_S = 0.5
KEEP_ALIVE_S = 20.0
"""Shorter than the server's, so that no call goes out on a connection that is just being closed."""

UNKNOWN = "the connection broke before the answer came: it is not known whether the change was made"
TWICE = frozenset({"GET", "HEAD", "PUT"})
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

Find = Callable[[], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the core is: its URL, and the secret of its present start ("" where we do not share its disk)."""

    url: str
    secret: str = ""


class Connection:
    """Asks a core over HTTP; safe from any thread."""

    def __init__(
        self,
        place: Place,
        find: Find | None = None,
        patience_s: float = 8.0,
        verify: bool | ssl.SSLContext = True,
    ) -> None:
        self._place = place
        self._find = find
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._client = httpx.Client(
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=64, keepalive_expiry=KEEP_ALIVE_S),
        )

    def close(self) -> None:
        """Close the pool."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        media_type: str = "",
        bearer: str = "",
        read_s: float = READ_S,
    ) -> bytes:
        """Ask once, or again where that is safe, and return the answer's body.

        Raises the error a problem stands for; Busy where the core is not there after `patience_s`;
        StorageFailure where it is not known whether a change was made.
        """
        headers = {"Accept-Encoding": "identity"} if self._is_near() else {}
        if media_type:
            headers["Content-Type"] = media_type
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        target = f"{path}?{urlencode(query, errors='replace')}" if query else path
        return self._until_answered(_Asked(method, target, body, headers, read_s))

    def _until_answered(self, asked: _Asked) -> bytes:
        deadline = time.monotonic() + self._patience_s
        pause, refound = FIRST_PAUSE_S, False
        while True:
            place = self._place
            try:
                answer = self._once(place, asked)
            except httpx.TransportError as failure:
                _check_certificate(failure)
                if not isinstance(failure, _NEVER_LEFT) and asked.method not in TWICE:
                    raise e.StorageFailure(UNKNOWN, "connection") from None
                if time.monotonic() + pause > deadline:
                    raise e.Busy("the archive is not reachable", "connection") from None
                log.debug("the core is not reachable: %s", type(failure).__name__)
            else:
                error = _error_of(answer)
                if error is None:
                    return answer.content
                if refound or not _stale_secret(error):
                    raise error
                refound = True
            self._look_again(place)
            time.sleep(pause)
            pause = min(PAUSE_CAP_S, pause * 2)

    def _once(self, place: Place, asked: _Asked) -> httpx.Response:
        if self._client.is_closed:
            raise e.Busy("the connection to the archive was closed here", "connection")
        headers = dict(asked.headers)
        if place.secret:
            headers[SECRET_HEADER] = place.secret
        return self._client.request(
            asked.method,
            place.url + asked.target,
            content=asked.body or None,
            headers=headers,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S, read=asked.read_s),
        )

    def _look_again(self, failed: Place) -> None:
        """Ask where the core is now, unless another thread found it meanwhile."""
        if self._find is None:
            return
        with self._lock:
            if self._place != failed:
                return
            found = self._find()
            if found is not None:
                self._place = Place(found[0].rstrip("/"), found[1])

    def _is_near(self) -> bool:
        return bool(self._place.secret)


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    target: str
    body: bytes
    headers: dict[str, str]
    read_s: float


def _check_certificate(failure: BaseException) -> None:
    """Raise Refused where the failure is a certificate nobody here trusts: waiting would not mend it."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise e.Refused(
                f"the archive's certificate is not trusted: {cause.verify_message}", "certificate"
            )
        cause = cause.__cause__ or cause.__context__


def _error_of(answer: httpx.Response) -> e.ReadingRoomError | None:
    if answer.is_success:
        return None
    members: Mapping[str, Any] = {}
    if answer.headers.get("content-type", "").startswith(problems.MEDIA_TYPE):
        found = _loaded(answer.content)
        members = found if isinstance(found, dict) else {}
    return problems.error_from(answer.status_code, members)


def _loaded(body: bytes) -> object:
    try:
        return load(body)
    except e.InvalidValue:
        return None


def _stale_secret(error: e.ReadingRoomError) -> bool:
    return isinstance(error, e.NotSignedIn) and error.where == SECRET_HEADER
