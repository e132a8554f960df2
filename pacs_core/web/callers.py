"""Who is calling: bearer, secret and address of a request, and how often an address was wrong lately."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from pacs_core.archive.routes import SECRET_HEADER
from pacs_core.domain.access import Actor
from pacs_core.domain.errors import InvalidValue, LockedOut, NotSignedIn
from pacs_core.web.node import WebNode

CALLER = "reading_room.caller"

WRONG_ALLOWED = 20
WINDOW_S = 60.0
ADDRESSES_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows of itself."""

    bearer: str
    secret: str
    address: str

    @property
    def any(self) -> bool:
        """Whether it shows anything at all."""
        return bool(self.bearer or self.secret)


@dataclass(frozen=True, slots=True)
class Caller:
    """A request's caller; `actor` is None only on the paths that come before sign-in."""

    actor: Actor | None
    shares_disk: bool
    bearer: str
    address: str


def credentials_of(scope: Scope) -> Credentials:
    """Read bearer, secret and address; raises InvalidValue for an Authorization of another scheme."""
    headers = Headers(scope=scope)
    client = scope.get("client")
    address = client[0] if client else ""
    authorization = headers.get("authorization", "")
    scheme, _, bearer = authorization.partition(" ")
    if authorization and (scheme.lower() != "bearer" or not bearer.strip()):
        raise InvalidValue("Authorization is to be: Bearer, a blank, and a session or token", "Authorization")
    return Credentials(bearer.strip(), headers.get(SECRET_HEADER, ""), address)


def caller_of(request: Request) -> Caller:
    """The caller the guard let in."""
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


def actor_of(request: Request) -> Actor:
    """The actor the guard let in; raises NotSignedIn where the path let nobody through by name."""
    actor = caller_of(request).actor
    if actor is None:
        raise NotSignedIn("sign in first")
    return actor


def identify(node: WebNode, shown: Credentials) -> Caller:
    """Turn credentials into a caller; raises NotSignedIn naming which of them is wrong. Blocks."""
    if shown.secret and not node.check_secret(shown.secret):
        raise NotSignedIn("that is not the secret of the running core", SECRET_HEADER)
    shares_disk = bool(shown.secret)
    if shown.bearer:
        actor: Actor | None = node.access.actor_of(shown.bearer, shown.address)
    else:
        actor = node.owner(shown.address) if shares_disk else None
    return Caller(actor, shares_disk, shown.bearer, shown.address)


class WrongCredentials:
    """Counts wrong credentials by address, so that guessing is slow and costs the node little.

    An IPv6 address counts as its /64.
    """

    def __init__(
        self,
        allowed: int = WRONG_ALLOWED,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = allowed
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str) -> None:
        """One more wrong credential from there; raises LockedOut once there are too many."""
        with self._lock:
            times = self._wrong.setdefault(_network(address), deque(maxlen=self._allowed))
            times.append(self._clock())
            self._wrong.move_to_end(_network(address))
            if len(self._wrong) > ADDRESSES_KEPT:
                self._wrong.popitem(last=False)
        self.check(address)

    def check(self, address: str) -> None:
        """Raise LockedOut, with the seconds to wait, where an address was wrong too often."""
        with self._lock:
            times = self._wrong.get(_network(address))
            if not times or len(times) < self._allowed:
                return
            wait = times[0] + self._window_s - self._clock()
        if wait > 0:
            raise LockedOut("too many wrong credentials from this address: wait before the next", wait)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
