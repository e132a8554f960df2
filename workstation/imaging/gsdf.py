"""The Greyscale Standard Display Function (PS3.14): luminance and just-noticeable differences, and a table
that makes a measured monitor follow it.

Luminance in cd/m². P-values run from 0 to 1 here, driving levels (DDL) from 0 to 255.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST, MOST = 0.05, 3993.404  # cd/m² of JND index 1 and 1023
# PS3.14 B: j(L) in powers of log10 L
OF_LUMINANCE = (71.498068, 94.593053, 41.912053, 9.8247004, 0.28175407, -1.1878455, -0.18014349, 0.14710899,
                -0.017046845)  # fmt: skip
# PS3.14 7.1: log10 L(j), rational in ln j
UPPER = (-1.3011877, 8.0242636e-2, 1.3646699e-1, -2.5468404e-2, 1.3635334e-3)
LOWER = (1.0, -2.5840191e-2, -1.0320229e-1, 2.8745620e-2, -3.1978977e-3, 1.2992634e-4)
P_VALUES = 1024  # entries of a table
PRIMARY, SECONDARY = 0.10, 0.20  # tolerated deviation of contrast (AAPM TG18, Report 270)


class GsdfError(ValueError):
    """Measurements no display function can be made of; the message says why."""


def luminance(jnd: npt.ArrayLike) -> Floats:
    """cd/m² of a JND index 1..1023 (PS3.14 equation 7-1)."""
    x = np.log(np.clip(np.asarray(jnd, dtype=np.float64), 1.0, 1023.0))
    upper = sum(c * x**n for n, c in enumerate(UPPER))
    lower = sum(c * x**n for n, c in enumerate(LOWER))
    return np.asarray(10.0 ** (upper / lower), dtype=np.float64)


def jnd_index(cd_m2: npt.ArrayLike) -> Floats:
    """The JND index of a luminance (PS3.14 annex B), held within 0.05 to 3993 cd/m²."""
    x = np.log10(np.clip(np.asarray(cd_m2, dtype=np.float64), LEAST, MOST))
    return np.asarray(sum(c * x**n for n, c in enumerate(OF_LUMINANCE)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Characteristic:
    """What a monitor gives: `levels` (DDL, ascending) and `cd_m2` measured at them; `ambient` cd/m² of the
    room's light reflected, which the eye sees as well.
    """

    levels: tuple[int, ...]
    cd_m2: tuple[float, ...]
    ambient: float = 0.0

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.cd_m2) or len(self.levels) < 2:
            raise GsdfError("each driving level needs its luminance, and there must be at least two")
        if list(self.levels) != sorted(set(self.levels)) or self.levels[0] < 0 or self.levels[-1] > 255:
            raise GsdfError("driving levels run from 0 to 255, ascending")
        if self.levels[0] != 0 or self.levels[-1] != 255:
            raise GsdfError("the darkest (0) and the brightest level (255) have to be measured")
        values = np.asarray(self.cd_m2)
        if not np.isfinite(values).all() or (values < 0).any() or not 0 <= self.ambient < 100:
            raise GsdfError("luminances are numbers of 0 or more")
        if (np.diff(values) < 0).any():
            raise GsdfError("luminance falls where the level rises: measure again")
        if self.darkest < LEAST:
            raise GsdfError(f"{self.darkest:.3f} cd/m² at level 0 lies below the standard's range (0.05)")
        if self.brightest > MOST:
            raise GsdfError(f"{self.brightest:.0f} cd/m² lies above the standard's range")
        if self.brightest <= 1.5 * self.darkest:
            raise GsdfError("the monitor shows no contrast")

    @property
    def darkest(self) -> float:
        return self.cd_m2[0] + self.ambient

    @property
    def brightest(self) -> float:
        return self.cd_m2[-1] + self.ambient

    @property
    def ratio(self) -> float:
        """Brightest over darkest, room light included: at least 250 for reading (TG18), 350 wished for."""
        return self.brightest / self.darkest

    def every_level(self) -> Floats:
        """cd/m² with ambient at each of the 256 levels, between measurements straight in its logarithm."""
        logs = np.log(np.asarray(self.cd_m2) + self.ambient)
        return np.asarray(np.exp(np.interp(np.arange(256), self.levels, logs)), dtype=np.float64)


def target(of: Characteristic, p_values: npt.ArrayLike) -> Floats:
    """cd/m² that P-values 0..1 have to have on this monitor (PS3.14 8: equal steps of JND)."""
    low, high = jnd_index(of.darkest), jnd_index(of.brightest)
    return luminance(low + (high - low) * np.asarray(p_values, dtype=np.float64))


def display_table(of: Characteristic, entries: int = P_VALUES) -> tuple[int, ...]:
    """The driving level of each of `entries` P-values from 0 to 1: what `GreyChain.display` takes."""
    wanted = jnd_index(target(of, np.linspace(0.0, 1.0, entries)))
    given = jnd_index(of.every_level())
    above = np.clip(np.searchsorted(given, wanted), 1, 255)
    nearer = np.where(wanted - given[above - 1] <= given[above] - wanted, above - 1, above)
    nearer[0], nearer[-1] = 0, 255
    return tuple(int(v) for v in np.maximum.accumulate(nearer))


@dataclass(frozen=True, slots=True)
class Conformance:
    """How contrast follows the standard: `steps` are the deviations of dL/L a JND at each measured step from
    what it should be, as a share; `worst` the largest of them.
    """

    steps: tuple[float, ...]
    darkest: float
    brightest: float

    @property
    def worst(self) -> float:
        return max(abs(s) for s in self.steps)

    @property
    def ratio(self) -> float:
        return self.brightest / self.darkest

    def passes(self, tolerance: float = PRIMARY) -> bool:
        """Within the tolerance of contrast: 10 % for reading, 20 % for others."""
        return self.worst <= tolerance


def conformance(p_values: tuple[float, ...], cd_m2: tuple[float, ...], ambient: float = 0.0) -> Conformance:
    """Judge luminances measured at P-values 0..1 *through* the table (TG18-LN: 18 steps), by TG18 4.3.

    Between neighbours the contrast dL/L over the JNDs they are apart is set beside the standard's; raises
    GsdfError for measurements that make no curve.
    """
    p, values = np.asarray(p_values), np.asarray(cd_m2) + ambient
    if len(p) != len(values) or len(p) < 3 or (np.diff(p) <= 0).any() or p[0] != 0.0 or p[-1] != 1.0:
        raise GsdfError("P-values run from 0 to 1, ascending, each with its luminance")
    if not np.isfinite(values).all() or values[0] < LEAST or values[-1] <= values[0]:
        raise GsdfError("the measured luminances make no curve")
    low, high = float(jnd_index(values[0])), float(jnd_index(values[-1]))
    wanted = luminance(low + (high - low) * p)

    def contrast(of: Floats) -> Floats:
        return np.asarray(2.0 * np.diff(of) / (of[1:] + of[:-1]) / (np.diff(p) * (high - low)))

    deviations = contrast(values) / contrast(wanted) - 1.0
    return Conformance(tuple(float(d) for d in deviations), float(values[0]), float(values[-1]))
