"""Images in the order they are scrolled, and what is found on the way: repeats, gaps, tilt, mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from workstation.imaging.dimensions import SAME_PLACE_MM
from workstation.imaging.findings import Finding, FindingKind, plural
from workstation.imaging.geometry import VolumeGeometry, plane_name
from workstation.imaging.headers import FrameHeader

TILT_DEGREES = 0.5


def sort_frames(frames: Sequence[FrameHeader]) -> tuple[list[FrameHeader], list[Finding]]:
    """In patient space along the normal, numbering ascending; repeats of one place are dropped and told."""
    own = sorted(frames, key=lambda f: f.own_order)
    first = own[0].plane
    if first is None or any(f.plane is None for f in own):
        return own, _why_unsorted(own)
    places = {id(f): f.plane.depth_along(first.normal) for f in own if f.plane}
    ordered = sorted(own, key=lambda f: places[id(f)])
    ranks = {id(f): n for n, f in enumerate(own)}
    rising = sum(1 if ranks[id(b)] > ranks[id(a)] else -1 for a, b in pairwise(ordered))
    if rising < 0:
        ordered.reverse()
    return _without_repeats(ordered, places)


def _why_unsorted(frames: Sequence[FrameHeader]) -> list[Finding]:
    without = [f for f in frames if f.plane is None]
    whys = sorted({f.why_no_plane for f in without if f.why_no_plane})
    return [Finding(FindingKind.UNSORTED, f"Not sorted in space: {why}.", len(without)) for why in whys]


def _without_repeats(
    ordered: list[FrameHeader], places: dict[int, float]
) -> tuple[list[FrameHeader], list[Finding]]:
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
        return sorted(ordered, key=lambda f: f.own_order), _overlapping(ordered, len(repeats))
    words = ", ".join(number_of(f) for f in repeats[:5]) + (", …" if len(repeats) > 5 else "")
    one = len(repeats) == 1
    where = "image lies where another one lies and is" if one else "images lie where others lie and are"
    told = f"{len(repeats)} {where} left out: {words}."
    return kept, [Finding(FindingKind.REPEATED, told, len(repeats))]


def _overlapping(frames: Sequence[FrameHeader], count: int) -> list[Finding]:
    """Localizers cross each other and single views repeat each other; that is no news."""
    if frames[0].is_localizer:
        return []
    where = "image lies where another one lies" if count == 1 else "images lie where others lie"
    return [Finding(FindingKind.OVERLAPPING, f"{count} {where}: shown in their own order.", count)]


def number_of(frame: FrameHeader) -> str:
    """How people find the image again: its number, of a multi-frame object the frame's."""
    if frame.frames_of_instance > 1:
        return f"frame {frame.frame}"
    return f"no. {frame.instance_number}" if frame.instance_number is not None else frame.sop_instance_uid


def spacing_findings(ordered: Sequence[FrameHeader], geometry: VolumeGeometry | None) -> list[Finding]:
    """Gaps, missing slices and tilt."""
    if geometry is None or len(ordered) < 3:
        return []
    first = ordered[0].plane
    depths = [f.plane.depth_along(first.normal) for f in ordered if f.plane and first]
    gaps = [abs(b - a) for a, b in pairwise(depths)]
    usual = median(gaps)
    found = [] if ordered[0].modality == "SEG" else _unequal(ordered, gaps, usual)
    found += _tilt(ordered, geometry)
    thickness = ordered[0].thickness
    if thickness and usual > 1.1 * thickness + 0.01 and not found:
        words = f"Gap between slices: {thickness:g} mm thick, {usual:.2f} mm apart."
        found.append(Finding(FindingKind.GAP, words))
    return found


def _tilt(ordered: Sequence[FrameHeader], geometry: VolumeGeometry) -> list[Finding]:
    shear = geometry.shear_degrees
    if shear > TILT_DEGREES:
        words = f"Gantry tilt of {shear:.1f}°: positions are sheared, reformats are set right."
        return [Finding(FindingKind.TILT, words)]
    said = ordered[0].gantry_tilt or 0.0
    if abs(said) > TILT_DEGREES and plane_name(geometry.normal) == "axial":
        words = f"The file says a gantry tilt of {said:g}°, its positions show none: lengths along the table"
        return [Finding(FindingKind.TILT_CONTRADICTED, f"{words} may be wrong.")]
    return []


def _unequal(ordered: Sequence[FrameHeader], gaps: list[float], usual: float) -> list[Finding]:
    wide = [n for n, gap in enumerate(gaps) if gap > usual * 1.05 + 0.02]
    narrow = [gap for gap in gaps if gap < usual * 0.95 - 0.02]
    missing = [n for n in wide if abs(gaps[n] / usual - round(gaps[n] / usual)) < 0.05]
    if wide and len(missing) == len(wide) and not narrow:
        count = sum(round(gaps[n] / usual) - 1 for n in missing)
        after = ", ".join(number_of(ordered[n]) for n in missing[:5]) + (", …" if len(missing) > 5 else "")
        if count > len(ordered):
            words = f"The slices lie in {len(missing) + 1} groups, up to {max(gaps):.0f} mm apart"
            return [Finding(FindingKind.UNEQUAL, f"{words} (after {after}): reformats interpolate across.")]
        words = f"{plural(count, 'slice')} missing after {after}: reformats interpolate across."
        return [Finding(FindingKind.MISSING, words, count)]
    if wide or narrow:
        words = f"Slices are unequally spaced: {min(gaps):.2f} to {max(gaps):.2f} mm."
        return [Finding(FindingKind.UNEQUAL, words)]
    return []


def other_findings(ordered: Sequence[FrameHeader]) -> list[Finding]:
    """Frames that were promised and are not there, mixed encodings, lossy compression, odd bits."""
    found = [*_frames_missing(ordered), *_contradictions(ordered)]
    syntaxes = {f.locator.transfer_syntax for f in ordered}
    if len(syntaxes) > 1:
        words = f"Mixed transfer syntaxes: {len(syntaxes)} of them."
        found.append(Finding(FindingKind.MIXED_SYNTAXES, words))
    lossy = sum(f.lossy for f in ordered)
    if lossy:
        words = "Lossy compression." if lossy == len(ordered) else f"Lossy compression of {lossy} images."
        found.append(Finding(FindingKind.LOSSY, words, lossy))
    if ordered[0].modality not in ("PT", "NM") and len({f.modality_lut for f in ordered}) > 1:
        words = "Rescale differs from slice to slice; values are brought to one scale."
        found.append(Finding(FindingKind.MIXED_RESCALE, words))
    return found


def _frames_missing(ordered: Sequence[FrameHeader]) -> list[Finding]:
    short = {f.sop_instance_uid: f for f in ordered if f.frames_promised > f.frames_of_instance}
    return [
        Finding(
            FindingKind.FRAMES_MISSING,
            f"The file ends early: {plural(f.frames_of_instance, 'frame')} of {f.frames_promised}"
            f" {'is' if f.frames_of_instance == 1 else 'are'} there and can be shown.",
            f.frames_promised - f.frames_of_instance,
        )
        for f in short.values()
    ]


def _contradictions(ordered: Sequence[FrameHeader]) -> list[Finding]:
    told: dict[str, int] = {}
    for frame in ordered:
        for note in frame.warnings:
            told[note] = told.get(note, 0) + 1
    return [Finding(FindingKind.CONTRADICTION, f"{note}.", count) for note, count in told.items()]
