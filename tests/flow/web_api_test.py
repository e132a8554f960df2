"""The archive over HTTP: what is asked is answered, what is asked wrongly is named, the feed wakes up."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pacs_core.archive.routes import API, OPENAPI, table
from tests.support.web_node import Knocking, open_doors

CHANGES = f"{API}/changes"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knocking]:
    with open_doors(tmp_path_factory.mktemp("api"), max_object=1 << 20) as found:
        found.node.spine.patient()
        found.node.spine.order()
        found.node.spine.image()
        yield found


def test_every_method_of_the_protocol_is_there(doors: Knocking) -> None:
    document = doors.client().get(OPENAPI).json()
    assert document["openapi"] == "3.1.0"
    operations = {
        o["operationId"] for p in document["paths"].values() for o in p.values() if "operationId" in o
    }
    assert operations == {f"{call.part}.{call.name}" for call in table()}
    references = json.dumps(document).split('"$ref":"#/components/schemas/')[1:]
    named = {r.split('"')[0] for r in references}
    assert named <= set(document["components"]["schemas"])


def test_a_row_of_the_worklist(doors: Knocking) -> None:
    page = doors.client().post(f"{API}/worklist/query", json={"query": {"text": "doe"}}).json()
    assert page["total"] == len(page["rows"]) == 1
    assert page["rows"][0]["key"] == "study:1.2.3"
    assert doors.client().get(f"{API}/worklist/row", params={"key": "study:1.2.3"}).json() == page["rows"][0]


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "status", "where"),
    [
        ("GET", "/worklist/row", "", None, 400, "key"),
        ("GET", "/worklist/row", "key=a&key=b", None, 400, "key"),
        ("GET", "/worklist/row", "key=a&more=b", None, 400, "more"),
        ("GET", "/worklist/row", "key=study:9.9", None, 404, "StudyInstanceUID"),
        ("GET", "/worklist/row", "key=%ff", None, 400, "query"),
        ("GET", "/worklist/row", "&".join(f"k{n}=1" for n in range(500)), None, 400, "query"),
        ("GET", "/studies/frame", "sop_instance_uid=1&frame=x", None, 400, "frame"),
        ("GET", "/studies/frame", "sop_instance_uid=1&frame=99999999999999999999", None, 400, "frame"),
        ("GET", "/studies/file", "sop_instance_uid=1&original=maybe", None, 400, "original"),
        ("POST", "/worklist/query", "", b"{", 400, "body"),
        ("POST", "/worklist/query", "", b"[]", 400, "body"),
        ("POST", "/worklist/query", "", b"{}", 400, "query"),
        ("POST", "/worklist/query", "limit=5", b'{"query": {}}', 400, "limit"),
        ("POST", "/worklist/query", "", b'{"query": {}, "limits": 5}', 400, "limits"),
        ("POST", "/worklist/query", "", b'{"query": {"status": ["a", 5]}}', 400, "query.status[1]"),
        ("POST", "/worklist/query", "", b'{"query": {"statuses": []}}', 400, "query.statuses"),
        ("POST", "/worklist/query", "", b'{"query": {}, "limit": 1e3}', 400, "limit"),
        ("PUT", "/measurements", "", b'{"measurement": {"points": [[1, 2]]}}', 400, "measurement.points[0]"),
        ("GET", "/node", "", b"a body where none belongs", 400, "body"),
    ],
)
def test_a_wrong_question_is_named_with_its_place(
    doors: Knocking, method: str, path: str, query: str, body: bytes | None, status: int, where: str
) -> None:
    headers = {"Content-Type": "application/json"} if body else {}
    answer = doors.client().request(method, f"{API}{path}?{query}", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("where")) == (status, where)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content-Type": "text/plain"}, "application/json"),
        ({}, "no Content-Type"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "Content-Encoding"),
    ],
)
def test_a_body_of_another_type_is_not_guessed_at(
    doors: Knocking, headers: dict[str, str], words: str
) -> None:
    answer = doors.client().post(f"{API}/worklist/query", content=b'{"query":{}}', headers=headers)
    assert answer.status_code == 415
    assert words in answer.json()["detail"]


def test_what_a_role_may_not_is_denied_and_audited(doors: Knocking) -> None:
    answer = doors.client("front-desk").post(f"{API}/worklist/query", json={"query": {}})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:reading-room:problem:denied")
    rows = doors.client("admin").get(f"{API}/audit").json()
    assert any(row["outcome"] == "denied" and row["actor"] == "token:token of front-desk" for row in rows)


def test_bytes_go_as_they_are_both_ways(doors: Knocking, shared_data: Path) -> None:
    file = min((shared_data / "charsets").glob("*.dcm")).read_bytes()
    stored = doors.client().post(f"{API}/studies/file", params={"name": "a.dcm"}, content=file)
    assert stored.json()["outcome"] == "stored", stored.text
    row = (
        doors.client()
        .get(f"{API}/worklist/row", params={"key": "study:" + stored.json()["study_uid"]})
        .json()
    )
    manifest = doors.client().get(f"{API}/studies/manifest", params={"study_uid": row["study_uid"]}).json()
    uid = manifest["series"][0]["instances"][0]["sop_instance_uid"]
    answer = doors.client().get(f"{API}/studies/file", params={"sop_instance_uid": uid})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content == file


def test_a_body_above_the_limit_is_refused_by_its_word_and_by_its_bytes(doors: Knocking) -> None:
    path, body = f"{API}/studies/file?name=x", b"x" * ((1 << 20) + 1)
    assert doors.client().post(path, content=body).status_code == 413

    def unsaid() -> Iterator[bytes]:
        yield body

    assert doors.client().post(path, content=unsaid()).status_code == 413


def test_large_answers_are_compressed_for_who_takes_it(doors: Knocking) -> None:
    plain = doors.client(Accept_Encoding="identity").get(OPENAPI)
    assert "content-encoding" not in plain.headers
    with doors.client(Accept_Encoding="gzip").stream("GET", OPENAPI) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content


def test_locators_are_files_only_for_who_shares_the_disk(doors: Knocking, shared_data: Path) -> None:
    file = explicit_ct(shared_data)
    uid = doors.client().post(f"{API}/studies/file?name=ct", content=file).json()["study_uid"]
    path = f"{API}/studies/manifest?study_uid={uid}"
    far = doors.client().get(path).json()["series"][0]["instances"][0]["frames"][0]
    assert far["type"] == "Url"
    near = doors.workstation().get(path).json()["series"][0]["instances"][0]["frames"][0]
    assert near["type"] == "LocalFile"
    with Path(near["path"]).open("rb") as stored:
        stored.seek(near["offset"])
        pixels = stored.read(near["length"])
    frame = (
        doors.client().get(f"{API}/studies/frame?sop_instance_uid={far['sop_instance_uid']}&frame=1").json()
    )
    assert base64.b64decode(frame["fragments"][0]) == pixels


def explicit_ct(shared_data: Path) -> bytes:
    (found,) = (
        f
        for f in (shared_data / "transfer-syntaxes/ct").iterdir()
        if f.name.startswith("1.2.840.10008.1.2.1_")
    )
    return found.read_bytes()


def newest(doors: Knocking) -> int:
    found = doors.client().get(CHANGES, params={"sequence": 10**9}).json()
    assert not found["changes"]
    return int(found["sequence"])


def test_a_long_poll_wakes_with_the_change_and_holds_no_thread(doors: Knocking) -> None:
    start = newest(doors)
    pages: list[httpx.Response] = []
    threads = [
        threading.Thread(
            target=lambda: pages.append(doors.client().get(CHANGES, params={"sequence": start, "wait_s": 30}))
        )
        for _ in range(24)  # more than the executor has threads
    ]
    doors.client()
    for thread in threads:
        thread.start()
    doors.node.spine.patient("P77", "NEW^ONE")
    for thread in threads:
        thread.join(25)
    assert len(pages) == len(threads)
    for page in pages:
        assert page.json()["changes"][0]["sequence"] == start + 1


def test_a_long_poll_ends_with_its_time(doors: Knocking) -> None:
    start = newest(doors)
    page = doors.client().get(CHANGES, params={"sequence": start, "wait_s": 0.05}).json()
    assert page == {"changes": [], "sequence": start}


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            event[name] = value.strip()
        elif event:
            yield event
            event = {}


def test_the_stream_gives_what_was_missed_then_what_comes(doors: Knocking) -> None:
    start = newest(doors)
    doors.node.spine.patient("P80", "MISSED^ONE")
    with doors.client().stream("GET", f"{CHANGES}/stream", params={"sequence": start}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = events(answer.iter_lines())
        assert next(found) == {"retry": "2000"}
        missed = next(found)
        assert (missed["id"], missed["event"]) == (str(start + 1), "change")
        doors.node.spine.patient("P81", "COMING^ONE")
        coming = next(e for e in found if "id" in e and int(e["id"]) > int(missed["id"]))
        assert json.loads(coming["data"])["sequence"] == int(coming["id"])
    resumed = {"Last-Event-ID": coming["id"]}
    doors.node.spine.patient("P82", "LATER^ONE")
    with doors.client().stream("GET", f"{CHANGES}/stream", headers=resumed) as answer:
        found = events(answer.iter_lines())
        later = next(e for e in found if "id" in e)
        assert int(later["id"]) == int(coming["id"]) + 1


def test_a_stream_ends_when_its_session_does(doors: Knocking) -> None:
    token = doors.node.access.add_token("short", "reader")[0]
    start = newest(doors)
    with (
        doors.anyone(Authorization=f"Bearer {token}") as client,
        client.stream("GET", f"{CHANGES}/stream", params={"sequence": start}) as answer,
    ):
        found = events(answer.iter_lines())
        next(found)
        doors.node.access.revoke_token("short")
        doors.node.spine.patient("P90", "UNSEEN^ONE")
        assert next(e for e in found if "event" in e)["event"] == "signed-out"


@pytest.mark.parametrize("query", ["sequence=x", "sequence=-1", "sequence=1&more=2"])
def test_a_stream_asked_wrongly(doors: Knocking, query: str) -> None:
    assert doors.client().get(f"{CHANGES}/stream?{query}").status_code == 400


def test_a_stream_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    with open_doors(tmp_path) as found:
        client = found.client()
        stream = client.send(client.build_request("GET", f"{CHANGES}/stream"), stream=True)
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
    stream.close()
    with pytest.raises(OSError, match="refused"), socket.create_connection((found.host, found.port), 5):
        pass


def test_a_failure_of_ours_is_told_without_its_inside(
    doors: Knocking, monkeypatch: pytest.MonkeyPatch, expect_errors: object, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("Marker^Patient is in this message")

    expect_errors("unexpected RuntimeError at ")  # type: ignore[operator]  # the fixture of conftest
    monkeypatch.setattr(doors.node, "checks", broken)
    caplog.set_level("INFO")
    answer = doors.client().get("/health")
    assert answer.status_code == 500
    assert "Marker" not in answer.text
    assert "Marker" not in caplog.text
