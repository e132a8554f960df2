"""The display function against the standard's own numbers, tables on made monitors, patterns and the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from workstation.imaging.display_qa import Check, QaLog
from workstation.imaging.gsdf import (
    Characteristic,
    GsdfError,
    conformance,
    display_table,
    jnd_index,
    luminance,
    target,
)
from workstation.imaging.luts import LINEAR_EXACT, GreyChain, VoiWindow, grey_table
from workstation.imaging.qa_patterns import PATTERNS, TOP, eight_bit, luminance_step, pattern


def test_the_function_gives_the_standards_ends_and_is_its_own_inverse() -> None:
    assert luminance(1) == pytest.approx(0.05, rel=1e-3)
    assert luminance(1023) == pytest.approx(3993.404, rel=1e-4)
    assert luminance(2) == pytest.approx(0.0547, rel=2e-3)
    indices = np.arange(1, 1024)
    values = luminance(indices)
    assert (np.diff(values) > 0).all()
    assert np.abs(jnd_index(values) - indices).max() < 0.6


def monitor(
    gamma: float = 2.2, top: float = 400.0, dark: float = 0.4, ambient: float = 0.1
) -> Characteristic:
    levels = tuple(range(0, 256, 15))
    return Characteristic(levels, tuple(dark + (top - dark) * (n / 255) ** gamma for n in levels), ambient)


@pytest.mark.parametrize("gamma", [1.8, 2.2, 2.6])
@pytest.mark.parametrize("ambient", [0.0, 0.5])
def test_a_table_makes_a_monitor_follow_the_standard(gamma: float, ambient: float) -> None:
    made = monitor(gamma, ambient=ambient)
    table = display_table(made)
    assert (table[0], table[-1], len(table)) == (0, 255, 1024)
    assert all(a <= b for a, b in pairwise(table))
    given = made.every_level()[list(table)]
    wanted = target(made, np.linspace(0, 1, 1024))
    step = np.diff(jnd_index(made.every_level())).max()
    assert np.abs(jnd_index(given) - jnd_index(wanted)).max() <= step / 2 + 1e-9
    steps = tuple(np.linspace(0, 1, 18))
    through = tuple(float(made.every_level()[table[round(p * 1023)]] - ambient) for p in steps)
    assert conformance(steps, through, ambient).passes(0.10)
    raw = tuple(float(made.every_level()[round(p * 255)] - ambient) for p in steps)
    assert not conformance(steps, raw, ambient).passes(0.10)


def test_the_chain_drives_a_calibrated_monitor() -> None:
    table = display_table(monitor())
    chain = GreyChain(voi=VoiWindow(127.5, 255, LINEAR_EXACT), display=table)
    grey = grey_table(chain, np.dtype(np.uint8))[:256]
    assert (grey[0], grey[255]) == (0, 255)
    assert np.array_equal(grey, [table[int(v / 255 * 1023 + 0.5)] for v in range(256)])


@pytest.mark.parametrize(
    ("levels", "cd", "words"),
    [
        ((0, 255), (0.5,), "its luminance"),
        ((0,), (0.5,), "at least two"),
        ((0, 128, 100, 255), (1, 2, 3, 4), "ascending"),
        ((0, 200), (0.5, 300), "brightest level"),
        ((0, 128, 255), (0.5, 300, 200), "falls"),
        ((0, 255), (0.5, float("nan")), "numbers"),
        ((0, 255), (0.0, 300), "below the standard"),
        ((0, 255), (1.0, 9000), "above the standard"),
        ((0, 255), (100.0, 101.0), "no contrast"),
    ],
)
def test_measurements_of_no_monitor_are_refused(
    levels: tuple[int, ...], cd: tuple[float, ...], words: str
) -> None:
    with pytest.raises(GsdfError, match=words):
        Characteristic(levels, cd)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (101, 97)])
def test_patterns_fill_any_monitor(name: str, size: tuple[int, int]) -> None:
    picture = pattern(name, *size)
    assert picture.shape == (size[1], size[0])
    assert picture.max() <= TOP
    levels = eight_bit(picture, display_table(monitor()))
    assert levels.dtype == np.uint8
    assert eight_bit(picture).max() <= 255


def test_what_the_patterns_are_for() -> None:
    steps = [int(luminance_step(200, 200, n)[100, 100]) for n in range(1, 19)]
    assert steps[0] == 0
    assert steps[-1] == TOP
    assert len(set(np.diff(steps))) <= 2
    assert np.unique(pattern("TG270-pQC", 2048, 100)).size == 1024
    control = pattern("TG18-QC", 1024, 1024)
    assert {0, TOP, round(0.05 * TOP), round(0.95 * TOP)} <= set(np.unique(control).tolist())
    with pytest.raises(KeyError):
        pattern("TG18-XX", 100, 100)
    with pytest.raises(ValueError, match="pixels"):
        pattern("TG18-QC", 10, 10)


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def entry(kind: str, days_ago: float = 0.0) -> Check:
    at = (NOW - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")
    made = monitor()
    if kind == "calibration":
        return Check("left", kind, at, "physicist", made.levels, (), made.cd_m2, made.ambient)
    if kind == "luminance":
        p = tuple(float(v) for v in np.linspace(0, 1, 18))
        return Check(
            "left", kind, at, "physicist", (), p, tuple(float(v) for v in target(made, p) - 0.1), 0.1
        )
    return Check("left", kind, at, "reader", answers=(("5 % square seen", True), ("95 % square seen", True)))


def test_the_log_says_whether_a_monitor_may_be_read_on(tmp_path: Path) -> None:
    log = QaLog(tmp_path / "qa" / "monitors.jsonl")
    assert log.state("left", NOW).reason == "this monitor is not calibrated"
    assert log.table("left") is None
    log.add(entry("calibration", 40))
    assert log.state("left", NOW).reason == "this monitor's monthly check is due"
    log.add(entry("luminance", 3))
    assert log.state("left", NOW).is_good
    assert log.table("left") == display_table(monitor())
    log.add(replace(entry("visual"), answers=(("5 % square seen", False),)))
    assert "failed" in log.state("left", NOW).reason
    log.add(entry("visual"))
    assert log.state("left", NOW).is_good
    assert not log.state("right", NOW).is_good
    assert [c.kind for c in log.entries("left")] == ["calibration", "luminance", "visual", "visual"]


def test_a_line_cut_off_by_a_power_cut_loses_only_itself(tmp_path: Path) -> None:
    log = QaLog(tmp_path / "monitors.jsonl")
    log.add(entry("calibration", 1))
    log.add(entry("visual"))
    whole = log.path.read_bytes()
    for cut in range(len(whole) - 60, len(whole), 7):
        log.path.write_bytes(whole[:cut])
        log.add(entry("luminance"))
        kinds = [c.kind for c in log.entries()]
        assert kinds[0] == "calibration"
        assert kinds[-1] == "luminance"
    log.path.write_bytes(b'\xff\xfe rubbish\n{"monitor": 3}\n[]\n' + whole)
    assert len(log.entries()) == 2


def test_a_calibration_of_no_monitor_is_no_calibration(tmp_path: Path) -> None:
    log = QaLog(tmp_path / "monitors.jsonl")
    log.add(replace(entry("calibration"), cd_m2=tuple(reversed(monitor().cd_m2))))
    assert log.state("left", NOW).calibration is None
    assert log.table("left") is None
