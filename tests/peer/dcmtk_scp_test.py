"""DCMTK's own tools against this archive: store, find, worklist, move, get, echo."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest

from pacs_core.dicom.intake import intake_file
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from tests.support.dimse_node import TITLE, Running, listening, storable

Tool = Callable[..., subprocess.CompletedProcess[str]]
CT_FOLDER = "transfer-syntaxes/ct"
OPTIONS = {
    "1.2.840.10008.1.2": "-xi", "1.2.840.10008.1.2.1": "-xe", "1.2.840.10008.1.2.2": "-xb",
    "1.2.840.10008.1.2.1.99": "-xd", "1.2.840.10008.1.2.4.50": "-xy", "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.70": "-xs", "1.2.840.10008.1.2.4.80": "-xt", "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv", "1.2.840.10008.1.2.4.91": "-xw", "1.2.840.10008.1.2.5": "-xr",
}  # fmt: skip
"""storescu's option that proposes a transfer syntax."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node") as running:
        yield running


@pytest.fixture
def tool(node: Running, dcmtk: Callable[[str], Path]) -> Tool:
    """`tool("echoscu", …)` runs that tool against the node; its output comes back as text."""

    def run(
        name: str, *arguments: object, called: str = TITLE, ok: bool = True
    ) -> subprocess.CompletedProcess[str]:
        address = (node.host, str(node.port))
        command = [str(dcmtk(name)), "-v", "-aec", called, *address, *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=100, check=False,
            env={**os.environ, "TCP_NODELAY": "1"},
        )  # fmt: skip
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done

    return run


def text(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def data_set(path: Path) -> bytes:
    return path.read_bytes()[intake_file(path).source_offset :]


def test_echoscu(tool: Tool) -> None:
    assert "Received Echo Response (Success)" in text(tool("echoscu"))
    tool("echoscu", "--repeat", 20)
    tool("echoscu", called="ANY-SCP")


def test_echoscu_aborts_and_the_node_goes_on(tool: Tool, node: Running) -> None:
    tool("echoscu", "--abort")
    tool("echoscu")


def test_storescu_real_studies(tool: Tool, node: Running, shared_data: Path) -> None:
    files = storable(shared_data, "studies/two-studies-papaya-mr-ct", "studies/mr-head-sagittal-hfs")
    explicit = [f for f in files if intake_file(f).header.transfer_syntax_uid == "1.2.840.10008.1.2.1"]
    said = text(tool("storescu", "-xe", "--repeat", 1, *explicit))
    assert said.count("Received Store Response (Success)") == len(explicit) > 12
    assert {i.sop_instance_uid for i in node.instances()} == {
        intake_file(f).header.sop_instance_uid for f in explicit
    }


@pytest.mark.parametrize("syntax", sorted(OPTIONS))
def test_storescu_every_syntax_it_knows(tool: Tool, node: Running, shared_data: Path, syntax: str) -> None:
    (path,) = (shared_data / CT_FOLDER).glob(f"{syntax}_*")
    said = text(tool("storescu", OPTIONS[syntax], path))
    assert "Received Store Response (Success)" in said
    (instance,) = node.instances()
    assert instance.transfer_syntax_uid == syntax
    kept = node.spine.store.place(instance.blob_key)
    assert str(pydicom.dcmread(kept).PatientID) == str(pydicom.dcmread(path).PatientID)


def test_storescu_with_four_at_once(
    tool: Tool, node: Running, dcmtk: Callable[[str], Path], shared_data: Path
) -> None:
    folders = ["mr-head-sagittal-hfs", "ct-phantom-tilt", "two-studies-papaya-mr-ct", "pt-single-slices"]
    sends = []
    wanted: set[str] = set()
    for folder in folders:
        files = storable(shared_data, f"studies/{folder}")
        wanted |= {intake_file(f).header.sop_instance_uid for f in files}
        command = [str(dcmtk("storescu")), "-xe", "-aec", TITLE, node.host, str(node.port), *map(str, files)]
        sends.append(subprocess.Popen(command, env={**os.environ, "TCP_NODELAY": "1"}))
    assert [s.wait(100) for s in sends] == [0] * 4
    assert {i.sop_instance_uid for i in node.instances()} == wanted


def test_storescu_small_pdus(tool: Tool, node: Running, shared_data: Path) -> None:
    (path,) = (shared_data / CT_FOLDER).glob("1.2.840.10008.1.2.1_*")
    tool("storescu", "-xe", "--max-pdu", 4096, "--max-send-pdu", 4096, path)
    assert len(node.instances()) == 1


def keys(*said: str) -> list[str]:
    return [part for key in said for part in ("-k", key)]


def test_findscu_study_root(tool: Tool, node: Running, shared_data: Path) -> None:
    node.store(*storable(shared_data, "dicomdir"))
    said = text(
        tool("findscu", "-S", *keys("QueryRetrieveLevel=STUDY", "PatientID=98890234", "StudyDescription"))
    )
    assert said.count("Find Response:") == 4
    assert "(0010,0020) LO [98890234" in said
    empty = text(tool("findscu", "-S", *keys("QueryRetrieveLevel=STUDY", "PatientID=NOBODY")))
    assert "Find Response:" not in empty


def test_findscu_patient_root_every_level(tool: Tool, node: Running, shared_data: Path) -> None:
    node.store(*storable(shared_data, "dicomdir"))
    uniques = {
        "PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID",
        "IMAGE": "SOPInstanceUID",
    }  # fmt: skip
    for level, unique in uniques.items():
        said = text(tool("findscu", "-P", *keys(f"QueryRetrieveLevel={level}", unique)))
        assert said.count("Find Response:") >= 3


def test_findscu_cancels(tool: Tool, node: Running, shared_data: Path) -> None:
    node.store(*storable(shared_data, "dicomdir"))
    said = text(tool("findscu", "-S", "--cancel", 2, *keys("QueryRetrieveLevel=IMAGE", "SOPInstanceUID")))
    # The last answer may be under way before the cancel arrives (PS3.7 9.3.2.3); then it is Success.
    cancelled = "Received Final Find Response (Cancel: MatchingTerminatedDueToCancelRequest)" in said
    assert cancelled or "Received Final Find Response (Success)" in said


def test_findscu_refused_key_is_named(tool: Tool) -> None:
    said = text(tool("findscu", "-S", "-d", *keys("QueryRetrieveLevel=STUDY", "StudyDate=someday")))
    assert "0xa900" in said.lower()
    assert "StudyDate (0008,0020)" in said


def place(node: Running, accession: str, modality: str, date: str, station: str = "") -> None:
    patient = RegisterPatient(
        PatientIdentifier(f"P-{accession}"), name="Buc^Jérôme", birth_date="1970-01-02", sex="M"
    )
    step = StepRequest(modality=modality, start_date=date, start_time="09:30:00", station_aet=station)
    order = PlaceOrder(patient, accession=accession, placer_number=accession, steps=(step,), source="RIS")
    node.spine.services.orders.place(order, "RIS")


def test_findscu_worklist(tool: Tool, node: Running) -> None:
    node.peer("CT1", modality="CT")
    place(node, "W1", "CT", "2026-03-02", "CT1")
    place(node, "W2", "CT", "2026-03-03", "CT1")
    place(node, "W3", "MR", "2026-03-02")
    step = "ScheduledProcedureStepSequence[0]"
    asked = keys(
        "AccessionNumber", "PatientName", "PatientID", "StudyInstanceUID", "RequestedProcedureID",
        f"{step}.Modality=CT", f"{step}.ScheduledProcedureStepStartDate=20260302",
        f"{step}.ScheduledProcedureStepStartTime",
        f"{step}.ScheduledStationAETitle=CT1", f"{step}.ScheduledProcedureStepID",
    )  # fmt: skip
    said = text(tool("findscu", "-W", "-aet", "CT1", *asked))
    assert said.count("Find Response:") == 1
    assert "(0008,0050) SH [W1" in said
    assert "(0008,0005) CS [ISO_IR 192]" in said
    assert "(0040,0003) TM [093000]" in said
    assert re.search(r"\(0040,0009\) SH \[\S+", said)
    whole = text(tool("findscu", "-W", *keys("PatientName", "ScheduledProcedureStepSequence")))
    assert whole.count("Find Response:") == 3
    assert "ScheduledStationAETitle" in whole


def test_movescu_to_storescp(
    tool: Tool,
    node: Running,
    dcmtk: Callable[[str], Path],
    free_port: Callable[[], int],
    shared_data: Path,
    tmp_path: Path,
) -> None:
    paths = storable(shared_data, "studies/two-studies-papaya-mr-ct")
    node.store(*paths)
    port = free_port()
    node.peer("SINK", port)
    folder = tmp_path / "sink"
    folder.mkdir()
    study = intake_file(paths[0]).header.study_instance_uid
    wanted = {
        intake_file(p).header.sop_instance_uid: p
        for p in paths
        if intake_file(p).header.study_instance_uid == study
    }
    command = [str(dcmtk("storescp")), "+B", "+xa", "-aet", "SINK", "-od", str(folder), str(port)]
    sink = subprocess.Popen(command, env={**os.environ, "TCP_NODELAY": "1"})
    try:
        _until_it_listens(port)
        said = text(
            tool(
                "movescu",
                "-S",
                "-aem",
                "SINK",
                *keys("QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}"),
            )
        )
    finally:
        sink.terminate()
        sink.wait(30)
    assert "Received Final Move Response (Success)" in said
    got = {intake_file(p).header.sop_instance_uid: p for p in folder.iterdir()}
    assert set(got) == set(wanted)
    for uid, path in got.items():
        assert data_set(path) == data_set(wanted[uid])


def _until_it_listens(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "storescp does not listen"
            time.sleep(0.02)
        else:
            return


def test_movescu_unknown_destination(tool: Tool, node: Running, shared_data: Path) -> None:
    path = shared_data / "broken/derived/no-pixel-data.dcm"
    node.store(path)
    study = intake_file(path).header.study_instance_uid
    asked = keys("QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}")
    said = text(tool("movescu", "-S", "-aem", "NOWHERE", *asked, ok=False))
    assert "MoveDestinationUnknown" in said or "a801" in said.lower()


def test_getscu_gives_the_bytes_as_they_came(
    tool: Tool, node: Running, shared_data: Path, tmp_path: Path
) -> None:
    paths = storable(shared_data, "studies/mr-head-sagittal-hfs", "studies/nm-heart-13-frames")
    node.store(*paths)
    folder = tmp_path / "got"
    folder.mkdir()
    for study in {intake_file(p).header.study_instance_uid for p in paths}:
        asked = keys("QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}")
        said = text(tool("getscu", "-S", "+B", "-od", folder, *asked))
        assert "Number of Failed Suboperations    : 0" in said
    got = {intake_file(p).header.sop_instance_uid: p for p in folder.iterdir()}
    assert {uid: data_set(p) for uid, p in got.items()} == {
        intake_file(p).header.sop_instance_uid: data_set(p) for p in paths
    }


def test_getscu_compressed_is_given_plain(
    tool: Tool, node: Running, shared_data: Path, tmp_path: Path
) -> None:
    (path,) = (shared_data / CT_FOLDER).glob("1.2.840.10008.1.2.4.90_*")
    (plain,) = (shared_data / CT_FOLDER).glob("1.2.840.10008.1.2.1_*")
    node.store(path)
    study = intake_file(path).header.study_instance_uid
    tool("getscu", "-S", "-od", tmp_path, *keys("QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}"))
    (got,) = [p for p in tmp_path.iterdir() if p.is_file()]
    assert pydicom.dcmread(got).PixelData == pydicom.dcmread(plain).PixelData
