"""A series as the reader sees it: sorted in patient space, split where images do not belong together,
faults in words.

Sorting is by position along the common normal, turned so that the modality's own numbering ascends. Images
that cannot share a stack (other orientation, size, colour, frame of reference, echo, b-value or time)
become display sets of their own; localizers stay apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pacs_core.archive.models import SeriesManifest
from workstation.imaging.geometry import GeometryError, PlaneGeometry, VolumeGeometry, dot, plane_name
from workstation.imaging.headers import FrameHeader, frame_headers

PARALLEL = 1e-3
SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class DisplaySet:
    """Frames that scroll as one.

    `kind` is "volume" (one grid, can be reformatted), "stack" (scrolls, no grid), "single", "cine" (frames
    of time) or "localizer". `problems` tells the reader, in sentences, what is missing, repeated, unequal
    or unusable; `badges` the same in a word or two, for the corner of a picture; `reformat_refusal` why
    there is no MPR, empty where there is one.
    """

    uid: str
    series_uid: str
    series_number: int | None
    description: str
    modality: str
    kind: str
    frames: tuple[FrameHeader, ...]
    geometry: VolumeGeometry | None
    problems: tuple[str, ...]
    reformat_refusal: str
    label: str = ""
    badges: tuple[str, ...] = ()

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
    """Every display set of a series, the largest first, localizers last; none without images."""
    frames = [f for i in series.instances for f in frame_headers(i, series.modality) if f.layout.rows > 0]
    groups: dict[tuple[object, ...], list[FrameHeader]] = defaultdict(list)
    for frame in frames:
        groups[_group_key(frame, groups)].append(frame)
    parts = [part for group in groups.values() for part in _split_in_time(group)]
    sets = [_display_set(series, label, part) for label, part in parts]
    sets.sort(key=lambda s: (s.kind == "localizer", -len(s.frames), s.frames[0].instance_number or 0))
    return tuple(sets)


def _group_key(frame: FrameHeader, known: dict[tuple[object, ...], list[FrameHeader]]) -> tuple[object, ...]:
    """The key of the group this frame belongs to; orientation and spacing by tolerance, the rest exactly."""
    exact = (frame.grid, frame.frame_of_reference_uid, frame.is_localizer, frame.plane is not None)
    if frame.plane is None:
        alone = frame.sop_instance_uid if frame.layout.rows and _stands_alone(frame) else ""
        return (*exact, alone)
    for key, members in known.items():
        other = members[0].plane
        if key[:4] == exact and other is not None and _same_grid(frame.plane, other):
            return key
    return (*exact, len(known))


def _stands_alone(frame: FrameHeader) -> bool:
    """Images without a place in the patient are shown one by one (each CR view, each ultrasound loop is its
    own).
    """
    return frame.frames_of_instance > 1 or frame.modality not in ("CT", "MR", "PT", "NM")


def _same_grid(a: PlaneGeometry, b: PlaneGeometry) -> bool:
    same_spacing = all(abs(x - y) <= 1e-3 * x for x, y in zip(a.spacing, b.spacing, strict=True))
    return same_spacing and a.is_parallel_to(b, PARALLEL)


def _split_in_time(group: list[FrameHeader]) -> list[tuple[str, list[FrameHeader]]]:
    """One part per time point, echo or b-value where every place is taken more than once, else the group as
    it is.
    """
    if group[0].plane is None or len(group) < 4:
        return [("", group)]
    places = Counter(round(f.plane.depth() / SAME_PLACE_MM) for f in group if f.plane)
    depth = max(places.values())
    if depth < 2 or min(places.values()) != depth or len(places) < 2:
        return [("", group)]
    by_time: dict[tuple[float, ...], list[FrameHeader]] = defaultdict(list)
    for frame in group:
        by_time[frame.temporal].append(frame)
    if len(by_time) == depth and all(len(part) == len(places) for part in by_time.values()):
        ordered = [by_time[key] for key in sorted(by_time)]
    else:
        ordered = _by_rank(group)
    return [(f"{n} of {depth}", part) for n, part in enumerate(ordered, 1)]


def _by_rank(group: list[FrameHeader]) -> list[list[FrameHeader]]:
    """Split by the order in which each place was visited, where no attribute tells the times apart."""
    stations: dict[int, list[FrameHeader]] = defaultdict(list)
    for frame in sorted(group, key=_own_order):
        stations[round(frame.plane.depth() / SAME_PLACE_MM) if frame.plane else 0].append(frame)
    return [list(rank) for rank in zip(*stations.values(), strict=True)]


def _own_order(frame: FrameHeader) -> tuple[int, int, str]:
    return (
        (frame.instance_number if frame.instance_number is not None else 1 << 30),
        frame.frame,
        frame.sop_instance_uid,
    )


def _display_set(series: SeriesManifest, label: str, frames: list[FrameHeader]) -> DisplaySet:
    ordered, problems = _sorted(frames)
    geometry, refusal = _geometry(ordered)
    problems = [*problems, *_spacing_problems(ordered, geometry), *_other_problems(ordered)]
    return DisplaySet(
        uid=f"{series.series_uid}:{_identity(ordered[0], label)}",
        series_uid=series.series_uid,
        series_number=series.number,
        description=series.description,
        modality=series.modality,
        kind=_kind(ordered, geometry, refusal),
        frames=tuple(ordered),
        geometry=geometry,
        problems=tuple(problems),
        reformat_refusal=refusal,
        label=label,
        badges=_badges(problems),
    )


def _identity(frame: FrameHeader, label: str) -> str:
    """The same name for the same group of images however many of them have come."""
    plane = frame.plane
    axes = tuple(round(v, 2) + 0.0 for v in (*plane.row, *plane.column, *plane.spacing)) if plane else ()
    alone = frame.sop_instance_uid if plane is None and _stands_alone(frame) else ""
    parts = (
        frame.grid,
        frame.frame_of_reference_uid,
        frame.is_localizer,
        axes,
        alone,
        label.split(" ", maxsplit=1)[0],
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


BADGES = (
    ("left out", "repeats left out"),
    ("missing", "slices missing"),
    ("unequally", "unequal spacing"),
    ("tilt", "tilt"),
    ("Gap", "gaps"),
    ("Not sorted", "not sorted in space"),
    ("their own order", "overlapping"),
    ("Mixed", "mixed compression"),
)


def _badges(problems: Sequence[str]) -> tuple[str, ...]:
    """The short form of what is wrong."""
    return tuple(short for word, short in BADGES if any(word in problem for problem in problems))


def _sorted(frames: list[FrameHeader]) -> tuple[list[FrameHeader], list[str]]:
    """In patient space along the normal, numbering ascending; repeats of one place are dropped and told."""
    own = sorted(frames, key=_own_order)
    first = own[0].plane
    if first is None or any(f.plane is None for f in own):
        return own, _why_unsorted(own)
    normal = first.normal
    places = {id(f): dot(f.plane.origin, normal) for f in own if f.plane}
    ordered = sorted(own, key=lambda f: places[id(f)])
    ranks = {id(f): n for n, f in enumerate(own)}
    rising = sum(1 if ranks[id(b)] > ranks[id(a)] else -1 for a, b in pairwise(ordered))
    if rising < 0:
        ordered.reverse()
    return _without_repeats(ordered, places)


def _why_unsorted(frames: list[FrameHeader]) -> list[str]:
    whys = sorted({f.why_no_plane for f in frames if f.why_no_plane})
    return [f"Not sorted in space: {why}." for why in whys]


def _without_repeats(
    ordered: list[FrameHeader], places: dict[int, float]
) -> tuple[list[FrameHeader], list[str]]:
    kept: list[FrameHeader] = []
    repeats: list[FrameHeader] = []
    for frame in ordered:
        if kept and abs(places[id(frame)] - places[id(kept[-1])]) <= SAME_PLACE_MM:
            repeats.append(frame)
        else:
            kept.append(frame)
    if not repeats:
        return ordered, []
    if len(repeats) > len(kept) // 2:
        return sorted(ordered, key=_own_order), [
            f"{len(repeats)} images lie where others lie: shown in their own order."
        ]
    words = ", ".join(_number(f) for f in repeats[:5])
    what = (
        "image lies where another one lies and is"
        if len(repeats) == 1
        else "images lie where others lie and are"
    )
    return kept, [f"{len(repeats)} {what} left out: {words}."]


def _number(frame: FrameHeader) -> str:
    return f"no. {frame.instance_number}" if frame.instance_number is not None else frame.sop_instance_uid


def _geometry(ordered: list[FrameHeader]) -> tuple[VolumeGeometry | None, str]:
    planes = [f.plane for f in ordered if f.plane is not None]
    if len(planes) != len(ordered):
        return None, "the images have no place in the patient"
    try:
        geometry = VolumeGeometry.from_planes(planes)
    except GeometryError as error:
        return None, str(error)
    if len(planes) < 3:
        return geometry, "too few images for a reformat"
    return geometry, "colour images are not reformatted" if ordered[0].layout.is_colour else ""


def _spacing_problems(ordered: Sequence[FrameHeader], geometry: VolumeGeometry | None) -> list[str]:
    """Gaps, missing slices and tilt, in words."""
    if geometry is None or len(ordered) < 3:
        return []
    first = ordered[0].plane
    depths = [dot(f.plane.origin, first.normal) for f in ordered if f.plane and first]
    gaps = [abs(b - a) for a, b in pairwise(depths)]
    usual = median(gaps)
    found = _gap_words(ordered, gaps, usual)
    if geometry.shear_degrees > 0.5:
        found.append(
            f"Gantry tilt of {geometry.shear_degrees:.1f}°: positions are sheared, reformats are set right."
        )
    thickness = ordered[0].thickness
    if thickness and usual > 1.1 * thickness and not found:
        found.append(f"Gap between slices: {thickness:g} mm thick, {usual:.2f} mm apart.")
    return found


def _gap_words(ordered: Sequence[FrameHeader], gaps: list[float], usual: float) -> list[str]:
    wide = [n for n, gap in enumerate(gaps) if gap > usual * 1.05 + 0.02]
    narrow = [gap for gap in gaps if gap < usual * 0.95 - 0.02]
    missing = [n for n in wide if abs(gaps[n] / usual - round(gaps[n] / usual)) < 0.05]
    if wide and len(missing) == len(wide) and not narrow:
        count = sum(round(gaps[n] / usual) - 1 for n in missing)
        after = ", ".join(_number(ordered[n]) for n in missing[:5])
        return [
            f"{count} slice{'s' if count != 1 else ''} missing after {after}: reformats interpolate across."
        ]
    if wide or narrow:
        return [f"Slices are unequally spaced: {min(gaps):.2f} to {max(gaps):.2f} mm."]
    return []


def _other_problems(ordered: Sequence[FrameHeader]) -> list[str]:
    found = []
    syntaxes = {f.locator.transfer_syntax for f in ordered}
    if len(syntaxes) > 1:
        found.append(f"Mixed transfer syntaxes: {len(syntaxes)} of them.")
    if any(f.lossy for f in ordered):
        found.append("Lossy compression.")
    if len({f.modality_lut for f in ordered}) > 1 and ordered[0].modality not in ("PT", "NM"):
        found.append("Rescale differs from slice to slice; values are brought to one scale.")
    return found


def _kind(ordered: Sequence[FrameHeader], geometry: VolumeGeometry | None, refusal: str) -> str:
    if ordered[0].is_localizer:
        return "localizer"
    if len(ordered) == 1:
        return "single"
    if geometry is not None and not refusal:
        return "volume"
    one_object = len({f.sop_instance_uid for f in ordered}) == 1
    return "cine" if one_object and ordered[0].plane is None else "stack"
