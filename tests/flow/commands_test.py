"""Commands beside a running node and without a terminal: `doctor` looks at the node, errors are one line."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.runtime.__main__ import COMMANDS
from tests.support.commands import command
from tests.support.serving import Serving, serving
from workstation.app import main as app


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A node that runs."""
    with serving(tmp_path_factory.mktemp("commands") / "data") as running:
        yield running


def test_doctor_tells_of_the_running_node_and_of_its_peers(node: Serving) -> None:
    data = str(node.data)
    assert command("ae", "add", "SELF", *node.facts["dicom"].split(":"), "--data", data).returncode == 0
    done = command("doctor", "--json", "--data", data)
    assert done.returncode == 0, done.stderr
    checks = json.loads(done.stdout)
    assert any(c["name"] == "node" and node.facts["dicom"] in c["words"] for c in checks)
    assert [c["state"] for c in checks if c["name"] == "SELF"] == ["ok"]
    assert command("ae", "add", "DEAF", "127.0.0.1", "9", "--data", data).returncode == 0
    done = command("doctor", "--data", data)
    assert done.returncode == 1
    assert "FAIL DEAF" in done.stdout
    for once in ("disk", "data folder"):
        assert done.stdout.count(f" {once} ") == 1


def test_doctor_looks_at_receivers_and_without_a_node_at_all_of_them(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        port = str(receiver.getsockname()[1])
        assert command("destination", "add", "THERE", "127.0.0.1", port, "--data", data).returncode == 0
        assert command("destination", "add", "GONE", "127.0.0.1", "9", "--data", data).returncode == 0
        add = ("ae", "add", "SENDS", "127.0.0.1", "9", "--modality", "CT", "--data", data)
        assert command(*add).returncode == 0
        done = command("doctor", "--json", "--data", data)
    states = {c["name"]: c["state"] for c in json.loads(done.stdout)}
    assert (states["THERE"], states["GONE"], states["SENDS"]) == ("ok", "fail", "warn")


def test_where_nobody_can_type_the_password_it_is_said(node: Serving) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", _end_of_input)
        done = command("user", "add", "eva", "--role", "reader", "--data", str(node.data))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("reading-room: nobody is there to type the password")


def _end_of_input(prompt: str = "") -> str:
    raise EOFError(prompt)


def test_a_password_of_nobody_is_not_asked_for(node: Serving) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", _end_of_input)
        done = command("user", "passwd", "nobody", "--data", str(node.data))
    assert (done.returncode, done.stderr) == (1, "reading-room: no user nobody (name)\n")


def test_every_command_has_its_help() -> None:
    for name in COMMANDS:
        done = command(name, "--help")
        assert done.returncode == 0, name
        assert done.stdout.startswith(f"usage: reading-room {name}")


@pytest.mark.parametrize("before", [("--data", "{}"), ("--data={}",), ("-v", "--data", "{}")])
def test_the_shared_options_may_stand_before_the_command(
    node: Serving, before: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("ae", "add", "SEEN", "127.0.0.1", "104", "--data", str(node.data)).returncode == 0
    assert app([*(word.format(node.data) for word in before), "ae", "list"]) == 0
    assert "SEEN" in capsys.readouterr().out
