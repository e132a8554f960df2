"""The grey chain against the formulas of PS3.3 C.11.2, computed here one value at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workstation.imaging.luts import (
    LINEAR_EXACT,
    SIGMOID,
    GreyChain,
    Rescale,
    TableLut,
    VoiWindow,
    auto_window,
    emission_window,
    grey_table,
    to_grey,
)


def linear(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.2.1, as written there, to 0..255."""
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    if x > c - 0.5 + (w - 1) / 2:
        return 255.0
    return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255


def linear_exact(x: float, c: float, w: float) -> float:
    if x <= c - w / 2:
        return 0.0
    return 255.0 if x > c + w / 2 else ((x - c) / w + 0.5) * 255


def sigmoid(x: float, c: float, w: float) -> float:
    return 255 / (1 + math.exp(max(-700.0, min(700.0, -4 * (x - c) / w))))


@pytest.mark.parametrize(("centre", "width"), [(40, 400), (-600, 1500), (0, 1), (0.5, 2), (2048, 4096)])
@pytest.mark.parametrize(
    ("function", "formula"), [("LINEAR", linear), (LINEAR_EXACT, linear_exact), (SIGMOID, sigmoid)]
)
def test_windows_by_the_standard(centre: float, width: float, function: str, formula: object) -> None:
    stored = np.arange(-1100, 3000, 7, dtype=np.int16)
    chain = GreyChain(Rescale(2.0, -10.0, "HU"), VoiWindow(centre, width, function))
    got = to_grey(stored, chain)
    assert callable(formula)
    for s, g in zip(stored.tolist(), got.tolist(), strict=True):
        assert abs(g - formula(2.0 * s - 10.0, centre, width)) <= 0.5 + 1e-9


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_two_inversions_undo_each_other(inverse: bool, inverted: bool) -> None:
    chain = GreyChain(Rescale(), VoiWindow(100, 200, LINEAR_EXACT), inverse=inverse, inverted=inverted)
    dark, bright = to_grey(np.array([0, 200]), chain).tolist()
    assert (dark < bright) == (inverse == inverted)


def test_table_is_the_function_for_every_stored_value() -> None:
    chain = GreyChain(Rescale(1, -1024), VoiWindow(40, 400), padding=(-2000, -1990))
    values = np.arange(-32768, 32768, dtype=np.int16)
    table = grey_table(chain, np.dtype(np.int16))
    assert np.array_equal(table[values.view(np.uint16)], to_grey(values, chain))
    unsigned = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(grey_table(chain, np.dtype(np.uint16)), to_grey(unsigned, chain))


def test_padding_is_background() -> None:
    chain = GreyChain(Rescale(), VoiWindow(0, 10, LINEAR_EXACT), padding=(500, 600))
    assert to_grey(np.array([499, 500, 550, 600, 601]), chain).tolist() == [255, 0, 0, 0, 255]


def test_modality_and_voi_tables_hold_their_ends() -> None:
    modality = TableLut(10, (0, 100, 200), 16)
    assert modality.apply(np.array([0, 10, 11, 12, 99])).tolist() == [0, 0, 100, 200, 200]
    voi = TableLut(0, tuple(range(256)), 8)
    chain = GreyChain(Rescale(), voi)
    assert to_grey(np.array([-5, 0, 128, 255, 900]), chain).tolist() == [0, 0, 128, 255, 255]


def test_no_window_shows_the_extent() -> None:
    assert to_grey(np.array([10, 15, 20]), GreyChain(extent=(10, 20))).tolist() == [0, 128, 255]


@pytest.mark.parametrize("values", [np.array([]), np.array([np.nan]), np.full(9, 7.0)])
def test_auto_windows_of_nothing_are_usable(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert auto_window(values).width > 0


def test_emission_window_begins_at_nothing() -> None:
    window = emission_window(np.concatenate([np.zeros(9000), np.linspace(0, 5000, 1000)]))
    assert window.centre - window.width / 2 == pytest.approx(0)


def test_float_pixels_and_nan_do_not_crash() -> None:
    grey = to_grey(np.array([np.nan, 0.0, 1.0]), GreyChain(voi=VoiWindow(0.5, 1.0, LINEAR_EXACT)))
    assert grey.tolist() == [0, 0, 255]


@pytest.mark.parametrize("function", ["LINEAR", LINEAR_EXACT, SIGMOID])
@pytest.mark.parametrize(
    ("slope", "intercept"), [(1.0, 0.0), (-1.0, 0.0), (0.37, -1024.0), (250.0, 3.0), (1e-9, 1.0)]
)
@pytest.mark.parametrize(
    ("centre", "width"), [(40, 400), (40, 1), (0.3, 0.01), (1e6, 5), (-1e6, 5), (0, 70000)]
)
@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_a_table_is_the_chain_for_every_value(
    function: str, slope: float, intercept: float, centre: float, width: float, dtype: type
) -> None:
    """However little of it is worked out: outside a straight window all is one grey."""
    stored = np.arange(65536, dtype=np.uint16).view(dtype)
    for n, padding in enumerate([None, (-2000, -1990), (-40000, 70000), (63, 63), (100, 20)]):
        chain = GreyChain(
            Rescale(slope, intercept), VoiWindow(centre, width, function), inverse=n % 2 == 1,
            inverted=n % 3 == 0, padding=padding, display=None if n % 2 else tuple(range(0, 256, 5)),
            presentation=TableLut(0, (0, 9, 100, 255), 8) if n == 4 else None,
        )  # fmt: skip
        assert np.array_equal(grey_table(chain, stored.dtype), to_grey(stored.astype(np.int64), chain))
