"""Who gets in: Host, Origin, credentials and their limits, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pacs_core.archive import problems
from pacs_core.archive.routes import OPENAPI, SECRET_HEADER, SESSION, SIGN_IN
from pacs_core.web.callers import WRONG_ALLOWED
from tests.support.web_node import PASSWORD, Knocking, open_doors

PATHS = ["/metrics", "/api/v1/node", OPENAPI, "/dicom-web/studies", "/api/v1/changes/stream", "/", "/nothing"]


SITES = {"hosts": ("pacs.example",), "origins": ("https://viewer.example",)}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knocking]:
    with open_doors(tmp_path_factory.mktemp("doors"), **SITES) as found:
        yield found


@pytest.fixture
def own_doors(tmp_path: Path) -> Iterator[Knocking]:
    """Doors of one test's own, where it leaves them locked or unready."""
    with open_doors(tmp_path) as found:
        yield found


def is_problem(answer: httpx.Response, status: int, slug: str, where: str = "") -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    members = answer.json()
    assert members["type"] == problems.PREFIX + slug
    assert members["status"] == status
    assert members["detail"]
    assert members.get("where", "") == where


@pytest.mark.parametrize("path", PATHS)
def test_without_a_credential_every_path_is_closed(doors: Knocking, path: str) -> None:
    answer = doors.anyone().get(path)
    is_problem(answer, 401, "not-signed-in", "Authorization")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_liveness_is_open_and_says_nothing_more(doors: Knocking) -> None:
    answer = doors.anyone().get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert doors.anyone().post("/health").status_code == 401


def test_readiness_tells_the_authorised(own_doors: Knocking) -> None:
    client = own_doors.client("admin")
    assert client.get("/health").json()["checks"][0]["name"] == "disk"
    own_doors.node.state = "fail"
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")


def test_metrics_are_prometheus_text(doors: Knocking) -> None:
    client = doors.client("admin")
    client.get("/health")
    text = client.get("/metrics").text
    assert "# TYPE reading_room_studies gauge\nreading_room_studies 3\n" in text
    assert 'reading_room_http_requests_total{method="GET",status="200"}' in text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.2", "localhost.evil.example", ""]
)
def test_a_foreign_host_is_misdirected(doors: Knocking, host: str) -> None:
    is_problem(doors.client(Host=host).get("/health"), 421, "misdirected-request", "Host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "pacs.example", "Pacs.Example:443"]
)
def test_own_names_are_answered(doors: Knocking, host: str) -> None:
    assert doors.client(Host=host).get("/health").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "file://"])
def test_a_foreign_page_may_not_ask(doors: Knocking, origin: str) -> None:
    is_problem(doors.client(Origin=origin).get("/health"), 403, "foreign-origin", "Origin")
    is_problem(doors.anyone(Origin=origin).post(SESSION, json={}), 403, "foreign-origin", "Origin")


def test_what_a_browser_says_of_a_foreign_page_counts_without_an_origin(doors: Knocking) -> None:
    is_problem(
        doors.client(Sec_Fetch_Site="cross-site").get("/health"), 403, "foreign-origin", "Sec-Fetch-Site"
    )
    assert doors.client(Sec_Fetch_Site="same-origin").get("/health").status_code == 200


def test_a_configured_site_and_the_own_one_may(doors: Knocking) -> None:
    own = doors.client(Origin=doors.url).get("/health")
    assert own.status_code == 200
    assert "access-control-allow-origin" not in own.headers
    answer = doors.client(Origin="https://viewer.example").get("/health")
    assert answer.headers["access-control-allow-origin"] == "https://viewer.example"
    asked = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "GET"}
    preflight = doors.anyone().options("/dicom-web/studies", headers=asked)
    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    foreign = doors.anyone().options(
        "/dicom-web/studies", headers={**asked, "Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


def test_a_wrong_bearer_and_a_wrong_scheme(doors: Knocking) -> None:
    is_problem(doors.anyone(Authorization="Bearer nonsense").get("/health"), 401, "not-signed-in")
    is_problem(
        doors.anyone(Authorization="Basic cmVhZGVyOng=").get("/metrics"),
        400,
        "invalid-value",
        "Authorization",
    )
    wrong = {SECRET_HEADER: "wrong"}
    is_problem(doors.anyone().get(SIGN_IN, headers=wrong), 401, "not-signed-in", SECRET_HEADER)


def test_the_sign_in_facts_need_the_secret(doors: Knocking) -> None:
    is_problem(doors.client().get(SIGN_IN), 401, "not-signed-in", SECRET_HEADER)
    assert doors.workstation().get(SIGN_IN).json()["demo_user"] == "demo"


def test_signing_in_and_out(doors: Knocking) -> None:
    answer = doors.anyone().post(SESSION, json={"name": "reader", "password": PASSWORD})
    assert answer.json()["who"]["role"] == "reader"
    with doors.anyone(Authorization=f"Bearer {answer.json()['token']}") as signed_in:
        assert signed_in.get(SESSION).json()["name"] == "reader"
        assert signed_in.delete(SESSION).status_code == 204
        is_problem(signed_in.get(SESSION), 401, "not-signed-in")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"name": "reader"}', 400),
        (b'{"name": "reader", "password": 5}', 400),
        (b'{"name": "reader", "password": "x", "more": "y"}', 400),
        (b'{"name": "reader", "password": "' + b"x" * 5000 + b'"}', 400),
        (b'{"name": "reader", "password": "wrong"}', 401),
        (b'{"name": "nobody", "password": "wrong"}', 401),
        (b'{"name": "' + b"\\u0000" + b'", "password": "wrong"}', 401),
        (b"x" * (17 << 20), 413),
    ],
)
def test_a_bad_sign_in_is_named(doors: Knocking, body: bytes, status: int) -> None:
    answer = doors.anyone(Content_Type="application/json").post(SESSION, content=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_form_of_a_page_is_no_sign_in(doors: Knocking) -> None:
    answer = doors.anyone().post(SESSION, data={"name": "reader", "password": PASSWORD})
    is_problem(answer, 415, "unsupported-media-type", "Content-Type")


def test_wrong_passwords_lock_the_account_with_the_time_to_wait(own_doors: Knocking) -> None:
    wrong = {"name": "reader", "password": "wrong password"}
    with own_doors.anyone() as client:
        statuses = [client.post(SESSION, json=wrong).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 401, 429]
        answer = client.post(SESSION, json={"name": "reader", "password": PASSWORD})
    is_problem(answer, 429, "locked-out")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.json()["retry_after"] > 0


def test_guessing_is_slowed_by_address_and_the_known_still_come_in(own_doors: Knocking) -> None:
    with own_doors.anyone() as client:
        for n in range(WRONG_ALLOWED):
            client.get("/metrics", headers={"Authorization": f"Bearer guess{n}"})
        answer = client.get("/metrics", headers={"Authorization": "Bearer one more"})
        is_problem(answer, 429, "locked-out")
        assert client.post(SESSION, json={"name": "reader", "password": PASSWORD}).status_code == 429
    assert own_doors.client().get("/health").status_code == 200
    signed = own_doors.workstation().post(SESSION, json={"name": "reader", "password": PASSWORD})
    assert signed.status_code == 200


def test_the_owner_comes_in_by_the_secret_alone(doors: Knocking) -> None:
    assert doors.workstation().get(SESSION).json() == {"name": "owner", "role": "admin", "full_name": "owner"}


def test_answers_are_not_kept_and_not_sniffed(doors: Knocking) -> None:
    for answer in (doors.anyone().get("/nothing"), doors.client().get("/api/v1/node")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers


def test_unknown_paths_and_methods_are_told(doors: Knocking) -> None:
    is_problem(doors.client().get("/nothing"), 404, "not-found", "path")
    answer = doors.client().post("/api/v1/node")
    is_problem(answer, 405, "method-not-allowed", "path")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert set(doors.client().get("/api/v1/reports/draft").headers["allow"].split(", ")) == {"PUT", "DELETE"}


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
        b"GET " + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_others_go_on(doors: Knocking, request_bytes: bytes) -> None:
    answer = doors.raw(request_bytes)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))
    assert doors.anyone().get("/health").status_code == 200
