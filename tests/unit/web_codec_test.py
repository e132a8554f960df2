"""The codec: strict, exact both ways, and quick enough for a manifest of 2,000 instances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from pacs_core.archive import codec
from pacs_core.archive import models as m
from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.measurement import Measurement, Quantity
from pacs_core.domain.report import ReportVersion, Section, VersionKind


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Step:
    start_date: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    a: int


@dataclass(frozen=True, slots=True)
class Right:
    a: int


@dataclass(frozen=True, slots=True)
class Whole:
    steps: tuple[Step, ...]
    pair: tuple[int, float] = (1, 2.0)
    side: Left | Right | None = None
    colour: Colour = Colour.RED
    raw: bytes = b""
    more: Mapping[str, object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    weight: float | None = None
    flag: bool = False


WHOLE = Whole(
    steps=(Step("2026-11-21", 3), Step("")),
    pair=(4, 0.5),
    side=Right(2),
    colour=Colour.BLUE,
    raw=bytes(range(256)),
    more={"PixelSpacing": [0.5, 0.5], "Name": "山田"},
    texts={"a": "b"},
    weight=math.inf,
    flag=True,
)


def over_the_wire(hint: object, value: object) -> object:
    return codec.from_jsonable(hint, codec.load(codec.dump(codec.to_jsonable(hint, value))))


def test_every_shape_comes_back_equal() -> None:
    assert over_the_wire(Whole, WHOLE) == WHOLE
    assert over_the_wire(tuple[Whole, ...], (WHOLE, WHOLE)) == (WHOLE, WHOLE)
    assert over_the_wire(Whole | None, None) is None
    assert over_the_wire(str, "\u2028 ' \" \\ é") == "\u2028 ' \" \\ é"


def test_the_archives_own_models_come_back_equal() -> None:
    stroke = Measurement(
        "1.2", "length", "1.3", "1.4", "1.5", 1, ((1.0, 2.5, -3.0), (0.0, 0.0, 1e-9)),
        (Quantity("Length", 12.3, "mm"),), details={"b": "0"},
    )  # fmt: skip
    assert over_the_wire(Measurement, stroke) == stroke
    version = ReportVersion(1, VersionKind.ADDENDUM, (Section("Findings", "None."),), "r", "R", "2026Z", "d")
    assert over_the_wire(ReportVersion, version) == version
    frames: tuple[m.LocalFile | m.Url, ...] = (
        m.LocalFile("/a", 1, 2, "1.2", ((1, 2), (3, 4))),
        m.Url("1.2", 3, "1.2"),
    )
    assert over_the_wire(tuple[m.LocalFile | m.Url, ...], frames) == frames


def test_a_union_is_told_apart_by_its_tag() -> None:
    assert codec.to_jsonable(Left | Right, Left(1)) == {"type": "Left", "a": 1}
    assert codec.from_jsonable(Left | Right, {"type": "Right", "a": 1}) == Right(1)


@pytest.mark.parametrize(
    ("value", "path", "word"),
    [
        ({"steps": [{"start_date": "a"}, {"start_date": 5}]}, "steps[1].start_date", "a text is wanted"),
        ({"steps": [{"start_date": "a"}, {}]}, "steps[1].start_date", "missing"),
        ({"steps": [{"start_date": "a", "stop": 1}]}, "steps[0].stop", "no such field"),
        ({"steps": {}}, "steps", "a list is wanted, not an object"),
        ({}, "steps", "missing"),
        ([], "", "an object is wanted"),
        ({"steps": [], "pair": [1]}, "pair", "a list of 2"),
        ({"steps": [], "pair": [1, True]}, "pair[1]", "a number is wanted, not a boolean"),
        ({"steps": [], "pair": [1.0, 1]}, "pair[0]", "a whole number"),
        ({"steps": [], "pair": [10**30, 1]}, "pair[0]", "64 bits"),
        ({"steps": [], "side": {"a": 1}}, "side.type", "one of Left, Right"),
        ({"steps": [], "side": {"type": ["Left"], "a": 1}}, "side.type", "one of Left, Right"),
        ({"steps": [], "side": {"type": "Left", "a": "1"}}, "side.a", "whole number"),
        ({"steps": [], "side": 7}, "side", "an object is wanted"),
        ({"steps": [], "colour": "green"}, "colour", "one of red, blue"),
        ({"steps": [], "colour": []}, "colour", "one of red, blue"),
        ({"steps": [], "raw": "a!"}, "raw", "not base64"),
        ({"steps": [], "raw": 1}, "raw", "base64 text"),
        ({"steps": [], "more": []}, "more", "an object is wanted"),
        ({"steps": [], "texts": {"a": 1}}, "texts.a", "a text is wanted"),
        ({"steps": [], "weight": "heavy"}, "weight", "a number is wanted"),
        ({"steps": [], "weight": 10**400}, "weight", "too large"),
        ({"steps": [], "flag": 1}, "flag", "true or false"),
        ({"steps": [{"start_date": "\ud800"}]}, "steps[0].start_date", "surrogate"),
    ],
)
def test_a_wrong_shape_is_named_with_its_path(value: object, path: str, word: str) -> None:
    with pytest.raises(InvalidValue, match=word.replace("(", "\\(")) as caught:
        codec.from_jsonable(Whole, value)
    assert caught.value.where == path


def test_an_answer_of_a_newer_node_is_read_leniently() -> None:
    value = {"start_date": "a", "invented_later": 1}
    assert codec.from_jsonable(Step, value, lenient=True) == Step("a")
    with pytest.raises(InvalidValue):
        codec.from_jsonable(Step, value)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b"[NaN]", "NaN is no number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 10_000, "Exceeds the limit"),
        ("{}".encode("utf-16"), "not UTF-8"),
    ],
)
def test_what_is_no_json_is_said_so(body: bytes, word: str) -> None:
    with pytest.raises(InvalidValue, match=word):
        codec.load(body)


def test_a_number_that_is_none_inside_an_open_mapping_becomes_null() -> None:
    value = Whole((), more={"a": [1.0, math.nan], "b": {"c": math.inf}})
    assert codec.load(codec.dump(codec.to_jsonable(Whole, value)))["more"] == {
        "a": [1.0, None],
        "b": {"c": None},
    }


def test_a_hint_without_a_shape_is_a_mistake_of_the_programmer() -> None:
    for hint in (set[int], int | str, complex):
        with pytest.raises(TypeError):
            codec.encoder(hint)
        with pytest.raises(TypeError):
            codec.decoder(hint)


def test_a_manifest_of_2000_instances_comes_back_equal() -> None:
    instances = tuple(
        m.InstanceManifest(
            f"1.2.{i}", "1.2.840", "1.2.840.10008.1.2.1", i, 512, 512, 1,
            {"ImagePositionPatient": [1.0, 2.0, float(i)], "PixelSpacing": [0.5, 0.5], "BitsAllocated": 16},
            (m.LocalFile("/a/b/c", 100, 524288, "1.2.840"), m.Url(f"1.2.{i}", 1, "1.2")),
        )
        for i in range(2000)
    )  # fmt: skip
    series = m.SeriesManifest("1.9", "CT", 1, "d", "CHEST", "", instances)
    manifest = m.StudyManifest("1", 1, "p", "n", "2026-11-21", "10:00:00", "x", "A1", (series,))
    assert over_the_wire(m.StudyManifest, manifest) == manifest
