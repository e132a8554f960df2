"""What a series means: plane, weighting, kernel, contrast, view and so on, from its headers, and from its
description where they are silent. Pure; hanging protocols ask by these names.

Every fact is a word of `VOCABULARY`, empty where nothing says it; a header that decides wins over words.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from pacs_core.domain.anatomy import regions, side, spoken
from workstation.imaging import meaning_ct, meaning_mr, meaning_views
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.headers import FrameHeader
from workstation.imaging.meaning_words import has, number_of, text_of, types_of

THIN_MM, THICK_MM = 1.5, 3.5
SIDES = {"L": "left", "R": "right", "B": "both"}
WITH = r"\+ ?c|ce|contrast|km|post|gad(ol)?\w*|gd|c ?\+|with|w|arterial|art|portal|venous|pv"
WITHOUT = r"nativ\w*|native|without|wo|w o|ohne|pre|noncon\w*|plain|unenhanced|non contrast"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The facts of a display set, each a word; `b` is the diffusion weighting in s/mm².

    `use` is image, localizer or document (screen captures, dose reports); `frames` is volume, stack, single
    or cine; `body_part` may be several regions.
    """

    modality: str = ""
    use: str = "image"
    frames: str = ""
    plane: str = ""
    side: str = ""
    view: str = ""
    weighting: str = ""
    diffusion: str = ""
    fat: str = ""
    contrast: str = ""
    phase: str = ""
    kernel: str = ""
    made: str = ""
    projection: str = ""
    correction: str = ""
    thickness: str = ""
    body_part: frozenset[str] = frozenset()
    b: float | None = None

    def says(self, fact: str) -> frozenset[str]:
        """The words of one fact; an empty one where nothing says it."""
        value = getattr(self, fact)
        return value or frozenset({""}) if isinstance(value, frozenset) else frozenset({value})

    @property
    def words(self) -> tuple[str, ...]:
        """What tells it from others, for the reader, in the order a reader says it."""
        if self.use != "image":
            return tuple(word for word in (self.use, self.plane) if word)
        named = (self.side, self.view, self.plane, self.weighting)
        b = f"b {self.b:g}" if self.b is not None else self.diffusion
        fat = "fat suppressed" if self.fat == "suppressed" else ""
        kernel = f"{self.kernel} kernel" if self.kernel else ""
        contrast = f"{self.contrast} contrast" if self.contrast else ""
        told = (*named, b, fat, self.phase, contrast, kernel, self.correction, self.projection)
        made = "reformatted" if self.made == "reformatted" and not self.projection else ""
        return tuple(word for word in (*told, made) if word)


FACTS = tuple(field.name for field in fields(Meaning) if field.name != "b")
VOCABULARY: dict[str, frozenset[str]] = {
    "use": frozenset({"image", "localizer", "document"}),
    "frames": frozenset({"volume", "stack", "single", "cine", "localizer"}),
    "plane": frozenset({"axial", "coronal", "sagittal"}),
    "side": frozenset({"left", "right", "both"}),
    "view": meaning_views.VIEWS,
    "weighting": meaning_mr.WEIGHTINGS,
    "diffusion": meaning_mr.DIFFUSION,
    "fat": frozenset({"suppressed"}),
    "contrast": frozenset({"with", "without"}),
    "phase": meaning_ct.PHASES | meaning_mr.PHASES,
    "kernel": frozenset(meaning_ct.KERNELS),
    "made": frozenset({"original", "reformatted"}),
    "projection": frozenset({"MIP", "MinIP"}),
    "correction": frozenset({"corrected", "uncorrected"}),
    "thickness": frozenset({"thin", "medium", "thick"}),
}
"""The words each fact may have; modality and body part are free."""


def meaning_of(shown: DisplaySet) -> Meaning:
    """What a display set means."""
    first = shown.frames[0]
    said = spoken(f"{shown.description} {first.attributes.get('ProtocolName') or ''}")
    own = spoken(shown.description)
    plane = shown.orientation.split(" ", maxsplit=1)[0]
    types = types_of(first)
    is_mr, is_ct = shown.modality == "MR", shown.modality == "CT"
    diffusion, b = meaning_mr.diffusion(first, types, own) if is_mr else ("", None)
    weighting = meaning_mr.weighting(first, types, said, own) if is_mr else ""
    return Meaning(
        modality=shown.modality,
        use=_use(shown, types, own),
        frames=shown.kind,
        plane=plane,
        side=_side(shown, first, own),
        view=meaning_views.view(shown, own),
        weighting=weighting,
        diffusion=diffusion if weighting == "DWI" else "",
        b=b if weighting == "DWI" else None,
        fat="suppressed" if is_mr and meaning_mr.is_fat_suppressed(first, own) else "",
        contrast=_contrast(first, said) if is_ct or is_mr else "",
        phase=meaning_ct.phase(own) if is_ct else meaning_mr.phase(weighting, own) if is_mr else "",
        kernel=meaning_ct.kernel(first, own) if is_ct else "",
        made=_made(types, own, is_ct and plane not in ("", "axial")),
        projection=_projection(types, own),
        correction=_correction(first, own) if shown.modality == "PT" else "",
        thickness=_thickness(first),
        body_part=regions(shown.body_part) or regions(shown.description),
    )


def _use(shown: DisplaySet, types: frozenset[str], own: str) -> str:
    scouts = r"scout|topo\w*|localis\w*|localiz\w*|survey|surview|scanogram|3 ?plane|aahead\w*"
    if shown.kind == "localizer" or "LOCALIZER" in types or has(own, scouts):
        return "localizer"
    if shown.modality in ("OT", "DOC", "SR") or types & {"SCREEN SAVE", "CSA REPORT", "DOSE_INFO"}:
        return "document"
    return "document" if has(own, r"dose (report|info)|patient protocol|screen ?save\w*") else "image"


def _side(shown: DisplaySet, first: FrameHeader, own: str) -> str:
    tagged = (first.laterality or shown.laterality).upper()
    return SIDES.get(tagged) or SIDES.get(side(own), "")


def _contrast(first: FrameHeader, said: str) -> str:
    agent = spoken(str(first.attributes.get("ContrastBolusAgent") or ""))
    if agent and not has(agent, r"no|none|without"):
        return "with"
    if has(said, WITHOUT):
        return "without"
    return "with" if has(said, WITH) else ""


def _made(types: frozenset[str], own: str, off_axis: bool) -> str:
    if types & {"MPR", "REFORMATTED", "CURVED"} or off_axis or has(own, r"mpr|reformat\w*"):
        return "reformatted"
    return "original" if "ORIGINAL" in types else ""


def _projection(types: frozenset[str], own: str) -> str:
    if "MIN_IP" in types or has(own, r"min ?ip"):
        return "MinIP"
    return "MIP" if "MIP" in types or has(own, r"mip|mips") else ""


def _correction(first: FrameHeader, own: str) -> str:
    """Corrected for attenuation or not, by its words, else by Corrected Image (0028,0051): there are scanners
    that write ATTN into both reconstructions.
    """
    if has(own, r"nac|n a c|uncorrected|non ?ac|no ?ac"):
        return "uncorrected"
    made = text_of(first, "CorrectedImage").split("\\")
    return "corrected" if "ATTN" in made or has(own, r"ac|corrected") else "uncorrected"


def _thickness(first: FrameHeader) -> str:
    mm = first.thickness or number_of(first, "SpacingBetweenSlices")
    if not mm or first.plane is None:
        return ""
    return "thin" if mm <= THIN_MM else "thick" if mm > THICK_MM else "medium"
