"""Nothing acknowledged is missing after a power cut: every unsynced write is dropped at each acknowledgement.

The node runs under strace; its system calls are replayed into a model of a disk that keeps only what was
synced, and a node is opened on what is left.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pacs_core.domain.errors import NotFound
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load
from tests.support.disk_model import SYNCS, Call, Disk, replay, strace

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="traced with strace")

ORM = (
    "MSH|^~\\&|RIS|HOSP|RR|HOSP|20260302100000||ORM^O01|{control}|P|2.3.1\r"
    "PID|1||{patient}^^^HOSP||DOE^JANE||19700102|F\r"
    "ORC|NW|PL{number}|F{number}|||||^^^20260302110000^^R\r"
    "OBR|1|PL{number}|F{number}|CTCH^CT chest^L||||||||||||||ACC{number}|RP{number}|SP{number}||||CT\r"
)


@dataclass(frozen=True)
class Acknowledged:
    """What the other side was told is safe."""

    what: str
    name: str


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> tuple[Path, Path]:
    """A node's trace while it received images and orders: (log, data folder)."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder = tmp_path_factory.mktemp("cut")
    data, log = folder / "data", folder / "calls.log"
    command = [*strace(log), sys.executable, "-m", "pacs_core.runtime", "serve", "--data", str(data)]
    doors = ["--dicom", "127.0.0.1:0", "--hl7", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with subprocess.Popen([*command, *doors], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline().removeprefix("READY "))
        _send_orders(facts["hl7"])
        _send_images(facts["dicom"], sorted((shared_data / "charsets").glob("*.dcm"))[:8])
        os.kill(facts["pid"], signal.SIGKILL)
    return log, data


def _send_orders(hl7: str) -> None:
    host, port = hl7.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as line:
        for number in range(4):
            text = ORM.format(control=f"C{number}", patient=f"P{number}", number=number)
            line.sendall(b"\x0b" + text.encode() + b"\x1c\r")
            assert b"MSA|AA|" in line.recv(65536)


def _send_images(dicom: str, files: list[Path]) -> None:
    host, port = dicom.rsplit(":", 1)
    subprocess.run(
        ["storescu", "-xs", "-R", "-aec", "READINGROOM", host, port, *map(str, files)],
        check=False,
        capture_output=True,
        timeout=60,
        env={**os.environ, "TCP_NODELAY": "1"},
    )


def acknowledgements(
    log: Path, root: Path, ignore: Callable[[Call], bool]
) -> Iterator[tuple[Disk, Acknowledged]]:
    """The disk at each moment an acknowledgement is about to leave."""
    for disk, call in replay(log, root, ignore):
        sent = b"".join(call.strings())
        for found in (_store_response(sent), _message_answer(sent)):
            if found is not None:
                yield disk, found


def _store_response(sent: bytes) -> Acknowledged | None:
    """The SOP Instance UID of a C-STORE-RSP with status Success in a P-DATA-TF (PS3.7 9.3.1.2)."""
    if len(sent) < 12 or sent[0] != 4:
        return None
    values, at = {}, 12
    while at + 8 <= len(sent):
        group, element, length = struct.unpack_from("<HHL", sent, at)
        values[group, element] = sent[at + 8 : at + 8 + length]
        at += 8 + length
    if values.get((0, 0x0100)) != b"\x01\x80" or values.get((0, 0x0900)) != b"\0\0":
        return None
    return Acknowledged("image", values[0, 0x1000].rstrip(b"\0 ").decode())


def _message_answer(sent: bytes) -> Acknowledged | None:
    if not sent.startswith(b"\x0b") or b"\rMSA|AA|" not in sent:
        return None
    return Acknowledged("message", sent.split(b"\rMSA|AA|")[1].split(b"\r")[0].split(b"|")[0].decode())


def missing_after_cut(disk: Disk, told: list[Acknowledged], folder: Path) -> list[Acknowledged]:
    """What was acknowledged and is not there when a node starts on the disk after the cut."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    disk.write_to(folder)
    with Node(load(folder)) as node:
        node.open()
        with node.services.index.read() as tx:
            return [t for t in told if not _is_there(node, tx, t)]


def _is_there(node: Node, tx, told: Acknowledged) -> bool:  # type: ignore[no-untyped-def]  # a transaction
    if told.what == "message":
        return bool(tx.orders.by_accession(f"ACC{told.name.removeprefix('C')}"))
    found = tx.studies.find_instance(told.name)
    if found is None:
        return False
    try:
        return len(node.store.read(found.blob_key)) == found.dataset_offset + found.size
    except NotFound:
        return False


def test_at_every_acknowledgement_all_of_it_is_on_the_disk(traced: tuple[Path, Path], tmp_path: Path) -> None:
    log, root = traced
    told: list[Acknowledged] = []
    for disk, acknowledged in acknowledgements(log, root, lambda call: False):
        told.append(acknowledged)
        assert missing_after_cut(disk, told, tmp_path / "after") == []
    assert sum(t.what == "image" for t in told) >= 8
    assert sum(t.what == "message" for t in told) == 4


def test_images_need_no_sync_of_the_index_their_rows_are_made_again(
    traced: tuple[Path, Path], tmp_path: Path
) -> None:
    log, root = traced
    told: list[Acknowledged] = []
    cut = acknowledgements(log, root, lambda call: call.name in SYNCS and _of_index(call))
    for disk, acknowledged in cut:
        if acknowledged.what == "image":
            told.append(acknowledged)
            assert missing_after_cut(disk, told, tmp_path / "after") == []
    assert len(told) >= 8


def _of_blob_files(call: Call) -> bool:
    return call.file()[1].endswith((".part", ".dcm"))


def _of_folders(call: Call) -> bool:
    return "/store/" in call.file()[1] and not _of_blob_files(call)


def _of_index(call: Call) -> bool:
    return call.file()[1].endswith("-wal")


@pytest.mark.parametrize(
    "which", [_of_blob_files, _of_folders, _of_index], ids=["file", "directory", "index"]
)
def test_without_one_of_the_syncs_something_is_missing(
    traced: tuple[Path, Path], tmp_path: Path, which: Callable[[Call], bool]
) -> None:
    """The test above can fail: each sync taken out alone loses what was acknowledged."""
    log, root = traced
    told: list[Acknowledged] = []
    last: Disk | None = None
    for disk, acknowledged in acknowledgements(log, root, lambda c: c.name in SYNCS and which(c)):
        told.append(acknowledged)
        last = disk
    assert last is not None
    assert missing_after_cut(last, told, tmp_path / "after") != []
