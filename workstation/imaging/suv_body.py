"""Body weight, lean body mass and body surface for uptake values; refusing what cannot be of a person."""

from __future__ import annotations

from workstation.imaging.values import Attributes, number, text

WEIGHTS_KG = (0.3, 500.0)
HEIGHTS_M = (0.2, 2.8)


class BodyRefusal(ValueError):
    """A fact about the body that is missing or cannot be; the message names its tag."""


def weight_kg(attributes: Attributes) -> float:
    """Patient's Weight; raises BodyRefusal."""
    found = number(attributes.get("PatientWeight"))
    if found is None:
        raise BodyRefusal("Patient's Weight (0010,1030) is missing")
    if not WEIGHTS_KG[0] <= found <= WEIGHTS_KG[1]:
        raise BodyRefusal(f"Patient's Weight (0010,1030) of {found:g} kg cannot be")
    return found


def height_m(attributes: Attributes) -> float:
    """Patient's Size; raises BodyRefusal, also for centimetres written where metres belong."""
    found = number(attributes.get("PatientSize"))
    if found is None:
        raise BodyRefusal("Patient's Size (0010,1020) is missing")
    if not HEIGHTS_M[0] <= found <= HEIGHTS_M[1]:
        raise BodyRefusal(f"Patient's Size (0010,1020) of {found:g} m cannot be")
    return found


def _is_male(attributes: Attributes) -> bool:
    sex = text(attributes.get("PatientSex")).upper()
    if sex not in ("M", "F"):
        what = f"is {sex}" if sex else "is missing"
        raise BodyRefusal(f"Patient's Sex (0010,0040) {what}: no lean body mass without it")
    return sex == "M"


def lean_mass_kg(attributes: Attributes, james: bool = False) -> float:
    """Lean body mass: Janmahasatian et al. 2005 (Clin Pharmacokinet 44:1051), or James 1976 (DHSS/MRC).

    James' formula falls again for the very heavy and is refused where it gives nothing.
    """
    weight, height, male = weight_kg(attributes), height_m(attributes), _is_male(attributes)
    if james:
        square = (weight / (height * 100.0)) ** 2
        found = 1.10 * weight - 128.0 * square if male else 1.07 * weight - 148.0 * square
        if not 0.0 < found <= weight:
            raise BodyRefusal("James' formula gives no lean body mass for this weight and height")
        return found
    index = weight / height**2
    return 9270.0 * weight / ((6680.0 + 216.0 * index) if male else (8780.0 + 244.0 * index))


def surface_cm2(attributes: Attributes) -> float:
    """Body surface by DuBois and DuBois 1916, cm²."""
    weight, height = weight_kg(attributes), height_m(attributes)
    return 71.84 * float(weight**0.425) * float((height * 100.0) ** 0.725)
