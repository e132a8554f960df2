"""What the HTTP doors need of the running node: handed in by runtime, all plain blocking methods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.domain.access import Actor
from pacs_core.services.access import Access
from pacs_core.services.querying import Querying
from pacs_core.services.retrieving import Retrieving
from pacs_core.services.storing import Storing


@dataclass(frozen=True, slots=True)
class Metric:
    """One sample for Prometheus; a name that ends in ``_total`` is a counter, any other a gauge."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class WebNode(Protocol):
    """The node behind the HTTP doors: its services, and a few facts of its own."""

    @property
    def access(self) -> Access: ...
    @property
    def querying(self) -> Querying: ...
    @property
    def retrieving(self) -> Retrieving: ...
    @property
    def storing(self) -> Storing: ...

    def check_secret(self, secret: str) -> bool:
        """Say, in constant time, whether this is the random secret of this start of the core."""
        ...

    def owner(self, address: str) -> Actor:
        """Who shows the secret without a bearer: the data folder's owner."""
        ...

    def sign_in_facts(self) -> m.SignIn:
        """What the sign-in page may show."""
        ...

    def archive(self, actor: Actor, shares_disk: bool) -> Archive:
        """The archive as that actor sees it; LocalFile locators only where the caller shares the disk."""
        ...

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        """The newest journal sequence; waits until it is past `after` or the time is over."""
        ...

    def checks(self) -> tuple[m.Check, ...]:
        """Readiness, line by line; a state ``fail`` makes the node not ready."""
        ...

    def metrics(self) -> Iterable[Metric]:
        """Figures of the node for Prometheus."""
        ...
