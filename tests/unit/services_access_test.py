"""Accounts, sessions and tokens: who comes in, who no longer does, and what each leaves in the audit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.domain.access import Actor, Role, Verb
from pacs_core.domain.errors import Conflict, Denied, InvalidValue, LockedOut, NotFound, NotSignedIn
from pacs_core.services.access import SESSION_HOURS, Access
from tests.support.spine import Spine, spine
from tests.support.web_node import quick_passwords

PASSWORD = "correct horse"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with quick_passwords(), spine(tmp_path) as made:
        made.services.access.add_account("boss", "admin", PASSWORD)
        made.services.access.add_account("eva", "reader", PASSWORD, "Eva")
        yield made


@pytest.fixture
def access(house: Spine) -> Access:
    return house.services.access


def audited(house: Spine) -> list[tuple[str, str, str, str]]:
    with house.index.read() as tx:
        return [(a.actor, a.verb, a.subject, a.outcome) for a in tx.audit.before(0, 100)]


def test_a_session_is_its_person_s_until_it_is_over(house: Spine, access: Access) -> None:
    secret, actor = access.sign_in("eva", PASSWORD, "192.0.2.7")
    assert (actor.name, actor.role, actor.full_name, actor.address) == (
        "eva",
        Role.READER,
        "Eva",
        "192.0.2.7",
    )
    assert access.actor_of(secret).name == "eva"
    house.clock.forward(SESSION_HOURS * 3600 - 1)
    assert access.actor_of(secret).name == "eva"
    house.clock.forward(1)
    with pytest.raises(NotSignedIn):
        access.actor_of(secret)


@pytest.mark.parametrize("ending", ["sign out", "password", "disable"])
def test_a_session_ends_with(house: Spine, access: Access, ending: str) -> None:
    secret, _ = access.sign_in("eva", PASSWORD)
    {
        "sign out": lambda: access.sign_out(secret),
        "password": lambda: access.set_password("eva", "another horse", "boss"),
        "disable": lambda: access.disable("eva", True, "boss"),
    }[ending]()
    with pytest.raises(NotSignedIn):
        access.actor_of(secret)


def test_who_is_disabled_cannot_come_in_and_is_told_nothing_more(access: Access) -> None:
    access.disable("eva", True)
    with pytest.raises(NotSignedIn) as disabled:
        access.sign_in("eva", PASSWORD)
    with pytest.raises(NotSignedIn) as unknown:
        access.sign_in("nobody", PASSWORD)
    assert disabled.value.message == unknown.value.message
    access.disable("eva", False)
    access.sign_in("eva", PASSWORD)


def test_the_last_admin_stays(access: Access) -> None:
    with pytest.raises(Conflict, match="last admin"):
        access.disable("boss", True)
    access.add_account("second", "admin", PASSWORD)
    assert access.disable("boss", True).disabled


def test_a_token_is_shown_once_kept_as_a_digest_and_revoked(house: Spine, access: Access) -> None:
    secret, record = access.add_token("viewer", "technologist", "boss")
    assert secret not in repr(record)
    actor = access.actor_of(secret)
    assert (actor.name, actor.role) == ("token:viewer", Role.TECHNOLOGIST)
    assert [t.name for t in access.tokens()] == ["viewer"]
    with pytest.raises(Conflict):
        access.add_token("viewer", "reader")
    access.revoke_token("viewer", "boss")
    with pytest.raises(NotSignedIn):
        access.actor_of(secret)
    with pytest.raises(NotFound):
        access.revoke_token("viewer")
    assert ("boss", "revoke token", "viewer", "allowed") in audited(house)


@pytest.mark.parametrize("name", ["a b/../c", "a\\\\b", "", " eva", "a:b", "x" * 65, "owner", "OWNER"])
def test_a_name_that_could_be_mistaken_is_refused(access: Access, name: str) -> None:
    with pytest.raises(InvalidValue):
        access.add_account(name, "reader", PASSWORD)


@pytest.mark.parametrize(("role", "password"), [("king", PASSWORD), ("reader", "short")])
def test_no_such_role_and_no_such_password(access: Access, role: str, password: str) -> None:
    with pytest.raises(InvalidValue):
        access.add_account("new", role, password)
    with pytest.raises(InvalidValue):
        access.add_token("session:x", "reader")


def heard(access: Access, name: str, password: str = "wrong horse") -> str:
    with pytest.raises(NotSignedIn) as refused:
        access.sign_in(name, password)
    return f"{type(refused.value).__name__}: {refused.value.message}"


def test_a_name_that_nobody_has_is_locked_like_one_that_somebody_has(house: Spine, access: Access) -> None:
    def told() -> list[str]:
        said = [(heard(access, "eva"), heard(access, "nobody")) for _ in range(6)]
        assert all(known == unknown for known, unknown in said)
        return [known for known, _ in said]

    first = told()
    assert [line.split(":")[0] for line in first] == ["NotSignedIn"] * 4 + ["LockedOut"] * 2
    house.clock.forward(61)
    later = told()
    assert "120 s" in later[0]
    house.clock.forward(119)
    assert heard(access, "eva") == heard(access, "nobody")
    house.clock.forward(2)
    access.sign_in("eva", PASSWORD)


def test_guesses_at_the_same_time_are_counted_one_by_one(
    house: Spine, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them read the account before any is counted: the lock is looked at again where they count."""
    together = threading.Barrier(16)

    def slow(secret: str, password: str) -> bool:
        together.wait(30)
        return False

    monkeypatch.setattr("pacs_core.services.access._verify", slow)
    said: list[str] = []
    guesses = [threading.Thread(target=lambda: said.append(heard(access, "eva"))) for _ in range(16)]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join(30)
    assert sorted(line.split(":")[0] for line in said) == ["LockedOut"] * 12 + ["NotSignedIn"] * 4
    with house.index.read() as tx:
        assert tx.accounts.find("eva").failures == 5


def test_a_right_password_that_was_tried_while_others_locked_the_name_is_refused(
    house: Spine, access: Access
) -> None:
    admit = access.proof("eva", PASSWORD, "", "sign-in")
    for _ in range(5):
        heard(access, "eva")
    with pytest.raises(LockedOut):
        house.index.write(admit)
    assert ("eva", "sign-in", "eva", "allowed") not in audited(house)


def test_a_password_that_was_changed_meanwhile_admits_nobody(house: Spine, access: Access) -> None:
    admit = access.proof("eva", PASSWORD, "", "sign")
    access.set_password("eva", "another horse")
    with pytest.raises(NotSignedIn):
        house.index.write(admit)


def test_what_a_role_may_not_is_denied_and_audited(house: Spine, access: Access) -> None:
    desk = Actor("front", Role.FRONT_DESK, "Front", "", "192.0.2.9")
    access.require(desk, Verb.SCHEDULE, "order:1")
    with pytest.raises(Denied):
        access.require(desk, Verb.VIEW, "study:1.2.3")
    assert audited(house)[0] == ("front", "view", "study:1.2.3", "denied")


def test_every_line_of_the_audit_binds_those_before_it(house: Spine, access: Access) -> None:
    from pacs_core.database.repositories.accounts import chain_of

    access.sign_in("eva", PASSWORD)
    with house.index.read() as tx:
        rows = list(tx.audit.before(0, 100))[::-1]
    before = ""
    for row in rows:
        told = (row.at, row.actor, row.role, row.verb, row.subject, row.outcome, row.detail, row.address)
        assert row.chain == (before := chain_of(before, *told))
