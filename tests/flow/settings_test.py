"""Settings of a running node: listed in words, written to its file, followed at once or at the next start."""

from __future__ import annotations

import socket
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.client import connect
from pacs_core.domain.errors import Busy, Denied, InvalidValue, Refused
from pacs_core.remote.archive import RemoteDoor
from pacs_core.runtime.changing import WORDS
from pacs_core.runtime.data_folder import running
from pacs_core.runtime.doors import own_trust
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import KEYS, Settings, load
from tests.support.commands import command
from tests.support.serving import serving

FREE = {"dicom_port": 0, "hl7_port": 0, "http_port": 0}
FILE = "# ours\n[dicom]\nae = 'CLINIC'  # on the CT's list\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "config.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def node(data: Path) -> Iterator[Node]:
    with Node(load(data, None, FREE)) as running_node:
        yield running_node.start()


@pytest.fixture
def archive(node: Node) -> Archive:
    return node.archive(node.owner())


def setting(archive: Archive, key: str) -> m.Setting:
    return next(s for s in archive.administration.settings() if s.key == key)


def filed(data: Path) -> dict[str, Any]:
    return tomllib.loads((data / "config.toml").read_text(encoding="utf-8"))


def test_every_field_has_a_key_with_its_words() -> None:
    ours = {"data", "config", "demo"}
    assert set(KEYS.values()) | ours == set(Settings.__dataclass_fields__)
    assert set(WORDS) == set(KEYS)
    assert all(words and not words.endswith(".") for words in WORDS.values())


def test_a_setting_says_what_is_filed_what_is_in_effect_and_its_default(archive: Archive) -> None:
    title, port = setting(archive, "dicom.ae"), setting(archive, "dicom.port")
    assert (title.kind, title.value, title.default, title.running) == (
        "text", "CLINIC", "READINGROOM", "CLINIC"
    )  # fmt: skip
    assert (port.kind, port.value, port.running, port.restart) == ("number", 11112, 0, True)
    assert setting(archive, "http.origins").value == []


def test_a_limit_is_followed_at_once_and_written_beside_what_was_there(
    node: Node, archive: Archive, data: Path
) -> None:
    after = archive.administration.save_settings({"store.reserve_mb": 7, "dicom.max_associations": 1})
    assert {s.key: s.running for s in after if not s.restart and s.key != "dicom.idle_s"} == {
        "store.reserve_mb": 7, "dicom.max_associations": 1, "reading.idle_lock_min": 15
    }  # fmt: skip
    assert node.store.reserve_bytes == 7 << 20
    host, port = node.dicom.rsplit(":", 1)
    _an_association_is_held_and_the_next_refused(host, int(port))
    text = (data / "config.toml").read_text(encoding="utf-8")
    assert text.startswith(FILE)
    assert filed(data)["store"]["reserve_mb"] == 7


def _an_association_is_held_and_the_next_refused(host: str, port: int) -> None:
    proposal = [(sop.VERIFICATION, ("1.2.840.10008.1.2",))]
    first = connect(host, port, "CLINIC", "CT1", proposal)
    try:
        with pytest.raises((Busy, Refused), match="too many associations"):
            connect(host, port, "CLINIC", "CT2", proposal)
    finally:
        first.release()


def test_a_listener_s_change_waits_for_the_next_start(node: Node, archive: Archive, data: Path) -> None:
    archive.administration.save_settings({"dicom.ae": "NEWTITLE", "dicom.port": 0})
    title = setting(archive, "dicom.ae")
    assert (title.value, title.running, title.restart) == ("NEWTITLE", "CLINIC", True)
    assert archive.administration.node().ae == "CLINIC"
    node.stop()
    with Node(load(data, None, FREE)).start() as again:
        assert again.info().ae == "NEWTITLE"
    assert "# on the CT's list" in (data / "config.toml").read_text(encoding="utf-8")


def test_null_brings_back_the_default(archive: Archive, data: Path) -> None:
    archive.administration.save_settings({"dicom.ae": None})
    assert setting(archive, "dicom.ae").value == "READINGROOM"
    assert "ae" not in filed(data)["dicom"]


@pytest.mark.parametrize(
    ("values", "where", "says"),
    [
        ({"dicom.speed": 3}, "dicom.speed", "no setting"),
        ({"demo": True}, "demo", "no setting"),
        ({"dicom.port": "104"}, "dicom.port", "whole number"),
        ({"dicom.port": 70000}, "dicom.port", "from 0 to 65535"),
        ({"dicom.port": True}, "dicom.port", "whole number"),
        ({"dicom.ae": "A TITLE THAT IS TOO LONG"}, "dicom.ae", "16"),
        ({"dicom.ae": ""}, "dicom.ae", "16"),
        ({"dicom.host": "192.0.2.77"}, "dicom.host", "no address"),
        ({"dicom.host": "no such name.example"}, "dicom.host", "no address"),
        ({"hl7.host": "0.0.0.0"}, "hl7.host", "certificate"),
        ({"http.host": "0.0.0.0"}, "http.host", "certificate"),
        ({"http.origins": "https://a.example"}, "http.origins", "list"),
        ({"http.origins": [1]}, "http.origins", "list"),
        ({"http.certificate": "/nowhere.pem"}, "http.certificate", "no file"),
        ({"http.key": "/nowhere.pem"}, "http.certificate", "no certificate"),
        ({"site.zone": "Atlantis/Capital"}, "site.zone", "Atlantis"),
        ({"hl7.port": 8080}, "http.port", "HL7"),
        ({"store.reserve_mb": -1}, "store.reserve_mb", "from 1"),
        ({"reading.idle_lock_min": 1.5}, "reading.idle_lock_min", "whole number"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key_and_nothing_is_written(
    archive: Archive, data: Path, values: dict[str, object], where: str, says: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        archive.administration.save_settings({"dicom.idle_s": 99, **values})
    assert (caught.value.where, says in caught.value.message) == (where, True), caught.value.message
    assert (data / "config.toml").read_text(encoding="utf-8") == FILE


def test_a_port_of_another_program_is_refused(archive: Archive) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InvalidValue, match="another program") as caught:
            archive.administration.save_settings({"hl7.port": other.getsockname()[1]})
    assert caught.value.where == "hl7.port"


def test_it_is_told_and_audited_and_only_for_admins(node: Node, archive: Archive) -> None:
    archive.administration.add_user("desk", "front-desk", "desk password")
    door = RemoteDoor(node.http, node.secret)
    try:
        desk = door.sign_in("desk", "desk password")
        for ask in (desk.administration.settings, lambda: desk.administration.save_settings({})):
            with pytest.raises(Denied):
                ask()
        after = door.as_owner().administration.save_settings({"http.hosts": ["pacs.example"]})
        assert next(s for s in after if s.key == "http.hosts").value == ["pacs.example"]
    finally:
        door.close()
    (told,) = [c for c in archive.changes.since(0).changes if c.kind == "settings.saved"]
    assert told.detail == {"http.hosts": ["pacs.example"]}
    assert "change settings" in {a.verb for a in archive.administration.audit()}


def test_settings_in_another_file_are_written_there(tmp_path: Path) -> None:
    other = tmp_path / "clinic.toml"
    other.write_text("[dicom]\nae = 'CLINIC'\n", encoding="utf-8")
    with Node(load(tmp_path / "data", other, FREE)).open() as node:
        node.archive(node.owner()).administration.save_settings({"dicom.ae": "OTHER"})
    assert other.read_text(encoding="utf-8") == '[dicom]\nae = "OTHER"\n'
    assert not (tmp_path / "data" / "config.toml").exists()


def test_a_file_that_was_spoilt_by_hand_is_not_written_over(archive: Archive, data: Path) -> None:
    (data / "config.toml").write_text("[dicom\n", encoding="utf-8")
    for ask in (archive.administration.settings, lambda: archive.administration.save_settings({})):
        with pytest.raises(InvalidValue, match=r"config\.toml"):
            ask()
    assert (data / "config.toml").read_text(encoding="utf-8") == "[dicom\n"


@pytest.fixture
def certificate(tmp_path: Path, program: Callable[[str], Path]) -> tuple[Path, Path]:
    """One of its own making, named for the network and not for loopback."""
    made = tmp_path / "pacs.pem", tmp_path / "pacs.key"
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=pacs.example"
    words = [str(program("openssl")), *request.split(), "-keyout", str(made[1]), "-out", str(made[0])]
    subprocess.run(words, check=True, capture_output=True)
    return made


def test_with_a_certificate_the_node_s_own_commands_and_window_still_find_it(
    data: Path, certificate: tuple[Path, Path]
) -> None:
    with Node(load(data)).open() as node:
        paths = {"http.certificate": str(certificate[0]), "http.key": str(certificate[1])}
        node.archive(node.owner()).administration.save_settings({**paths, "http.host": "0.0.0.0"})
        swapped = {"http.certificate": paths["http.key"], "http.key": paths["http.certificate"]}
        with pytest.raises(InvalidValue, match="cannot be used") as caught:
            node.archive(node.owner()).administration.save_settings(swapped)
        assert caught.value.where == "http.certificate"
    doors = ("--dicom", "127.0.0.1:0", "--hl7", "127.0.0.1:0", "--http", "0.0.0.0:0")
    with serving(data, doors=doors) as node:
        assert node.facts["http"].startswith("https://0.0.0.0:")
        assert command("ae", "add", "CT1", "192.0.2.1", "104", "--data", str(data)).returncode == 0
        facts = running(data)
        door = RemoteDoor(str(facts["http"]), str(facts["secret"]), verify=own_trust(facts))
        assert door.as_owner().administration.node().warnings == ()
        door.close()
        stranger = RemoteDoor(str(facts["http"]), str(facts["secret"]), patience_s=0.1)
        with pytest.raises(Refused, match="not trusted"):
            stranger.as_owner()
        stranger.close()


def test_the_largest_object_taken_over_http_is_a_setting(data: Path) -> None:
    from pacs_core.runtime.settings import load

    (data / "config.toml").write_text("[http]\nmax_object_mb = 3\n", encoding="utf-8")
    assert load(data).http_max_object_mb == 3
    with pytest.raises(InvalidValue, match=r"http.max_object_mb is to be from 1"):
        load(data, None, {"http_max_object_mb": 0})
