"""Every real study and every phantom: which layout, which series in which cell, which prior, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from pacs_core.archive.models import ExamRow, SeriesManifest
from pacs_core.archive.priors import rank
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import (
    classic_series,
    enhanced_image,
    mammogram,
    multiframe_image,
    plain_scene,
    stack,
    ultrasound_clip,
)
from pacs_core.rehearsal.phantoms.pet import Dose, pet_images
from tests.support.fake_archive import exam, patient
from tests.support.hanging import dossier, shipped
from tests.support.series import intake_file, series_of
from workstation.imaging.display_sets import DisplaySet
from workstation.session.hanging import Role
from workstation.session.priors import choose
from workstation.session.reading_session import CellState, ReadingSession
from workstation.session.view_state import Plane

FIRST_IMAGES = 4
SMALL = stack((16, 16, 6), (20.0, 20.0, 8.0))
Study = tuple[ExamRow, tuple[SeriesManifest, ...]]

REAL: dict[str, tuple[str, ...]] = {
    "cr-dx-mg 1": (
        "Chest radiograph: Frontal",
        "the modality is CR; the body part is chest; series found for its cells: 3/6",
        "CR",
    ),
    "cr-dx-mg 2": (
        "Chest radiograph: Frontal",
        "the modality is DX; the body part is chest; series found for its cells: 3/6",
        "1 pa",
    ),
    "cr-dx-mg 3": (
        "Bone radiograph: Two views",
        "the modality is CR; the body part is hip, pelvis; series found for its cells: 2/3",
        "1",
    ),
    "cr-dx-mg 4": (
        "Bone radiograph: Two views",
        "the modality is CR; the body part is leg, limb; series found for its cells: 2/3",
        "1",
    ),
    "cr-dx-mg 5": (
        "Mammography: CC and MLO, MLO, MLO, true size",
        "the modality is MG; series found for its cells: 4/13",
        "nothing (right, CC)",
        "nothing (left, CC)",
        "27555 MAMMOSCREENING 1E LEZING [chest wall right]",
        "nothing (left, MLO)",
    ),
    "cr-dx-mg 6": (
        "Bone radiograph: Two views",
        "the modality is CR; the body part is head, teeth; series found for its cells: 2/3",
        "1001 MODALITYLUT - TEETH",
    ),
    "cr-dx-mg 7": (
        "Chest radiograph: Frontal",
        "the modality is DX; the body part is chest; series found for its cells: 3/6",
        "1001 CHEST",
    ),
    "ct-phantom-tilt 1": (
        "CT head: Brain, Stroke and subdural, Coronal and sagittal, Bone",
        "the modality is CT; the body part is head; series found for its cells: 5/7",
        "301 STEREOTAXIS [Brain]",
        "301 STEREOTAXIS [Bone]",
    ),
    "mr-enhanced-siemens-xa30 1": (
        "MR brain: Survey, All series",
        "the modality is MR; the body part is head; series found for its cells: 3/11",
        "7 func-bold_task-fa_run-1",
        "8 gre_field_mapping",
        "28 relCBF",
        "5 anat-T1w_acq-tfl",
    ),
    "mr-head-sagittal-hfs 1": (
        "MR brain: Survey",
        "the modality is MR; the body part is head; series found for its cells: 3/11",
        "3 t1_fl2d_sag",
    ),
    "mr-prostatex-0207 1": (
        "MR prostate: Multiparametric, T2 in three planes, Run after contrast, All series",
        "the modality is MR; the body part is pelvis, prostate; series found for its cells: 9/9",
        "4 t2_tse_tra",
        "9 ep2d_diff_tra_DYNDIST_ADC",
        "10 ep2d_diff_tra_DYNDISTCALC_BVAL",
        "12 tfl_dyn_fast_tra_1.5x1.5_t3.5sec",
    ),
    "nm-heart-13-frames 1": (
        "Nuclear medicine: All series, Beside the prior",
        "the modality is NM; series found for its cells: 2/2",
        "1",
    ),
    "petct-acrin-nsclc-042 1": (
        "PET/CT: CT, PET, fused and turning, Fused, Uncorrected, Lung",
        (
            "the modality is PT; the study has the series: PT volume; the study has the series: CT volume; "
            "series found for its cells: 9/9"
        ),
        "2 CT IMAGES",
        "1 PET AC",
        "2 CT IMAGES [fused]",
        "1 PET AC",
    ),
    "prior-pair-chest-ct-A027284 1": (
        "CT abdomen: Axial, Coronal and sagittal, Lung bases",
        "the modality is CT; the body part is abdomen, pelvis; series found for its cells: 6/9",
        "2 STANDARD 2.5MM",
        "601 ABD CORONAL",
    ),
    "prior-pair-chest-ct-A027284 2": (
        "CT abdomen: Axial, Coronal and sagittal, Lung bases",
        "the modality is CT; the body part is abdomen, pelvis; series found for its cells: 6/9",
        "prior of 1900-09-25: same body part, same modality, 3 months earlier",
        "2 STANDARD 2.5MM",
        "prior: 2 STANDARD 2.5MM",
    ),
    "prior-pair-chest-ct-A046441 1": (
        "CT abdomen: Axial, Coronal and sagittal, Lung bases",
        "the modality is CT; the body part is abdomen, pelvis; series found for its cells: 6/9",
        "2 STANDARD 2.5MM",
        "601 ABD CORONAL",
    ),
    "prior-pair-chest-ct-A046441 2": (
        "CT chest: Soft tissue, Lung, Lung and soft tissue, Coronal and sagittal",
        "the modality is CT; the body part is chest; series found for its cells: 6/7",
        "prior of 1900-11-11: neighbouring body part, same modality, 7 weeks earlier",
        "2 Body 5.0",
        "prior: 2 STANDARD 2.5MM",
    ),
    "prior-pair-chest-ct-A067967 1": (
        "CT abdomen: Axial, Coronal and sagittal, Lung bases",
        "the modality is CT; the body part is abdomen, pelvis; series found for its cells: 5/9",
        "3 Body 3.0",
        "10 Body 3.000 CE",
    ),
    "prior-pair-chest-ct-A067967 2": (
        "CT abdomen: Axial, Coronal and sagittal, Lung bases",
        "the modality is CT; the body part is abdomen, chest, pelvis; series found for its cells: 5/9",
        "prior of 1900-10-06: same body part, same modality, 3 months earlier",
        "2 Body 1.0 CE",
        "prior: 3 Body 3.0",
    ),
    "pt-single-slices 1": (
        "Nuclear medicine: All series, Beside the prior",
        "the modality is PT; series found for its cells: 2/2",
        "4 PET-CT SERIES",
    ),
    "pt-single-slices 2": (
        "Nuclear medicine: All series, Beside the prior",
        "the modality is PT; series found for its cells: 2/2",
        "102 PET-CT SERIES",
    ),
    "two-studies-papaya-mr-ct 1": (
        "MR brain: Survey, Susceptibility and vessels",
        "the modality is MR; the body part is head; series found for its cells: 5/11",
        "8 SWI_Images",
        "5 t2_tse_tra 5mm",
        "6 t1_mprage_tra_nativ",
    ),
    "two-studies-papaya-mr-ct 2": (
        "CT head: Brain, Stroke and subdural, Coronal and sagittal, Bone",
        "the modality is CT; the body part is head; series found for its cells: 5/7",
        "prior of 2018-08-19: same body part, MR/SR, read beside it, 1 day earlier",
        "2 Kopf nativ  5.0  H42s [Brain]",
        "prior: 5 t2_tse_tra 5mm",
    ),
    "us-echo-pediatric 1": (
        "Ultrasound: All images, One large",
        "the modality is US; series found for its cells: 2/2",
        "1 MURMUR, R/O VSD",
        "1 MURMUR, R/O VSD",
        "1 MURMUR, R/O VSD",
    ),
    "us-stress-echo 1": (
        "Ultrasound: All images, One large",
        "the modality is US; series found for its cells: 2/2",
        "1 Stress Echo Study",
        "1 Stress Echo Study",
        "1 Stress Echo Study",
        "1 Stress Echo Study",
        "1 Stress Echo Study",
        "1 Stress Echo Study",
    ),
    "xa-cath-75-frames 1": (
        "Angiography: Run by run, Beside the prior",
        "the modality is XA; series found for its cells: 3/3",
        "1 Sample Cath Image",
    ),
}

PHANTOMS: dict[str, tuple[str, ...]] = {
    "CT chest": (
        "CT chest: Soft tissue, Lung, Lung and soft tissue, Coronal and sagittal, Three planes",
        "the modality is CT; the body part is chest; series found for its cells: 5/7",
        "2 Chest 1.0",
    ),
    "CT chest, enhanced": (
        "CT chest: Soft tissue, Lung, Lung and soft tissue, Coronal and sagittal, Three planes",
        "the modality is CT; the body part is chest; series found for its cells: 5/7",
        "4 Chest",
    ),
    "PET/CT": (
        "PET/CT: CT, PET, fused and turning, Fused, Lung",
        (
            "the modality is PT; the study has the series: PT volume; the study has the series: CT volume; "
            "series found for its cells: 8/9"
        ),
        "2 Chest 1.0",
        "3 PET AC",
        "2 Chest 1.0 [fused]",
        "3 PET AC",
    ),
    "MR head": (
        "MR brain: Survey",
        "the modality is MR; the body part is head; series found for its cells: 3/11",
        "5 t1_mprage",
    ),
    "NM": (
        "Nuclear medicine: All series, Beside the prior",
        "the modality is NM; series found for its cells: 2/2",
        "6 SPECT",
    ),
    "ultrasound": (
        "Ultrasound: All images, One large",
        "the modality is US; series found for its cells: 2/2",
        "7 Loop",
    ),
    "mammograms": (
        "Mammography: CC and MLO, CC, MLO, CC, true size, MLO, true size, All images",
        "the modality is MG; series found for its cells: 13/13",
        "1 R CC [chest wall right]",
        "2 L CC [chest wall left]",
        "3 R MLO [chest wall right]",
        "4 L MLO [chest wall left]",
    ),
    "mammogram, one view": (
        "Mammography: CC and MLO, MLO, MLO, true size",
        "the modality is MG; series found for its cells: 4/13",
        "nothing (right, CC)",
        "nothing (left, CC)",
        "nothing (right, MLO)",
        "4 L MLO [chest wall left]",
    ),
    "CT chest, with a prior": (
        "CT chest: Soft tissue, Lung, Lung and soft tissue, Coronal and sagittal, Three planes",
        "the modality is CT; the body part is chest; series found for its cells: 5/7",
        "prior of 2025-11-20: same body part, same modality, 12 months earlier",
        "2 Chest 1.0",
        "prior: 2 Chest 1.0",
    ),
    "mammograms, with a prior": (
        "Mammography: CC and MLO, CC, MLO, CC, true size, MLO, true size, All images",
        "the modality is MG; series found for its cells: 13/13",
        "prior of 2025-11-20: same body part, same modality, 12 months earlier",
        "1 R CC [chest wall right]",
        "2 L CC [chest wall left]",
        "3 R MLO [chest wall right]",
        "4 L MLO [chest wall left]",
        "prior: 1 R CC [chest wall right]",
        "prior: 2 L CC [chest wall left]",
        "prior: 3 R MLO [chest wall right]",
        "prior: 4 L MLO [chest wall left]",
    ),
    "PET/CT, with a prior": (
        "PET/CT: CT, PET, fused and turning, Fused, Lung",
        (
            "the modality is PT; the study has the series: PT volume; the study has the series: CT volume; "
            "series found for its cells: 8/9"
        ),
        "prior of 2025-11-20: same body part, same modality, 12 months earlier",
        "2 Chest 1.0",
        "3 PET AC",
        "2 Chest 1.0 [fused]",
        "3 PET AC",
        "prior: 2 Chest 1.0",
        "prior: 3 PET AC",
        "prior: 2 Chest 1.0 [fused]",
        "prior: 3 PET AC",
    ),
}


# ── what is told of a study that hangs ───────────────────────────────────────────────────────────────


def hung(current: Study, priors: Sequence[Study] = ()) -> tuple[str, ...]:
    """The study opened, its prior joined, and what hangs: protocol and stages, reasons, prior, each cell."""
    row, series = current
    session = ReadingSession()
    session.hangings.protocols = shipped()
    earlier = rank(row, [other for other, _ in priors])
    session.open(
        dossier(series, row.procedure, row.body_part, row.modality, earlier, row.study_date), upright=False
    )
    chosen = choose(earlier, row.modality, row.body_part, row.procedure)
    if chosen.prior is not None:
        of_prior = next(found for other, found in priors if other.study_uid == chosen.prior.study_uid)
        session.join_prior(chosen.prior, chosen.reason, dossier(of_prior).manifest, (), upright=False)
    return (*_protocol(session), *_prior(session), *(_cell(session, c) for c in session.cells))


def _protocol(session: ReadingSession) -> tuple[str, ...]:
    now = session.hangings.now
    if now is None:
        return ("no protocol",)
    stages = ", ".join(dict.fromkeys(step.stage.name for step in now.steps))
    why = "; ".join(r.words.format(what=r.what) for r in now.judged.reasons)
    return f"{now.protocol.name}: {stages}", why


def _prior(session: ReadingSession) -> tuple[str, ...]:
    return (f"prior of {session.prior.study_date}: {session.prior_reason}",) if session.prior else ()


def _cell(session: ReadingSession, cell: CellState) -> str:
    whose = "prior: " if cell.role is Role.PRIOR else ""
    if cell.display_set is None:
        return f"{whose}nothing ({', '.join(session.stages.wanted(cell.number))})"
    return f"{whose}{_series(cell.display_set)}{_seen(cell)}"


def _series(shown: DisplaySet) -> str:
    named = (str(shown.series_number or ""), shown.description, shown.label)
    return " ".join(part for part in named if part) or shown.modality


def _seen(cell: CellState) -> str:
    view = cell.view
    plane = view.plane.value if view.plane is not Plane.ACQUIRED else ""
    window = view.window.label if view.window is not None else ""
    side = f"chest wall {view.fit.side}" if view.fit is not None and view.fit.side else ""
    seen = [part for part in (plane, window, "fused" if view.fusion else "", side) if part]
    return f" [{', '.join(seen)}]" if seen else ""


# ── real studies ─────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=1)
def studies(shared: Path) -> dict[str, tuple[Study, ...]]:
    """The studies below each folder by its name, oldest first, with the first images of each series."""
    files: dict[tuple[str, str], dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    folder = shared / "studies"
    for parent in sorted({path.parent for path in folder.rglob("*.dcm")}):
        alike = sorted(parent.glob("*.dcm"))
        many = parent.parent != folder and "MR-enhanced" not in parent.name
        for path in alike[:FIRST_IMAGES] if many else alike:
            header = intake_file(path).header
            key = (path.relative_to(folder).parts[0], header.study_instance_uid)
            files[key][header.series_instance_uid].append(path)
    found: dict[str, list[Study]] = defaultdict(list)
    for (name, uid), series in files.items():
        found[name].append(_study(uid, series))
    return {
        name: tuple(sorted(each, key=lambda s: (s[0].study_date, s[0].study_uid)))
        for name, each in found.items()
    }


def _study(uid: str, files: dict[str, list[Path]]) -> Study:
    first = intake_file(next(iter(files.values()))[0]).header
    series = tuple(series_of(paths) for paths in files.values())
    row = exam(
        uid,
        patient(1),
        None,
        modality="/".join(dict.fromkeys(s.modality for s in series)),
        procedure=first.study_description,
        body_part=next((s.body_part for s in series if s.body_part), ""),
        study_date=str(first.study_date or ""),
        images=1,
    )
    return row, series


def real_table(shared: Path) -> dict[str, tuple[str, ...]]:
    """Each study by folder and number; those of one person have their earlier ones as priors."""
    found = {}
    for name, each in studies(shared).items():
        person = name.startswith(("prior-pair", "two-studies"))
        for number, study in enumerate(each, 1):
            others = [other for other in each if other is not study] if person else []
            found[f"{name} {number}"] = hung(study, others)
    return found


def test_every_real_study_hangs_as_the_table_says(shared_data: Path) -> None:
    assert real_table(shared_data) == REAL


# ── phantoms ─────────────────────────────────────────────────────────────────────────────────────────


def _saved(folder: Path, images: Sequence[Dataset]) -> SeriesManifest:
    folder.mkdir(parents=True)
    paths = [folder / f"{n:03d}.dcm" for n in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save_as(path, enforce_file_format=True)
    return series_of(paths)


def _ct(name: str = "ct", **about: str) -> Sequence[Dataset]:
    header = SeriesHeader(name, "CT", 2, "Chest 1.0", "CHEST", frame_of_reference="chest", **about)
    return classic_series(plain_scene(()), SMALL, header).images


def _pet() -> Sequence[Dataset]:
    suv = np.ones((SMALL.slices, SMALL.rows, SMALL.columns), np.float32)
    header = SeriesHeader("pet", "PT", 3, "PET AC", "CHEST", frame_of_reference="chest")
    return pet_images(suv, SMALL, header, Dose(70.0, 350e6))


def _breast(side: str, view: str) -> Sequence[Dataset]:
    number = ("RCC", "LCC", "RMLO", "LMLO").index(side + view) + 1
    header = SeriesHeader(f"mg {side}{view}", "MG", number, f"{side} {view}", "BREAST")
    return (mammogram(header, side, view, pixel_mm=2.0)[0],)


BREASTS = tuple((side, view) for view in ("CC", "MLO") for side in ("R", "L"))
MADE: dict[str, tuple[str, Callable[[], Sequence[Sequence[Dataset]]]]] = {
    "CT chest": ("CT Chest", lambda: [_ct()]),
    "CT chest, enhanced": (
        "CT Chest",
        lambda: [enhanced_image(plain_scene(()), SMALL, SeriesHeader("e", "CT", 4, "Chest")).images],
    ),
    "PET/CT": ("PET-CT chest", lambda: [_ct(), _pet()]),
    "MR head": (
        "MR Brain",
        lambda: [classic_series(plain_scene(()), SMALL, SeriesHeader("mr", "MR", 5, "t1_mprage")).images],
    ),
    "NM": (
        "Bone scan",
        lambda: [multiframe_image(plain_scene(()), SMALL, SeriesHeader("n", "NM", 6, "SPECT")).images],
    ),
    "ultrasound": ("US Abdomen", lambda: [(ultrasound_clip(SeriesHeader("us", "US", 7, "Loop"), 3)[0],)]),
    "mammograms": ("Mammography", lambda: [_breast(*each) for each in BREASTS]),
    "mammogram, one view": ("Mammography", lambda: [_breast("L", "MLO")]),
}


def phantom(name: str, folder: Path) -> Study:
    """A phantom as an exam."""
    procedure, make = MADE[name]
    series = tuple(_saved(folder / f"{n}", images) for n, images in enumerate(make()))
    kinds = "/".join(dict.fromkeys(s.modality for s in series))
    row = exam("2.25.1", patient(1), None, modality=kinds, procedure=procedure, body_part="", images=1)
    return replace(row, study_date="2026-11-22"), series


def phantom_table(folder: Path) -> dict[str, tuple[str, ...]]:
    """Each phantom alone; the mammograms and the chest also with themselves as prior."""
    made = {name: phantom(name, folder / name.replace("/", " ")) for name in MADE}
    found = {name: hung(study) for name, study in made.items()}
    for name in ("CT chest", "mammograms", "PET/CT"):
        row, series = made[name]
        then = replace(row, study_uid="2.25.2", study_date="2025-11-20")
        found[f"{name}, with a prior"] = hung((row, series), [(then, series)])
    return found


def test_every_phantom_hangs_as_the_table_says(tmp_path: Path) -> None:
    assert phantom_table(tmp_path) == PHANTOMS
