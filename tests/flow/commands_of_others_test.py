"""Commands on a node whose data folder is another user's: by an admin's password, over HTTP (contract.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.runtime import data_folder
from pacs_core.runtime.commands import common
from tests.support.commands import Ended, command
from tests.support.serving import Serving, serving

BOSS, SECOND = "boss password", "second password"
NOBODY = 65534


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A node with an admin and a reader."""
    data = tmp_path_factory.mktemp("others") / "data"
    with serving(data) as running:
        for name, role in (("boss", "admin"), ("rita", "reader")):
            done = command(
                "user",
                "add",
                name,
                "--role",
                role,
                "--data",
                str(data),
                "--password-stdin",
                stdin=f"{BOSS}\n",
            )
            assert done.returncode == 0, done.stderr
        yield running


@pytest.fixture
def stranger(node: Serving, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """The same node as a user sees it who may not read its folder."""
    monkeypatch.setattr(common, "ours", lambda data: False)
    return node


def ask(node: Serving, *words: str, stdin: str = "") -> Ended:
    http = node.facts["http"].removeprefix("http://")
    return command(*words, "--data", str(node.data), "--http", http, stdin=stdin)


def test_an_admin_s_password_adds_an_account_and_the_audit_names_the_admin(stranger: Serving) -> None:
    words = ("user", "add", "mona", "--role", "reader", "--user", "boss", "--password-stdin")
    done = ask(stranger, *words, stdin=f"{BOSS}\n{SECOND}\n")
    assert (done.returncode, done.stderr) == (0, "mona added as reader\n")
    door = stranger.door()
    try:
        door.sign_in("mona", SECOND).sign_out()
        rows = door.as_owner().administration.audit()
        assert [r.actor for r in rows if r.verb == "add user" and r.subject == "mona"] == ["boss"]
    finally:
        door.close()


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        (("--user", "boss", "--password-stdin"), "not the password\n", "wrong"),
        (("--user", "rita", "--password-stdin"), f"{BOSS}\n{SECOND}\n", "reader may not administer"),
        ((), "", "another user's"),
        (("--user", "boss", "--password-stdin"), "", "standard input ended"),
        (("--user", "boss", "--password-stdin"), f"{BOSS}\n", "standard input ended"),
    ],
    ids=["wrong password", "no admin", "nobody said", "no password", "no second password"],
)
def test_without_it_nothing_is_changed(
    stranger: Serving, words: tuple[str, ...], stdin: str, says: str
) -> None:
    done = ask(stranger, "user", "add", "eve", "--role", "admin", *words, stdin=stdin)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    door = stranger.door()
    try:
        assert "eve" not in {u.name for u in door.as_owner().administration.users()}
    finally:
        door.close()


def test_a_node_that_is_not_there_is_said(stranger: Serving) -> None:
    words = ("--data", str(stranger.data), "--http", "127.0.0.1:9", "--user", "boss", "--password-stdin")
    done = command("user", "list", *words, stdin=f"{BOSS}\n")
    assert done.returncode == 1
    assert "not reachable" in done.stderr


def test_the_owner_may_sign_in_as_a_person_too(node: Serving) -> None:
    words = ("ae", "add", "CT7", "192.0.2.7", "104", "--user", "boss", "--password-stdin")
    assert command(*words, "--data", str(node.data), stdin=f"{BOSS}\n").returncode == 0
    door = node.door()
    try:
        changes = door.as_owner().changes.since(0).changes
        assert [c.actor for c in changes if c.subject == "peer:CT7"] == ["boss"]
    finally:
        door.close()


def test_a_person_signs_in_where_no_node_runs(tmp_path: Path) -> None:
    add = ("user", "add", "boss", "--role", "admin", "--data", str(tmp_path / "data"), "--password-stdin")
    assert command(*add, stdin=f"{BOSS}\n").returncode == 0
    words = ("user", "list", "--data", str(tmp_path / "data"), "--user", "boss", "--password-stdin")
    assert "boss" in command(*words, stdin=f"{BOSS}\n").stdout
    assert command(*words, stdin="not the password\n").returncode == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(os.name != "posix", reason="Windows keeps the folder in the user's own profile")
def test_a_folder_of_another_user_is_known_as_such(tmp_path: Path) -> None:
    data = data_folder.prepare(tmp_path / "data")
    assert data_folder.ours(data)
    assert data_folder.ours(tmp_path / "not made yet")
    if os.geteuid() != 0:
        data.chmod(0)
        assert not data_folder.ours(data)
        data.chmod(0o700)
        return
    child = os.fork()
    if child == 0:
        os.setuid(NOBODY)
        os._exit(1 if data_folder.ours(data) else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
