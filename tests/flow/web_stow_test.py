"""STOW-RS over a real socket: what is stored, what is refused and with which words, and rubbish."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pacs_core.domain.errors import OutOfSpace
from pacs_core.domain.records import StudyKeys
from pacs_core.web import bodies
from pacs_core.web.multipart import MAX_HEADERS
from tests.support.multiparts import BOUNDARY, STOW_TYPE, framed
from tests.support.web_node import Knocking, open_doors

STUDIES = "/dicom-web/studies"
LIMIT = 4 << 20


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Knocking]:
    with open_doors(tmp_path, max_object=LIMIT) as found:
        yield found


@pytest.fixture(scope="module")
def series(shared_data: Path) -> list[bytes]:
    return [f.read_bytes() for f in sorted((shared_data / "studies/mr-head-sagittal-hfs").rglob("*.dcm"))[:5]]


def stow(doors: Knocking, body: Any, path: str = STUDIES, content_type: str = STOW_TYPE) -> httpx.Response:
    return doors.client("technologist").post(path, content=body, headers={"Content-Type": content_type})


def items(answer: httpx.Response, tag: str) -> list[dict[str, Any]]:
    found = answer.json().get(tag, {}).get("Value", [])
    assert isinstance(found, list)
    return found


def stored(answer: httpx.Response) -> list[str]:
    return [one["00081155"]["Value"][0] for one in items(answer, "00081199")]


def failures(answer: httpx.Response) -> list[tuple[int, str]]:
    found = items(answer, "00081198") + items(answer, "0008119A")
    return [(one["00081197"]["Value"][0], one["00000902"]["Value"][0]) for one in found]


def kept(doors: Knocking) -> list[bytes]:
    files = doors.node.retrieving.files(StudyKeys())
    return [doors.node.retrieving.read(file) for file in files]


def nothing_unfinished(doors: Knocking) -> bool:
    return not list(doors.node.spine.store.unfinished())


def test_a_series_is_stored_byte_for_byte(doors: Knocking, series: list[bytes]) -> None:
    answer = stow(doors, framed(series))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    assert len(stored(answer)) == 5
    assert answer.json()["00081190"]["Value"][0].startswith(f"{doors.url}/dicom-web/studies/")
    assert sorted(kept(doors)) == sorted(series)
    again = stow(doors, framed(series))
    assert (again.status_code, stored(again)) == (200, stored(answer))
    assert len(kept(doors)) == 5
    rows = doors.client("admin").get("/api/v1/audit").json()
    assert any(r["verb"] == "store" and r["detail"] == "5 by STOW-RS" for r in rows)


def test_a_body_without_a_length_in_any_chunks(doors: Knocking, series: list[bytes]) -> None:
    whole = framed(series[:2])

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(whole), 7919):
            yield whole[start : start + 7919]

    answer = stow(doors, chunks())
    assert (answer.status_code, len(stored(answer))) == (200, 2)
    assert sorted(kept(doors)) == sorted(series[:2])


@pytest.mark.parametrize(
    "content_type",
    [
        f"multipart/related; type=application/dicom; boundary={BOUNDARY.replace(' ', '_')}",
        f'Multipart/Related;boundary="{BOUNDARY}";type="application/dicom"',
        f'multipart/related; type="application/dicom; transfer-syntax=1.2.840"; boundary="{BOUNDARY}"',
        f'multipart/related; boundary="{BOUNDARY}"',
    ],
)
def test_content_types_seen_in_the_field(doors: Knocking, series: list[bytes], content_type: str) -> None:
    boundary = BOUNDARY if BOUNDARY in content_type else BOUNDARY.replace(" ", "_")
    part_type = 'application/dicom; transfer-syntax="1.2.840.10008.1.2.1"'
    answer = stow(doors, framed(series[:1], part_type, boundary), content_type=content_type)
    assert answer.status_code == 200, answer.text


def test_one_object_alone(doors: Knocking, series: list[bytes]) -> None:
    answer = stow(doors, series[0], content_type="application/dicom")
    assert answer.status_code == 200
    assert kept(doors) == series[:1]


def test_a_bare_data_set_gets_the_meta_information_it_lacks(doors: Knocking, shared_data: Path) -> None:
    bare = (shared_data / "broken/real/ExplVR_LitEndNoMeta.dcm").read_bytes()
    answer = stow(doors, framed([bare]))
    assert answer.status_code == 200, answer.text
    (file,) = kept(doors)
    assert file[128:132] == b"DICM"
    assert file.endswith(bare)
    assert nothing_unfinished(doors)


def test_some_stored_and_some_refused_each_with_its_reason(
    doors: Knocking, series: list[bytes], shared_data: Path
) -> None:
    no_uid = (shared_data / "broken/derived/no-sop-instance-uid.dcm").read_bytes()
    answer = stow(doors, framed([series[0], b"this is no DICOM", b"", no_uid, series[1][:3000], series[2]]))
    assert answer.status_code == 202, answer.text
    assert len(stored(answer)) == 2
    said = failures(answer)
    assert [reason for reason, _ in said] == [0xC000] * 4
    assert sorted(words[:7] for _, words in said) == ["part 2:", "part 3:", "part 4:", "part 5:"]
    assert sorted(kept(doors)) == sorted([series[0], series[2]])
    assert nothing_unfinished(doors)


def test_none_stored_is_a_conflict(doors: Knocking) -> None:
    answer = stow(doors, framed([b"no", b"never"]))
    assert (answer.status_code, len(failures(answer))) == (409, 2)
    assert answer.headers["content-type"] == "application/dicom+json"


def test_objects_of_another_study_are_named_by_their_uids(doors: Knocking, series: list[bytes]) -> None:
    answer = stow(doors, framed(series[:1]), f"{STUDIES}/1.2.3")
    assert answer.status_code == 409
    (failed,) = items(answer, "00081198")
    assert failed["00081197"]["Value"] == [0xA901]
    assert failed["00081155"]["Value"][0].startswith("1.")
    assert kept(doors) == []


def test_other_parts_among_the_objects(doors: Knocking, series: list[bytes]) -> None:
    whole = (
        framed(series[:1]).removesuffix(b"--\r\n")
        + b"\r\nContent-Type: text/html\r\n\r\n<b>\r\n"
        + framed([])
    )
    answer = stow(doors, whole)
    assert answer.status_code == 202
    assert "text/html" in failures(answer)[0][1]


def test_a_part_whose_length_lies_is_refused(doors: Knocking, series: list[bytes]) -> None:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\nContent-Length: ".encode()
    lying = head + b"5\r\n\r\n" + series[0] + b"\r\n"
    honest = head + str(len(series[1])).encode() + b"\r\n\r\n" + series[1] + b"\r\n"
    answer = stow(doors, lying + honest + framed([]))
    assert answer.status_code == 202
    assert "Content-Length says 5" in failures(answer)[0][1]
    assert kept(doors) == series[1:2]


def test_an_object_above_the_limit_is_refused_and_the_next_one_stored(
    doors: Knocking, series: list[bytes]
) -> None:
    answer = stow(doors, framed([series[0] + bytes(LIMIT), series[1]]))
    assert answer.status_code == 202
    assert failures(answer)[0][0] == 0xA700
    assert kept(doors) == series[1:2]
    assert nothing_unfinished(doors)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "where"),
    [
        (b"", STOW_TYPE, 400, "boundary"),
        (framed([b"x"], boundary="another"), STOW_TYPE, 400, "boundary"),
        (framed([b"x"])[:-40], STOW_TYPE, 400, "part 1"),
        (b"x" * 100_000, STOW_TYPE, 400, "boundary"),
        (f"--{BOUNDARY}\r\n".encode() + b"a" * (MAX_HEADERS + 1), STOW_TYPE, 400, "part 1"),
        (framed([]), STOW_TYPE, 400, "body"),
        (framed([b"x"]), "multipart/related; type=application/dicom", 400, "boundary"),
        (framed([b"x"]), 'multipart/related; type="application/dicom"; boundary="a\nb"', 400, "boundary"),
        (
            framed([b"x"]),
            f'multipart/related; type="application/dicom+json"; boundary="{BOUNDARY}"',
            415,
            "Content-Type",
        ),
        (b"{}", "application/json", 415, "Content-Type"),
        (b"x", "", 415, "Content-Type"),
        (b"x", "nonsense", 400, "Content-Type"),
    ],
)
def test_a_body_that_is_no_multipart_of_objects(
    doors: Knocking, body: bytes, content_type: str, status: int, where: str
) -> None:
    if "\n" in content_type:
        content_type = content_type.replace("\n", "\t")
    answer = stow(doors, body, content_type=content_type)
    assert (answer.status_code, answer.json()["where"]) == (status, where), answer.text
    assert nothing_unfinished(doors)


def test_what_came_whole_before_the_break_is_stored_and_said(doors: Knocking, series: list[bytes]) -> None:
    answer = stow(doors, framed(series[:3])[:-5000])
    assert answer.status_code == 400
    assert answer.json()["where"] == "part 3"
    assert "2 of the objects before it were stored" in answer.json()["detail"]
    assert len(kept(doors)) == 2
    assert nothing_unfinished(doors)


def raw_head(doors: Knocking, length: int) -> bytes:
    """The head of a request that says this length of its body."""
    lines = (
        f"POST {STUDIES} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {doors.client('technologist').headers['Authorization']}",
        f"Content-Type: {STOW_TYPE}",
        f"Content-Length: {length}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def until(fact: Any) -> None:
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def test_a_sender_that_goes_away_leaves_nothing_half(doors: Knocking, series: list[bytes]) -> None:
    whole = framed(series[:2])
    head = raw_head(doors, len(whole))
    with socket.create_connection((doors.host, doors.port)) as connection:
        connection.sendall(head + whole[: len(series[0]) + 5000])
        until(lambda: len(kept(doors)) == 1)
    until(lambda: nothing_unfinished(doors))
    assert kept(doors) == series[:1]


def test_a_sender_that_falls_silent_is_told(doors: Knocking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies.stream, "__defaults__", (0.2,))
    began = raw_head(doors, 100_000) + f"--{BOUNDARY}\r\n\r\nabc".encode()
    assert doors.raw(began).startswith(b"HTTP/1.1 408 ")
    assert nothing_unfinished(doors)


def test_a_full_disk_is_a_failure_the_sender_can_act_on(
    doors: Knocking, series: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(door: str = "") -> None:
        raise OutOfSpace("the disk of the data folder is nearly full", "data folder")

    monkeypatch.setattr(doors.node.storing, "begin", full)
    answer = stow(doors, framed(series[:1]))
    assert answer.status_code == 409
    assert failures(answer)[0][0] == 0xA700
    assert "full" in failures(answer)[0][1]


def test_who_may_not_store_and_what_cannot_be_answered(doors: Knocking, series: list[bytes]) -> None:
    body, headers = framed(series[:1]), {"Content-Type": STOW_TYPE}
    assert doors.client("front-desk").post(STUDIES, content=body, headers=headers).status_code == 403
    assert doors.anyone().post(STUDIES, content=body, headers=headers).status_code == 401
    xml = {**headers, "Accept": "application/dicom+xml"}
    assert doors.client("technologist").post(STUDIES, content=body, headers=xml).status_code == 406
    assert (
        doors.client("technologist").post(f"{STUDIES}/1.a", content=body, headers=headers).status_code == 400
    )
    assert kept(doors) == []


def test_the_same_object_twice_in_one_body_is_kept_once(doors: Knocking, series: list[bytes]) -> None:
    answer = stow(doors, framed([series[0], series[1], series[0]]))
    assert (answer.status_code, len(stored(answer))) == (200, 3)
    assert sorted(kept(doors)) == sorted(series[:2])


def test_a_failure_nobody_foresaw_is_never_a_success(
    doors: Knocking, series: list[bytes], monkeypatch: pytest.MonkeyPatch, expect_errors: Any
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    expect_errors("unexpected RuntimeError")
    monkeypatch.setattr(doors.node.storing, "keep", broken)
    answer = stow(doors, framed(series[:2]))
    assert answer.status_code == 500
    assert kept(doors) == []
