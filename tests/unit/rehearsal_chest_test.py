"""The demo's chest: nodules with their truth, a prior that lies elsewhere, a PET and a radiograph of it."""

from __future__ import annotations

import numpy as np
import pytest

from pacs_core.rehearsal import pet, prior
from pacs_core.rehearsal.chest import Chest, body_mask, insert_nodules
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import Sphere, stack
from pacs_core.rehearsal.phantoms.pet import Dose, pet_images, reference_object
from pacs_core.rehearsal.prior import Displacement, Lesion, synthetic_prior
from pacs_core.rehearsal.radiograph import radiograph

LESION = Lesion("nodule", (-30.0, -10.0, 12.0), now=14.0, then=9.0, hu=40.0, suv=4.0)
GONE = Lesion("new", (30.0, 10.0, -9.0), now=8.0, then=0.0)


@pytest.fixture(scope="module")
def chest() -> Chest:
    """Two lungs in a box of soft tissue, the liver on the right below, a thin table behind."""
    slices = stack((96, 96, 30), (2.0, 2.0, 4.0))
    hu = np.full((30, 96, 96), -1024, np.int16)
    labels = np.zeros(hu.shape, np.uint8)
    hu[:, 16:80, 10:86] = 40
    for columns, label in ((slice(16, 44), 14), (slice(52, 80), 11)):
        hu[8:, 24:70, columns] = -850
        labels[8:, 24:70, columns] = label
    labels[:6, 24:70, 16:44] = 5
    hu[:, 88:89, :] = 200
    return Chest(hu, labels, slices, "analytic")


@pytest.fixture(scope="module")
def displacement(chest: Chest) -> Displacement:
    return Displacement(chest.slices.middle, diaphragm_z=-30.0, mass=(40.0, 20.0, 0.0))


@pytest.mark.parametrize(
    "point", [(0.0, 0.0, 0.0), (-30.0, -10.0, 12.0), (41.0, 22.0, 3.0), (10.0, -40.0, -50.0)]
)
def test_a_point_goes_to_the_prior_and_back(
    displacement: Displacement, point: tuple[float, float, float]
) -> None:
    there = displacement.to_prior(point)
    assert np.linalg.norm(np.subtract(there, point)) > 20
    assert displacement.to_current(np.array(there)) == pytest.approx(point, abs=1e-3)


def test_the_prior_shows_the_nodule_smaller_and_elsewhere(chest: Chest, displacement: Displacement) -> None:
    volume, slices, nodules = synthetic_prior(chest, displacement, (LESION, GONE), seed=1)
    assert [n.name for n in nodules] == ["nodule"]
    ball = nodules[0]
    assert ball.diameter == 9.0
    index = slices.nearest(ball.centre)
    row, column = (round(v) for v in slices.pixel(ball.centre, index))
    profile = volume[index, row, column - 8 : column + 9]
    assert np.count_nonzero(profile > -405) * slices.column_spacing == pytest.approx(
        ball.chord(slices.height(ball.centre, index)), abs=slices.column_spacing
    )


def test_a_nodule_keeps_its_volume_when_blurred(chest: Chest) -> None:
    volume = np.zeros((30, 96, 96), np.float32)
    ball = Sphere(LESION.centre, 20.0, 1000.0)
    insert_nodules(volume, chest.slices, (ball,), seed=2)
    assert volume.sum() / 1000 * 16.0 == pytest.approx(ball.volume, rel=0.02)


def test_the_table_is_no_body(chest: Chest) -> None:
    inside = body_mask(chest.hu, chest.labels)
    assert inside[15, 40, 48]
    assert inside[15, 40, 30]
    assert not inside[15, 88].any()


def test_the_pet_sees_liver_lung_and_lesion(chest: Chest) -> None:
    mass = pet.Mass((900.0, 0.0, 0.0), 5.0, 9.0)
    suv, slices = pet.pet_volume(chest, mass, (LESION,), seed=3)

    def at(point: tuple[float, float, float]) -> float:
        index = slices.nearest(point)
        row, column = (round(v) for v in slices.pixel(point, index))
        return float(suv[index, row - 1 : row + 2, column - 1 : column + 2].mean())

    assert at((-36.0, 0.0, -52.0)) == pytest.approx(pet.UPTAKES["liver"][0], rel=0.15)
    assert at((36.0, 0.0, 30.0)) == pytest.approx(pet.UPTAKES["lungs"][0], rel=0.3)
    assert at(LESION.centre) > 1.5
    assert at((0.0, 90.0, 0.0)) < 0.1


def test_pet_pixels_give_back_their_suv() -> None:
    series = reference_object(SeriesHeader("dro", "PT", time="101500"), Dose(300e6, 62.0, 81.0))
    image = series.images[21]
    tracer = image.RadiopharmaceuticalInformationSequence[0]
    assert tracer.RadiopharmaceuticalStartTime == "091300"
    left = float(tracer.RadionuclideTotalDose) * 2 ** (-62 * 60 / float(tracer.RadionuclideHalfLife))
    stored = np.frombuffer(image.PixelData, "<i2").reshape(128, 128)
    suv = stored * float(image.RescaleSlope) * float(image.PatientWeight) * 1000 / left
    body = series.truth.slices
    row, column = (round(v) for v in body.pixel((0.0, 0.0, 0.0), 21))
    assert suv[row, column] == pytest.approx(1.0, rel=0.001)
    for ball in series.truth.spheres:
        row, column = (round(v) for v in body.pixel(ball.centre, 21))
        assert suv[row, column] == pytest.approx(ball.hu, rel=0.001)


def test_a_dose_before_midnight_says_its_day() -> None:
    suv = np.ones((1, 4, 4), np.float32)
    header = SeriesHeader("night", "PT", date="20260302", time="001000")
    image = pet_images(suv, stack((4, 4, 1), (4.0, 4.0, 3.0)), header, Dose(minutes=60.0))[0]
    tracer = image.RadiopharmaceuticalInformationSequence[0]
    assert tracer.RadiopharmaceuticalStartDateTime == "20260301231000"


def test_a_radiograph_has_head_up_and_the_patients_right_at_the_left(chest: Chest) -> None:
    image = radiograph(chest, SeriesHeader("cr", "CR"))
    pixels = np.frombuffer(image.PixelData, "<u2").reshape(image.Rows, image.Columns).astype(float)
    rows, columns = pixels.shape
    lung_right, lung_left = pixels[: rows // 2, columns // 4], pixels[: rows // 2, 3 * columns // 4]
    assert lung_right.mean() == pytest.approx(lung_left.mean(), rel=0.2)
    assert pixels[-10:, columns // 4].mean() > lung_right.mean() * 1.5
    assert list(image.PatientOrientation) == ["L", "F"]
    marked = chest.hu.copy()
    marked[15:20, 40:50, 20:24] = 2000  # dense, in the right lung
    seen = radiograph(Chest(marked, chest.labels, chest.slices, "analytic"), SeriesHeader("cr", "CR"))
    change = np.frombuffer(seen.PixelData, "<u2").reshape(pixels.shape) - pixels
    assert np.unravel_index(change.argmax(), pixels.shape)[1] < columns / 2


def test_indices_are_slice_row_column(chest: Chest) -> None:
    point = chest.slices.points(7)[11, 13]
    assert prior.indices(chest.slices, point) == pytest.approx([7, 11, 13], abs=1e-4)
