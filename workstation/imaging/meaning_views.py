"""The view of a projection: PA, lateral, CC, MLO and so on, from View Position, View Code or the words."""

from __future__ import annotations

from pacs_core.domain.anatomy import spoken
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.headers import FrameHeader
from workstation.imaging.meaning_words import has, text_of

PROJECTIONS = ("CR", "DX", "RG", "RF", "MG", "PX", "IO", "XA")
BREAST = ("MLO", "CC", "ML", "LM", "XCCL", "LMO")
VIEWS = frozenset({"PA", "AP", "frontal", "lateral", "oblique", "axial", *BREAST})

LATERALS = frozenset({"LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "LLD", "RLD"})
OBLIQUES = frozenset({"LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "OBL", "OBLIQUE"})
SPOKEN: tuple[tuple[str, str], ...] = (
    ("MLO", r"mlo|[lr]mlo|medio ?lateral oblique"),
    ("CC", r"cc|[lr]cc|cranio ?caudal"),
    ("XCCL", r"xccl|exaggerated cranio ?caudal\w*"),
    ("ML", r"ml|medio ?lateral"),
    ("LM", r"lm|latero ?medial"),
)
SPOKEN_BODY: tuple[tuple[str, str], ...] = (
    ("PA", r"pa|postero ?anterior"),
    ("AP", r"ap|antero ?posterior"),
    ("lateral", r"lat|lateral|seitl\w*|ll"),
    ("oblique", r"obl|oblique|lao|rao|lpo|rpo"),
    ("axial", r"axial|sunrise|skyline|merchant|tangential"),
)


def view(shown: DisplaySet, own: str) -> str:
    """One of `VIEWS` for a projection radiograph, empty where nothing says it."""
    first = shown.frames[0]
    if shown.modality not in PROJECTIONS:
        return ""
    table = SPOKEN if shown.modality == "MG" else SPOKEN_BODY
    tagged = text_of(first, "ViewPosition").upper()
    return _tagged(tagged, table) or _spoken(_code(first), table) or _spoken(own, table) or _seen(first)


def _tagged(position: str, table: tuple[tuple[str, str], ...]) -> str:
    """View Position (0018,5101)."""
    if position in VIEWS:
        return position
    if position in LATERALS:
        return "lateral"
    return "oblique" if position in OBLIQUES else _spoken(spoken(position), table)


def _code(first: FrameHeader) -> str:
    """The meaning of the first View Code (0054,0220)."""
    given = first.attributes.get("ViewCodeSequence")
    code = given[0] if isinstance(given, list | tuple) and given else None
    return spoken(str(code.get("meaning", ""))) if isinstance(code, dict) else ""


def _spoken(words: str, table: tuple[tuple[str, str], ...]) -> str:
    return next((name for name, marks in table if has(words, marks)), "") if words else ""


def _seen(first: FrameHeader) -> str:
    """By Patient Orientation (0020,0020): from the front or back, or from a side."""
    along = first.patient_orientation[0][:1] if first.patient_orientation else ""
    if first.modality == "MG" or not along:
        return ""
    return "frontal" if along in "LR" else "lateral" if along in "AP" else ""
