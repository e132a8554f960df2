"""How wrong credentials are counted, and which names are the node's own."""

from __future__ import annotations

import pytest

from pacs_core.archive import problems
from pacs_core.domain import errors as e
from pacs_core.web.callers import ADDRESSES_KEPT, WrongCredentials
from pacs_core.web.guard import Doors, check_host
from pacs_core.web.health import prometheus
from pacs_core.web.node import Metric
from pacs_core.web.problems import HttpProblem
from pacs_core.web.routing import At, routes


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def wrong_times(wrong: WrongCredentials, address: str, times: int) -> None:
    for _ in range(times):
        wrong.note(address)


def test_an_address_is_locked_out_for_the_rest_of_its_window() -> None:
    time = Time()
    wrong = WrongCredentials(3, 60.0, time)
    wrong_times(wrong, "10.0.0.1", 2)
    time.now += 10
    with pytest.raises(e.LockedOut) as caught:
        wrong.note("10.0.0.1")
    assert caught.value.retry_after == 50.0
    wrong.check("10.0.0.2")
    time.now += 49
    with pytest.raises(e.LockedOut):
        wrong.check("10.0.0.1")
    time.now += 1
    wrong.note("10.0.0.1")
    with pytest.raises(e.LockedOut):
        wrong.note("10.0.0.1")


def test_one_who_owns_a_network_is_one() -> None:
    wrong = WrongCredentials(2)
    wrong.note("2001:db8::1")
    with pytest.raises(e.LockedOut):
        wrong.note("2001:db8::ffff:2")
    wrong.check("2001:db8:0:1::1")
    with pytest.raises(e.LockedOut):
        wrong_times(wrong, "::ffff:10.0.0.9", 2)
    wrong.check("::ffff:10.0.0.8")
    with pytest.raises(e.LockedOut):
        wrong_times(wrong, "not an address", 2)


def test_no_more_addresses_are_kept_than_there_is_room_for() -> None:
    wrong = WrongCredentials(2)
    for n in range(ADDRESSES_KEPT + 10):
        wrong.note(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    wrong.note("10.0.0.0")
    with pytest.raises(e.LockedOut):
        wrong.note("10.0.0.0")


@pytest.mark.parametrize(
    ("host", "server", "fits"),
    [
        ("127.0.0.1:8080", "127.0.0.1", True),
        ("localhost", "127.0.0.1", True),
        ("[::1]:8080", "::1", True),
        ("localhost:8080", "::1", True),
        ("10.0.0.5", "10.0.0.5", True),
        ("10.0.0.5", "::ffff:10.0.0.5", True),
        ("[fe80::1]", "fe80::1%eth0", True),
        ("pacs.example", "10.0.0.5", True),
        ("localhost", "10.0.0.5", False),
        ("10.0.0.6", "10.0.0.5", False),
        ("pacs.example.evil", "10.0.0.5", False),
        ("0x7f.1", "127.0.0.1", False),
        ("127.1", "127.0.0.1", False),
        ("[::1", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_own_names(host: str, server: str, fits: bool) -> None:
    scope = {"type": "http", "headers": [(b"host", host.encode())], "server": (server, 8080)}
    if fits:
        check_host(scope, Doors(hosts=("Pacs.Example",)))
    else:
        with pytest.raises(HttpProblem) as caught:
            check_host(scope, Doors(hosts=("Pacs.Example",)))
        assert caught.value.status == 421


def every_error() -> list[e.ReadingRoomError]:
    classes = {c for c in vars(e).values() if isinstance(c, type) and issubclass(c, e.ReadingRoomError)}
    assert classes - {e.ReadingRoomError} == set(problems.STATUS), "an error without its HTTP status"
    return [c("words", 7.5) if c is e.LockedOut else c("words", "a place") for c in problems.STATUS]


def test_every_error_of_the_domain_comes_back_as_itself() -> None:
    assert len(every_error()) >= 14
    for error in every_error():
        members = problems.document(error)
        back = problems.error_from(members["status"], members)
        assert (type(back), back.message, back.where) == (type(error), error.message, error.where)
        if isinstance(error, e.LockedOut):
            assert isinstance(back, e.LockedOut)
            assert back.retry_after == 7.5


@pytest.mark.parametrize(
    ("status", "members", "cls"),
    [
        (404, {}, e.NotFound),
        (401, {"type": "about:blank", "title": "Unauthorized"}, e.NotSignedIn),
        (421, {"type": "urn:other", "detail": "elsewhere"}, e.Refused),
        (502, {}, e.Busy),
        (500, {"detail": 5}, e.StorageFailure),
        (429, {"type": problems.PREFIX + "locked-out", "retry_after": "soon"}, e.LockedOut),
    ],
)
def test_an_answer_of_something_between_us_is_an_error_too(
    status: int, members: dict[str, object], cls: type
) -> None:
    assert type(problems.error_from(status, members)) is cls


def test_prometheus_text_is_escaped_and_grouped() -> None:
    text = prometheus(
        [
            Metric("a_total", "Two\nlines", 1, (("l", 'x"\\\n'),)),
            Metric("b", "B", 0.1),
            Metric("a_total", "", 2e20),
        ]
    ).decode()
    assert text.split("\n") == [
        "# HELP a_total Two\\nlines", "# TYPE a_total counter", 'a_total{l="x\\"\\\\\\n"} 1', "a_total 2e+20",
        "# HELP b B", "# TYPE b gauge", "b 0.10000000000000001", "",
    ]  # fmt: skip


def test_methods_of_one_path_are_one_route() -> None:
    async def nothing(_: object) -> None: ...

    (one, two) = routes([At("/a", "GET", nothing), At("/b", "POST", nothing), At("/a", "PUT", nothing)])  # type: ignore[arg-type]  # never called
    assert (one.path, one.methods, two.methods) == ("/a", {"GET", "HEAD", "PUT"}, {"POST"})
