"""What a series means: real series of many makers, and headers made to say one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pacs_core.archive.models import InstanceManifest, SeriesManifest, Url
from tests.support.series import series_of
from workstation.imaging.display_sets import display_sets
from workstation.imaging.meaning import FACTS, VOCABULARY, Meaning, meaning_of

AXIAL, CORONAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]

REAL = (
    ("cr-dx-mg/DX-chest-pa*", {"view": "PA", "body_part": {"chest"}, "plane": ""}),
    ("cr-dx-mg/MG*", {"view": "MLO", "side": "right", "modality": "MG"}),
    ("ct-phantom-tilt/*/*", {"plane": "axial", "kernel": "soft", "body_part": {"head"}}),
    ("mr-head-sagittal-hfs/*/*", {"weighting": "T1", "plane": "sagittal"}),
    ("mr-prostatex-0207/MR-0003*/*", {"weighting": "T2", "plane": "sagittal", "fat": ""}),
    ("mr-prostatex-0207/MR-0008*/*", {"weighting": "DWI", "fat": "suppressed", "phase": ""}),
    ("mr-prostatex-0207/MR-0009*/*", {"weighting": "ADC", "diffusion": ""}),
    ("mr-prostatex-0207/MR-0010*/*", {"weighting": "DWI", "diffusion": "calculated"}),
    ("mr-prostatex-0207/MR-0011*/*", {"weighting": "PD", "contrast": ""}),
    ("mr-prostatex-0207/MR-0014*/*", {"weighting": "T1", "phase": "dynamic", "contrast": "with"}),
    ("petct-acrin-nsclc-042/CT-0001*/*", {"use": "localizer"}),
    ("petct-acrin-nsclc-042/CT-0002*/*", {"kernel": "soft", "plane": "axial", "thickness": "thick"}),
    ("petct-acrin-nsclc-042/PT-0001*/*", {"correction": "corrected"}),
    ("petct-acrin-nsclc-042/PT-0002*/*", {"correction": "uncorrected"}),
    ("prior-pair-chest-ct-A027284/19000925/CT-0601*/*", {"plane": "coronal", "made": "reformatted"}),
    ("prior-pair-chest-ct-A027284/19000925/CT-0002*/*", {"contrast": "without", "made": "original"}),
    ("prior-pair-chest-ct-A067967/19001231/CT-0002*/*", {"contrast": "with", "thickness": "thin"}),
    ("two-studies-papaya-mr-ct/20180819/MR-0001*/*", {"use": "localizer"}),
    ("two-studies-papaya-mr-ct/20180819/MR-0005*/*", {"weighting": "T2", "plane": "axial"}),
    ("two-studies-papaya-mr-ct/20180819/MR-0006*/*", {"weighting": "T1", "contrast": "without"}),
    ("two-studies-papaya-mr-ct/20180819/MR-0008*/*", {"weighting": "SWI"}),
    ("two-studies-papaya-mr-ct/20180820/CT-0001*/*", {"use": "localizer", "kernel": ""}),
    ("two-studies-papaya-mr-ct/20180820/CT-0002*/*", {"kernel": "soft", "contrast": "without"}),
    ("us-echo-pediatric/*", {"frames": "cine", "side": "", "body_part": {"heart"}}),
    ("xa-cath-75-frames/*", {"frames": "cine", "modality": "XA"}),
)


@pytest.mark.parametrize(("pattern", "facts"), REAL, ids=[p for p, _ in REAL])
def test_real_series_mean_what_they_are(shared_data: Path, pattern: str, facts: dict[str, Any]) -> None:
    files = sorted((shared_data / "studies").glob(pattern))
    assert files, pattern
    meaning = meaning_of(display_sets(series_of(files[:4]))[0])
    assert {fact: getattr(meaning, fact) for fact in facts} == facts


def test_b_values_of_one_series_are_told_apart(shared_data: Path) -> None:
    files = sorted((shared_data / "studies" / "mr-prostatex-0207").glob("MR-0008*/*"))
    found = [(m.b, m.diffusion) for m in map(meaning_of, display_sets(series_of(files)))]
    assert found == [(50.0, "low"), (400.0, "low"), (800.0, "high")]


def place(number: int) -> dict[str, object]:
    return {"ImagePositionPatient": [0.0, 0.0, float(number)]}


def made(modality: str, description: str = "", count: int = 3, **attributes: object) -> Meaning:
    """What a made series means: axial images 1 mm apart unless its attributes say otherwise."""
    around = {
        "ImageOrientationPatient": AXIAL,
        "PixelSpacing": [1.0, 1.0],
        "FrameOfReferenceUID": "2.25.5",
        "SamplesPerPixel": 1,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "PhotometricInterpretation": "MONOCHROME2",
        "SliceThickness": 1.0,
    }
    instances = tuple(
        InstanceManifest(
            f"2.25.6.{n}",
            "1.2.3",
            "1.2.840.10008.1.2.1",
            n,
            64,
            64,
            1,
            {k: v for k, v in {**around, **place(n), **attributes}.items() if v},
            (Url(f"2.25.6.{n}", 1, "1.2.840.10008.1.2.1"),),
        )
        for n in range(1, count + 1)
    )
    series = SeriesManifest("2.25.6", modality, 1, description, "", "", instances)
    return meaning_of(display_sets(series)[0])


KERNELS = (
    ("B30f", "soft"),
    ("B70f", "lung"),
    ("B60f", "lung"),
    ("H30s", "soft"),
    ("H60s", "bone"),
    ("I70f\\3", "lung"),
    ("I31f\\3", "soft"),
    ("U90u", "bone"),
    ("Br40d", "soft"),
    ("Bl57d", "lung"),
    ("Hr38", "soft"),
    ("T20f", ""),
    ("STANDARD", "soft"),
    ("SOFT", "soft"),
    ("LUNG", "lung"),
    ("BONE", "bone"),
    ("BONEPLUS", "bone"),
    ("EDGE", "bone"),
    ("FC03", "soft"),
    ("FC17", "soft"),
    ("FC30", "bone"),
    ("FC51", "lung"),
    ("FC52", "lung"),
    ("FC81", "bone"),
    ("B", "soft"),
    ("L", "lung"),
    ("YC", "bone"),
    ("", ""),
)


@pytest.mark.parametrize(("name", "kernel"), KERNELS)
def test_kernels_by_their_makers_names(name: str, kernel: str) -> None:
    assert made("CT", ConvolutionKernel=name).kernel == kernel


def test_a_kernel_that_decides_wins_over_the_description() -> None:
    assert made("CT", "Lung 1.0", ConvolutionKernel="B30f").kernel == "soft"
    assert made("CT", "Lung 1.0").kernel == "lung"
    assert made("CT", "Thorax Knochen").kernel == "bone"


WORDS = (
    ("Ax T2 FLAIR", "FLAIR"),
    ("t2_tirm_tra_dark-fluid", "FLAIR"),
    ("STIR cor", "STIR"),
    ("T2_star_ax", "T2*"),
    ("t1_mprage_sag", "T1"),
    ("3D BRAVO +C", "T1"),
    ("PD_TSE_fs_cor", "PD"),
    ("pdw_spair sag", "PD"),
    ("DWI b1000", "DWI"),
    ("dADC", "ADC"),
    ("ADC (10^-6 mm2/s)", "ADC"),
    ("TOF 3D multi-slab", "MRA"),
    ("swi_tra", "SWI"),
    ("perfusion dsc", "perfusion"),
    ("T1 VIBE fs post", "T1"),
    ("space t2 sag", "T2"),
)


@pytest.mark.parametrize(("description", "weighting"), WORDS)
def test_weightings_by_words(description: str, weighting: str) -> None:
    assert made("MR", description).weighting == weighting


TIMES = (
    ({"ScanningSequence": "SE", "EchoTime": 12.0, "RepetitionTime": 550.0}, "T1"),
    ({"ScanningSequence": "SE", "EchoTime": 98.0, "RepetitionTime": 4200.0}, "T2"),
    ({"ScanningSequence": "SE", "EchoTime": 30.0, "RepetitionTime": 3000.0}, "PD"),
    (
        {"ScanningSequence": "IR", "EchoTime": 90.0, "RepetitionTime": 9000.0, "InversionTime": 2500.0},
        "FLAIR",
    ),
    ({"ScanningSequence": "IR", "EchoTime": 40.0, "RepetitionTime": 5000.0, "InversionTime": 150.0}, "STIR"),
    ({"ScanningSequence": "GR", "EchoTime": 2.4, "RepetitionTime": 7.0}, "T1"),
    ({"ScanningSequence": "GR", "EchoTime": 22.0, "RepetitionTime": 600.0}, "T2*"),
    ({}, ""),
)


@pytest.mark.parametrize(("times", "weighting"), TIMES)
def test_weightings_by_times_where_no_word_says_it(times: dict[str, object], weighting: str) -> None:
    assert made("MR", "ax 3mm", **times).weighting == weighting


@pytest.mark.parametrize(
    ("modality", "description", "attributes", "contrast"),
    [
        ("CT", "Thorax", {"ContrastBolusAgent": "OMNIPAQUE 350"}, "with"),
        ("CT", "Thorax", {"ContrastBolusAgent": "NONE"}, ""),
        ("CT", "Abd/Pelvis W/O", {}, "without"),
        ("CT", "Abdomen portal venous", {}, "with"),
        ("MR", "t1_tse_tra_KM", {}, "with"),
        ("MR", "t1 nativ", {}, "without"),
        ("MR", "t1_tse_tra", {}, ""),
    ],
)
def test_contrast(modality: str, description: str, attributes: dict[str, object], contrast: str) -> None:
    assert made(modality, description, **attributes).contrast == contrast


@pytest.mark.parametrize(
    ("description", "phase"),
    [
        ("Abdomen arterial 3.0", "arterial"),
        ("Abd PV 5mm", "portal venous"),
        ("Delayed 10 min", "delayed"),
        ("Abd", ""),
    ],
)
def test_phases_of_a_ct(description: str, phase: str) -> None:
    assert made("CT", description).phase == phase


@pytest.mark.parametrize(
    ("modality", "description", "attributes", "view", "side"),
    [
        ("DX", "", {"ViewPosition": "LL"}, "lateral", ""),
        ("DX", "Thorax seitl.", {}, "lateral", ""),
        ("CR", "CHEST AP PORTABLE", {}, "AP", ""),
        ("CR", "Knie links", {"PatientOrientation": ["L", "F"]}, "frontal", "left"),
        ("DX", "", {"ViewPosition": "RAO"}, "oblique", ""),
        ("MG", "R CC", {}, "CC", "right"),
        ("MG", "LMLO", {"ImageLaterality": "L"}, "MLO", "left"),
        ("MG", "", {"ViewCodeSequence": [{"meaning": "cranio-caudal"}]}, "CC", ""),
        ("MG", "L ML", {}, "ML", "left"),
    ],
)
def test_views_of_projections(
    modality: str, description: str, attributes: dict[str, object], view: str, side: str
) -> None:
    none = {"ImageOrientationPatient": None, "ImagePositionPatient": None, "FrameOfReferenceUID": None}
    found = made(modality, description, count=1, **none, **attributes)
    assert (found.view, found.side) == (view, side)


@pytest.mark.parametrize(
    ("description", "facts"),
    [
        ("Cor MPR", {"plane": "coronal", "made": "reformatted"}),
        ("MIP cor", {"projection": "MIP"}),
        ("MinIP Lung", {"projection": "MinIP"}),
        ("Topogram 0.6", {"use": "localizer"}),
        ("Dose Report", {"use": "document"}),
    ],
)
def test_what_was_made_of_it(description: str, facts: dict[str, str]) -> None:
    found = made("CT", description, ImageOrientationPatient=CORONAL, ImageType=["DERIVED", "SECONDARY"])
    assert {fact: getattr(found, fact) for fact in facts} == facts


def test_every_fact_has_its_words_and_a_reader_is_told_them() -> None:
    found = made("MR", "T1 VIBE dyn fs post", ImageOrientationPatient=SAGITTAL)
    assert found.words == ("sagittal", "T1", "fat suppressed", "dynamic", "with contrast")
    for fact in set(FACTS) - {"modality", "body_part"}:
        assert found.says(fact) <= VOCABULARY[fact] | {""}
