"""A node whose HTTP doors are open on a free port of loopback, and ways to knock with any bytes."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from pacs_core.archive import models as m
from pacs_core.archive.local import LocalArchive
from pacs_core.archive.protocol import PARTS, Archive
from pacs_core.archive.routes import SECRET_HEADER
from pacs_core.domain.access import Actor, Role
from pacs_core.runtime.changing import change, listed
from pacs_core.runtime.http_server import HttpServer
from pacs_core.runtime.io_loop import IoLoop
from pacs_core.runtime.settings import Settings
from pacs_core.services import access
from pacs_core.web.app import WebSettings, make_app
from pacs_core.web.node import Metric
from tests.support.spine import Spine, spine

SECRET = "the secret of this start"
PASSWORD = "correct horse"


class Facts:
    """The node around the archive, as far as the archive asks it."""

    def __init__(self, folder: Path) -> None:
        self.stopped = False
        self._settings = Settings(folder, dicom_port=0, hl7_port=0, http_port=0)

    def info(self) -> m.NodeInfo:
        return m.NodeInfo("0", "", "READINGROOM", "", "", "", "UTC", "2026-03-02", (), ())

    def echo(self, title: str) -> m.Check:
        return m.Check(title, "fail", "nobody listens")

    def stop_soon(self) -> None:
        self.stopped = True

    def settings_list(self) -> tuple[m.Setting, ...]:
        return listed(self._settings)

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        self._settings = change(self._settings, values)
        return listed(self._settings)

    def process(self, message_id: int) -> None:
        return None

    def check_field_map(self, text: str) -> None:
        return None


class TestNode:
    """Implements `web.node.WebNode` over the services of a spine."""

    __test__ = False

    def __init__(self, spine: Spine) -> None:
        self.spine = spine
        self.services = spine.services
        self.access = spine.services.access
        self.querying = spine.services.querying
        self.retrieving = spine.services.retrieving
        self.storing = spine.services.storing
        self.secret = SECRET
        self.state = "ok"
        self.facts = Facts(spine.store.root.parent)

    def check_secret(self, secret: str) -> bool:
        return hmac.compare_digest(secret.encode(), self.secret.encode())

    def owner(self, address: str) -> Actor:
        return Actor("owner", Role.ADMIN, "owner", "", address)

    def sign_in_facts(self) -> m.SignIn:
        return m.SignIn("Test node", demo_user="demo")

    def archive(self, actor: Actor, shares_disk: bool) -> Archive:
        return LocalArchive(self.services, actor, self.facts, local_files=shares_disk)

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        return self.spine.index.wait_for_change(after, timeout_s)

    def checks(self) -> tuple[m.Check, ...]:
        return (m.Check("disk", self.state, "room enough"),)

    def metrics(self) -> Iterable[Metric]:
        return (Metric("reading_room_studies", "Studies", 3),)


@dataclass
class Knocking:
    """The open doors: `client` speaks as a reader, `anyone` shows nothing."""

    node: TestNode
    host: str
    port: int
    tokens: dict[str, str] = field(default_factory=dict)
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def client(self, role: str = "reader", **headers: str) -> httpx.Client:
        if role not in self.tokens:
            self.tokens[role] = self.node.access.add_token(f"token of {role}", role)[0]
        return self.anyone(Authorization=f"Bearer {self.tokens[role]}", **headers)

    def anyone(self, **headers: str) -> httpx.Client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = httpx.Client(base_url=self.url, headers=named, trust_env=False, timeout=30)
        self.clients.append(client)
        return client

    def workstation(self) -> httpx.Client:
        return self.anyone(**{SECRET_HEADER: SECRET})

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def raw(self, request: bytes, timeout_s: float = 20.0) -> bytes:
        """Send bytes as they are and read until the other side closes or resets."""
        answer = b""
        with (
            socket.create_connection((self.host, self.port), timeout_s) as connection,
            suppress(ConnectionError),
        ):
            connection.sendall(request)
            while chunk := connection.recv(65536):
                answer += chunk
        return answer


@contextmanager
def quick_passwords() -> Iterator[None]:
    """Argon2 with its smallest parameters: the same algorithm, without seconds of hashing."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "_hasher", lambda: quick)
        yield


@contextmanager
def open_doors(
    folder: Path, parts: Mapping[str, type] = PARTS, node_class: type[TestNode] = TestNode, **settings: Any
) -> Iterator[Knocking]:
    """Services on a folder with their HTTP doors open, all closed at the end."""
    with quick_passwords(), spine(folder) as made:
        node = node_class(made)
        loop = IoLoop()
        server = HttpServer(make_app(node, WebSettings(version="0.1", **settings), parts), "", "")
        try:
            host, port = server.start(loop, "127.0.0.1", 0)
            made.services.access.add_account("reader", "reader", PASSWORD)
            knocking = Knocking(node, host, port)
            try:
                yield knocking
            finally:
                knocking.close()
        finally:
            server.stop(loop)
            loop.stop()
