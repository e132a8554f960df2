"""Our own SCUs against DCMTK's servers: storescp, dcmqrscp and wlmscpfs."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pacs_core.dicom.intake import intake_file
from pacs_core.dimse import scu
from pacs_core.domain.errors import Busy, Refused
from tests.support.dimse_node import storable


@contextmanager
def server(command: list[str], port: int, folder: Path) -> Iterator[int]:
    """A DCMTK server on a port, ended at the end."""
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        command, env={**os.environ, "TCP_NODELAY": "1"}, cwd=folder, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.fixture
def storescp(
    dcmtk: Callable[[str], Path], free_port: Callable[[], int], tmp_path: Path
) -> Iterator[tuple[int, Path]]:
    port, folder = free_port(), tmp_path / "received"
    folder.mkdir()
    command = [str(dcmtk("storescp")), "+B", "+xa", "-aet", "SINK", "-od", str(folder), str(port)]
    with server(command, port, tmp_path):
        yield port, folder


@pytest.fixture
def dcmqrscp(dcmtk: Callable[[str], Path], free_port: Callable[[], int], tmp_path: Path) -> Iterator[int]:
    port, folder = free_port(), tmp_path / "archive"
    folder.mkdir()
    configuration = tmp_path / "dcmqrscp.cfg"
    configuration.write_text(
        f"""NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE {folder} RW (200, 1024mb) ANY
AETable END
"""
    )
    with server([str(dcmtk("dcmqrscp")), "-c", str(configuration)], port, tmp_path):
        yield port


def data_set(path: Path) -> bytes:
    return path.read_bytes()[intake_file(path).source_offset :]


def test_echo(storescp: tuple[int, Path]) -> None:
    scu.echo("127.0.0.1", storescp[0], "SINK", "US")


def test_echo_nobody(free_port: Callable[[], int]) -> None:
    with pytest.raises(Busy, match="cannot be reached: Connection refused"):
        scu.echo("127.0.0.1", free_port(), "NOBODY")


def test_store_gives_the_bytes_as_they_lie_on_the_disk(storescp: tuple[int, Path], shared_data: Path) -> None:
    port, folder = storescp
    paths = storable(shared_data, "transfer-syntaxes/ct", "studies/two-studies-papaya-mr-ct")
    headers = {p: intake_file(p).header for p in paths}
    retired = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")  # which storescp accepts no more
    unique = {h.sop_instance_uid: p for p, h in headers.items() if h.transfer_syntax_uid not in retired}
    sent = list(scu.store("127.0.0.1", port, "SINK", unique.values(), "US"))
    assert {s.kind for s in sent} == {"success"}
    got = {intake_file(p).header.sop_instance_uid: data_set(p) for p in folder.iterdir()}
    assert got == {uid: data_set(p) for uid, p in unique.items()}


def test_a_receiver_that_refuses_the_syntax_gets_it_plain(
    dcmtk: Callable[[str], Path], free_port: Callable[[], int], shared_data: Path, tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "received"
    folder.mkdir()
    (path,) = (shared_data / "transfer-syntaxes/ct").glob("1.2.840.10008.1.2.4.80_*")
    command = [str(dcmtk("storescp")), "+B", "+xi", "-aet", "SINK", "-od", str(folder), str(port)]
    with server(command, port, tmp_path):
        (sent,) = scu.store("127.0.0.1", port, "SINK", [path], "US")
    assert sent.kind == "success"
    (got,) = folder.iterdir()
    assert intake_file(got).header.transfer_syntax_uid == "1.2.840.10008.1.2"


def test_a_receiver_that_refuses_the_association_is_told(
    dcmtk: Callable[[str], Path], free_port: Callable[[], int], tmp_path: Path
) -> None:
    port = free_port()
    with (
        server([str(dcmtk("storescp")), "--refuse", str(port)], port, tmp_path),
        pytest.raises(Refused, match="rejects the association"),
    ):
        scu.echo("127.0.0.1", port, "SINK")


def test_query_and_retrieve_from_dcmqrscp(dcmqrscp: int, shared_data: Path, tmp_path: Path) -> None:
    paths = storable(shared_data, "studies/mr-head-sagittal-hfs", "dicomdir/77654033")
    at = ("127.0.0.1", dcmqrscp, "ARCHIVE")
    assert {s.kind for s in scu.store(*at, paths, "US")} == {"success"}
    header = intake_file(paths[0]).header
    found = scu.find(*at, {"PatientID": header.patient_id, "StudyInstanceUID": "", "PatientName": ""}, "US")
    assert [f["StudyInstanceUID"] for f in found] == [header.study_instance_uid]
    folder = tmp_path / "got"
    folder.mkdir()
    got = scu.get(*at, {"StudyInstanceUID": header.study_instance_uid}, folder, "US")
    wanted = {p for p in paths if intake_file(p).header.study_instance_uid == header.study_instance_uid}
    assert (got.status, got.completed) == (0, len(wanted))
    assert {data_set(p) for p in got.files} == {data_set(p) for p in wanted}
    moved = scu.move(*at, "NOWHERE", {"StudyInstanceUID": header.study_instance_uid}, "US")
    assert moved.kind == "failure"
    with pytest.raises(Refused):
        scu.find(*at, {"PatientID": "", "SOPInstanceUID": ""}, "US", level="NONSENSE")


def test_worklist_of_wlmscpfs(
    dcmtk: Callable[[str], Path], free_port: Callable[[], int], tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "worklists" / "WLM"
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    dump = tmp_path / "item.dump"
    dump.write_text(
        """(0008,0005) CS [ISO_IR 100]
(0008,0050) SH [ACC-1]
(0010,0010) PN [Doe^Jane]
(0010,0020) LO [P1]
(0010,0030) DA [19700102]
(0010,0040) CS [F]
(0020,000d) UI [1.2.3.4]
(0032,1032) PN [Req^Phys]
(0032,1060) LO [CT chest]
(0040,1001) SH [RP1]
(0040,1003) SH [ROUTINE]
(0040,0100) SQ
(fffe,e000) -
(0008,0060) CS [CT]
(0040,0001) AE [CT1]
(0040,0002) DA [20260302]
(0040,0003) TM [093000]
(0040,0007) LO [Chest]
(0040,0009) SH [SPS1]
(fffe,e00d) -
(fffe,e0dd) -
"""
    )
    subprocess.run(
        [str(dcmtk("dump2dcm")), str(dump), str(folder / "item.wl")], check=True, capture_output=True
    )
    with server([str(dcmtk("wlmscpfs")), "-dfp", str(folder.parent), str(port)], port, tmp_path):
        (found,) = scu.worklist("127.0.0.1", port, "WLM", "CT1", step={"Modality": "CT"})
        assert scu.worklist("127.0.0.1", port, "WLM", "CT1", step={"Modality": "MR"}) == []
    assert (found["AccessionNumber"], found["PatientName"]) == ("ACC-1", "Doe^Jane")
    (step,) = found["ScheduledProcedureStepSequence"]  # type: ignore[misc]  # a list of mappings
    assert (step["ScheduledProcedureStepID"], step["ScheduledStationAETitle"]) == ("SPS1", "CT1")
