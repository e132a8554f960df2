"""Structured reports of any template as a readable tree (PS3.3 C.17.3; PS3.16 for the concepts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.imaging.documents.model import Block, Facts, Node, Table, Tree
from workstation.imaging.documents.reading import facts, items, meaning, number, text, unit, value

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

HEAD = (
    ("Completion", "CompletionFlag"),
    ("Verification", "VerificationFlag"),
    ("Date", "ContentDate"),
    ("Time", "ContentTime"),
    ("Institution", "InstitutionName"),
    ("Manufacturer", "Manufacturer"),
)
TEXTS = {
    "TEXT": "TextValue",
    "PNAME": "PersonName",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "UIDREF": "UID",
}
DEEPEST = 64


def report(data: Dataset) -> tuple[Block, ...]:
    """Head, the tree of its content, and its measurements as a table."""
    root = node(data)
    rows = tuple(_measurements(root))
    head = facts(data, HEAD)
    people = tuple(
        ("Verified by", f"{text(i, 'VerifyingObserverName')} {text(i, 'VerificationDateTime')}".strip())
        for i in items(data, "VerifyingObserverSequence")
    )
    blocks: list[Block] = [Facts((*head.rows, *people)), Tree(root)]
    if rows:
        blocks.append(Table(("Measurement", "Value", "Where"), rows, "Measurements"))
    return tuple(blocks)


def node(item: Dataset, depth: int = 0) -> Node:
    """One content item and all below it, to a depth no report has."""
    kind = text(item, "ValueType")
    below = items(item, "ContentSequence") if depth < DEEPEST else []
    return Node(
        concept=meaning(item, "ConceptNameCodeSequence"),
        value=_value(item, kind),
        relationship=text(item, "RelationshipType").lower(),
        children=tuple(node(child, depth + 1) for child in below),
        references=_references(item),
        kind=kind,
    )


def _value(item: Dataset, kind: str) -> str:
    if kind in TEXTS:
        return text(item, TEXTS[kind])
    if kind == "CODE":
        return meaning(item, "ConceptCodeSequence")
    if kind == "NUM":
        return _number(item)
    if kind in ("SCOORD", "SCOORD3D"):
        points = value(item, "GraphicData")
        count = len(points) // (2 if kind == "SCOORD" else 3) if points is not None else 0
        return f"{text(item, 'GraphicType').lower()} of {count} points"
    if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        return _pointed(item, kind)
    if kind == "TCOORD":
        return text(item, "TemporalRangeType").lower()
    if text(item, "RelationshipType") and value(item, "ReferencedContentItemIdentifier") is not None:
        return f"see item {text(item, 'ReferencedContentItemIdentifier').replace(', ', '.')}"
    return ""


def _number(item: Dataset) -> str:
    for measured in items(item, "MeasuredValueSequence"):
        return f"{text(measured, 'NumericValue')} {unit(measured)}".strip()
    return meaning(item, "NumericValueQualifierCodeSequence") or "not measured"


def _pointed(item: Dataset, kind: str) -> str:
    frames = [f for _uid, f in _references(item) if f]
    name = {"IMAGE": "image", "WAVEFORM": "waveform"}.get(kind, "object")
    return f"{name}, frame {', '.join(map(str, frames))}" if frames else name


def _references(item: Dataset) -> tuple[tuple[str, int], ...]:
    found = []
    for one in items(item, "ReferencedSOPSequence"):
        uid = text(one, "ReferencedSOPInstanceUID")
        if uid:
            found.append((uid, int(number(one, "ReferencedFrameNumber") or 0)))
    return tuple(found)


def _measurements(root: Node) -> list[tuple[str, str, str]]:
    """Numbers with their unit; where they were taken is said by the nearest finding or group above."""
    found: list[tuple[str, str, str]] = []
    _walk(root, "", found)
    return found


WHERE = ("Tracking Identifier", "Finding", "Finding Site")


def _walk(one: Node, where: str, found: list[tuple[str, str, str]]) -> None:
    said = {c.concept: c.value for c in one.children if c.concept in WHERE and c.value}
    own = next((said[name] for name in WHERE if name in said), where)
    for child in one.children:
        if child.kind == "NUM":
            found.append((child.concept, child.value, own))
        _walk(child, own, found)
