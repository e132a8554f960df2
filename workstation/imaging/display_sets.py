"""A series as the reader sees it: sorted in patient space, split where images do not belong together,
faults in words.

Sorting is by position along the common normal, turned so that the modality's own numbering ascends. Images
that cannot share a stack (other orientation, size, colour, frame of reference) and images at the same place
(other stack, echo, b-value, phase or time: `dimensions`) become display sets of their own; localizers stay
apart, images that each have an angle of their own are one stack.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from pacs_core.archive.models import SeriesManifest
from pacs_core.dicom.transfer_syntaxes import VIDEO
from workstation.imaging.dimensions import Part, split
from workstation.imaging.findings import Finding, FindingKind
from workstation.imaging.geometry import GeometryError, PlaneGeometry, VolumeGeometry, dot, plane_name
from workstation.imaging.headers import FrameHeader, FrameHeaders
from workstation.imaging.ordering import other_findings, sort_frames, spacing_findings

PARALLEL = 1e-3
TURNING = 5
"""From so many images of one kind, each with an orientation of its own, they are one stack."""

Frames = list[FrameHeader]


@dataclass(frozen=True)
class DisplaySet:
    """Frames that scroll as one.

    `kind` is "volume" (one grid, can be reformatted), "stack" (scrolls, no grid), "single", "cine" (frames
    of time) or "localizer". `findings` are what is missing, repeated, unequal or unusable: `problems` the
    same in sentences, `badges` in a word or two for the corner of a picture; `reformat_refusal` says why
    there is no MPR, empty where there is one. `label` tells it from other sets of its series ("b 800");
    it is number `rank` (from 0) of `of` such. `body_part` and `laterality` are the series' own.
    """

    uid: str
    series_uid: str
    series_number: int | None
    description: str
    modality: str
    kind: str
    frames: tuple[FrameHeader, ...]
    geometry: VolumeGeometry | None
    findings: tuple[Finding, ...]
    reformat_refusal: str
    label: str = ""
    rank: int = 0
    of: int = 1
    body_part: str = ""
    laterality: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings in sentences."""
        return tuple(f.words for f in self.findings)

    @property
    def badges(self) -> tuple[str, ...]:
        """The findings that belong on the picture, each in a word or two."""
        return tuple(dict.fromkeys(f.badge for f in self.findings if f.badge))

    @property
    def is_volume(self) -> bool:
        """Whether reformats and slabs can be made of it."""
        return self.geometry is not None and len(self.frames) > 2 and not self.reformat_refusal

    @property
    def frame_of_reference_uid(self) -> str:
        return self.frames[0].frame_of_reference_uid

    @property
    def is_colour(self) -> bool:
        return self.frames[0].layout.is_colour

    @property
    def orientation(self) -> str:
        """axial, coronal, sagittal, with "oblique" where it applies, or empty."""
        plane = self.frames[0].plane
        return plane_name(plane.normal) if plane else ""

    def depths(self) -> tuple[float, ...]:
        """Position of every frame along the first one's normal in mm; empty where one has no place in the
        patient.
        """
        first = self.frames[0].plane
        planes = [f.plane for f in self.frames]
        if first is None or any(p is None for p in planes):
            return ()
        return tuple(dot(p.origin, first.normal) for p in planes if p is not None)

    def __len__(self) -> int:
        return len(self.frames)

    def __hash__(self) -> int:
        return hash(self.uid)


def display_sets(series: SeriesManifest) -> tuple[DisplaySet, ...]:
    """Every display set of a series, the largest first, localizers last; none without images.

    What is no image, and what cannot be shown as one, is offered by `documents`.
    """
    headers = FrameHeaders(series.modality)
    images = (i for i in series.instances if i.transfer_syntax not in VIDEO)
    frames = [f for i in images for f in headers.of(i) if f.layout.rows > 0 and f.layout.columns > 0]
    groups = _gathered(_grouped(frames))
    sets = [_display_set(series, part) for group in groups for part in _parts(group)]
    sets.sort(key=lambda s: (s.kind == "localizer", -len(s.frames), s.rank, s.frames[0].instance_number or 0))
    return tuple(sets)


class _Grids:
    """Groups by what has to be equal: size, colour, frame of reference exactly; orientation and spacing
    within tolerance.
    """

    def __init__(self) -> None:
        self.groups: dict[tuple[object, ...], Frames] = {}
        self._known: dict[tuple[object, ...], list[tuple[tuple[object, ...], tuple[float, ...]]]]
        self._known = defaultdict(list)
        self._seen: dict[tuple[object, ...], tuple[object, ...]] = {}

    def add(self, frame: FrameHeader) -> None:
        self.groups.setdefault(self._key(frame), []).append(frame)

    def _key(self, frame: FrameHeader) -> tuple[object, ...]:
        plane = frame.plane
        exact = (frame.grid, frame.frame_of_reference_uid, frame.is_localizer, plane is not None)
        if plane is None:
            return (*exact, frame.sop_instance_uid if _stands_alone(frame) else "")
        axes = (*plane.row, *plane.column, *plane.spacing)
        if (*exact, *axes) not in self._seen:
            self._seen[*exact, *axes] = self._alike(exact, axes)
        return self._seen[*exact, *axes]

    def _alike(self, exact: tuple[object, ...], axes: tuple[float, ...]) -> tuple[object, ...]:
        known = self._known[exact]
        if known:
            others = np.array([other for _, other in known])
            off = np.abs(others - axes)
            off[:, 6:] /= others[:, 6:]
            near = np.flatnonzero((off <= PARALLEL).all(axis=1))
            if near.size:
                return known[int(near[0])][0]
        key = (*exact, len(known))
        known.append((key, axes))
        return key


def _grouped(frames: Frames) -> list[Frames]:
    grids = _Grids()
    for frame in frames:
        grids.add(frame)
    return list(grids.groups.values())


def _gathered(groups: list[Frames]) -> list[Frames]:
    """Images that each have an angle of their own (radial slabs, turning projections) become one stack."""
    alone: dict[tuple[object, ...], list[Frames]] = defaultdict(list)
    for group in groups:
        first = group[0]
        if len(group) == 1 and first.plane is not None and not first.is_localizer:
            alone[first.grid, first.frame_of_reference_uid].append(group)
    turning = [g for g in alone.values() if len(g) >= TURNING and len(g) * 2 > len(groups)]
    taken = {id(group) for gathered in turning for group in gathered}
    together = [[group[0] for group in gathered] for gathered in turning]
    return [g for g in groups if id(g) not in taken] + together


def _parts(group: Frames) -> list[Part]:
    return [Part(group)] if _turns(group) else split(group)


def _turns(frames: Frames) -> bool:
    """Whether the images have no common orientation."""
    first = frames[0].plane
    return first is not None and any(
        f.plane is not None and not f.plane.is_parallel_to(first, 3 * PARALLEL) for f in frames
    )


def _stands_alone(frame: FrameHeader) -> bool:
    """Images without a place in the patient are shown one by one (each CR view, each ultrasound loop is its
    own).
    """
    return frame.frames_of_instance > 1 or frame.modality not in ("CT", "MR", "PT", "NM")


def _display_set(series: SeriesManifest, part: Part) -> DisplaySet:
    ordered, findings = _ordered(part)
    geometry, refusal = _geometry(ordered)
    findings = [*findings, *spacing_findings(ordered, geometry), *other_findings(ordered)]
    return DisplaySet(
        uid=f"{series.series_uid}:{_identity(part)}",
        series_uid=series.series_uid,
        series_number=series.number,
        description=series.description,
        modality=series.modality,
        kind="cine" if part.cine else _kind(ordered, geometry, refusal),
        frames=tuple(ordered),
        geometry=geometry,
        findings=tuple(findings),
        reformat_refusal=refusal,
        label=part.label,
        rank=part.rank,
        of=part.of,
        body_part=series.body_part,
        laterality=series.laterality,
    )


def _ordered(part: Part) -> tuple[Frames, list[Finding]]:
    if part.cine:
        return part.frames, []
    if _turns(part.frames):
        told = "Each image has an orientation of its own: shown in their own order."
        return sorted(part.frames, key=lambda f: f.own_order), [Finding(FindingKind.TURNING, told)]
    return sort_frames(part.frames)


def _identity(part: Part) -> str:
    """The same name for the same group of images however many of them have come."""
    frame = part.frames[0]
    plane = None if _turns(part.frames) else frame.plane
    axes = tuple(round(v, 2) + 0.0 for v in (*plane.row, *plane.column, *plane.spacing)) if plane else ()
    alone = frame.sop_instance_uid if frame.plane is None and _stands_alone(frame) else ""
    rank = part.rank or ""
    parts = (frame.grid, frame.frame_of_reference_uid, frame.is_localizer, axes, alone, rank)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _geometry(ordered: Frames) -> tuple[VolumeGeometry | None, str]:
    planes: list[PlaneGeometry] = [f.plane for f in ordered if f.plane is not None]
    if len(planes) != len(ordered):
        return None, "the images have no place in the patient"
    try:
        geometry = VolumeGeometry.from_planes(planes)
    except GeometryError as error:
        return None, str(error)
    if len(planes) < 3:
        return geometry, "too few images for a reformat"
    return geometry, "colour images are not reformatted" if ordered[0].layout.is_colour else ""


def _kind(ordered: Frames, geometry: VolumeGeometry | None, refusal: str) -> str:
    if ordered[0].is_localizer:
        return "localizer"
    if len(ordered) == 1:
        return "single"
    if geometry is not None and not refusal:
        return "volume"
    one_object = len({f.sop_instance_uid for f in ordered}) == 1
    return "cine" if one_object and ordered[0].plane is None else "stack"
