"""Studies as the reading room is given them, for tests of hanging: from files, and made of nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pacs_core.archive.models import Dossier, InstanceManifest, Prior, SeriesManifest, StudyManifest, Url
from tests.support.fake_archive import exam, patient
from tests.support.series import intake_file, series_of
from workstation.session.protocols.library import library
from workstation.session.protocols.model import Protocol
from workstation.ui.assets import resource

AXIAL, CORONAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]
ALONG = {tuple(AXIAL): (0, 0, 1), tuple(CORONAL): (0, 1, 0), tuple(SAGITTAL): (1, 0, 0)}
GREY = {
    "SamplesPerPixel": 1,
    "BitsAllocated": 16,
    "BitsStored": 16,
    "PhotometricInterpretation": "MONOCHROME2",
}
SYNTAX = "1.2.840.10008.1.2.1"


def shipped() -> tuple[Protocol, ...]:
    """The protocols that come with the program."""
    return library(resource("hanging_protocols")).protocols


def series_in(files: Iterable[Path], most: int = 4) -> tuple[SeriesManifest, ...]:
    """The series of some files, the first few images of each."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(files):
        found[intake_file(path).header.series_instance_uid].append(path)
    return tuple(series_of(paths[:most]) for paths in found.values())


def stack(
    modality: str,
    description: str,
    number: int = 1,
    count: int = 20,
    step: float = 1.0,
    axes: Sequence[int] = AXIAL,
    frame: str = "2.25.5",
    **attributes: object,
) -> SeriesManifest:
    """A made series of parallel images."""
    uid, along = f"2.25.{number}.7", ALONG[tuple(axes)]
    around = {
        "ImageOrientationPatient": list(axes),
        "PixelSpacing": [1.0, 1.0],
        "SliceThickness": step,
        "FrameOfReferenceUID": frame,
        **GREY,
        **attributes,
    }
    instances = tuple(
        InstanceManifest(
            f"{uid}.{n}",
            "1.2.3",
            SYNTAX,
            n,
            64,
            64,
            1,
            {**around, "ImagePositionPatient": [step * n * a for a in along]},
            (Url(f"{uid}.{n}", 1, SYNTAX),),
        )
        for n in range(1, count + 1)
    )
    return SeriesManifest(uid, modality, number, description, "", "", instances)


def projection(
    modality: str, number: int, rows: int = 64, columns: int = 48, spacing: float = 0.1, **attributes: object
) -> SeriesManifest:
    """A made image without a place in the patient."""
    uid = f"2.25.{number}.8"
    told = {"ImagerPixelSpacing": [spacing, spacing], **GREY, **attributes}
    one = InstanceManifest(
        f"{uid}.1", "1.2.3", SYNTAX, 1, rows, columns, 1, told, (Url(f"{uid}.1", 1, SYNTAX),)
    )
    return SeriesManifest(uid, modality, number, "", "", "", (one,))


def mammogram(
    number: int, side: str, view: str, orientation: Sequence[str], **changes: object
) -> SeriesManifest:
    """One view of a breast: `side` R or L, `orientation` as Patient Orientation."""
    told = {"ImageLaterality": side, "ViewPosition": view, "PatientOrientation": list(orientation)}
    return projection("MG", number, **{**told, **changes})  # type: ignore[arg-type]  # numbers among them


def dossier(
    series: Sequence[SeriesManifest],
    procedure: str = "",
    body_part: str = "",
    modality: str = "",
    priors: Sequence[Prior] = (),
    date: str = "2026-11-22",
) -> Dossier:
    """An exam that is opened."""
    who = patient(1)
    kinds = modality or "/".join(dict.fromkeys(s.modality for s in series))
    row = exam("2.25.1", who, None, modality=kinds, procedure=procedure, body_part=body_part, study_date=date)
    manifest = StudyManifest(
        "2.25.1", who.key, who.patient_id, who.name, date, "", procedure, "", tuple(series)
    )
    row = replace(row, images=sum(len(s.instances) for s in series))
    return Dossier(row, who, None, (), manifest, tuple(priors), (), (), (), "", 0)


def a_prior(
    modality: str, description: str, date: str = "2026-03-02", uid: str = "2.25.9", score: float = 0.9
) -> Prior:
    """An earlier study as the archive ranks it."""
    return Prior(uid, date, "", modality, description, "", "", 9, score, "same body part", "final")
