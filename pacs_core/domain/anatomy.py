"""Body regions and sides in the words of orders and headers (PS3.16 Annex L), for priors and for hanging.

Words are looked for at their beginnings, without case, accents or separators; German and Dutch ones that
scanners write are among them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pacs_core.domain.matching import folded_name

TRUNK = frozenset({"chest", "abdomen", "pelvis"})
WHOLE = frozenset({"whole body", "head", "neck", *TRUNK})

MARKS: tuple[tuple[frozenset[str], str], ...] = (
    (WHOLE, r"whole ?body|skull base to|eyes to thigh|wholebody|ganzkorper"),
    (frozenset({"chest", "abdomen", "pelvis"}), r"chest to pelvis|cap\b|polytrauma"),
    (frozenset({"chest", "abdomen"}), r"chestabdomen"),
    (frozenset({"abdomen", "pelvis"}), r"abdomenpelvis|abdominopelvic"),
    (frozenset({"spine", "cervical spine"}), r"cervical|c ?spine|hws\b"),
    (frozenset({"spine", "thoracic spine"}), r"thoracic spine|t ?spine|bws\b|dorsal spine"),
    (frozenset({"spine", "lumbar spine"}), r"lumb|l ?spine|lws\b|lendenwirbel"),
    (frozenset({"spine"}), r"spin(e|al)\b|vertebra|wirbels"),
    (
        frozenset({"chest"}),
        r"chest|thora(x|ces)|thoracic(?! spine)|lung|pulmon|cxr\b|ctpa\b|mediastin|ribs?\b",
    ),
    (
        frozenset({"abdomen"}),
        r"abd|liver|hepat|kidney|renal\b|pancrea|spleen|bowel|biliar|kub\b|urogra|oberbauch",
    ),
    (frozenset({"pelvis", "prostate"}), r"prosta"),
    (frozenset({"pelvis"}), r"pelvi|pel\b|becken|bladder|uter(us|ine)|ovar|sacr"),
    (frozenset({"head"}), r"head|brain|skull|crani|cerebr|intracran|schad|schaed|kopf|neuro|orbit|pituit"),
    (frozenset({"head", "teeth"}), r"teeth|dental|panoram|mandib|\bopg\b"),
    (frozenset({"neck"}), r"neck|hals|thyroid|laryn|carotid"),
    (frozenset({"breast"}), r"breast|mamm[ao]"),
    (frozenset({"heart"}), r"heart|cardia|coronar|echocard|stress echo|cath\b|murmur|herz|ventric"),
    (frozenset({"hip", "pelvis"}), r"hips?\b|huft|hueft"),
    (frozenset({"knee"}), r"knee|knie|patell"),
    (frozenset({"leg"}), r"legs?\b|femur|thigh|tibia|fibul|calf|unterschenkel|oberschenkel"),
    (frozenset({"ankle", "foot"}), r"ankle"),
    (frozenset({"foot"}), r"foot|feet|toes?\b|calcan|fuss\b"),
    (frozenset({"shoulder"}), r"shoulder|clavic|scapul|schulter"),
    (frozenset({"arm"}), r"arms?\b|forearm|humer|radius|ulna|elbow|ellbog"),
    (frozenset({"hand", "wrist"}), r"wrist|carpal|scaphoid|handgelenk"),
    (frozenset({"hand"}), r"hands?\b|finger|thumb"),
    (frozenset({"limb"}), r"extremit|limb"),
)
_MARKED = tuple((names, re.compile(rf"(?<![a-z])(?:{marks})")) for names, marks in MARKS)
# a single letter is a side at either end only ("r cc", "knee l"): "r/o" is not one
_LEFT = re.compile(r"(?<![a-z])(?:left|links?|lt|li)(?![a-z])|^[^a-z]*l(?![a-z])|(?<![a-z])l$")
_RIGHT = re.compile(r"(?<![a-z])(?:right|rechts?|rt|re)(?![a-z])|^[^a-z]*r(?![a-z])|(?<![a-z])r$")
_BOTH = re.compile(r"(?<![a-z])(?:both|bilat\w*|bds|beidseit\w*)(?![a-z])")

REGIONS = frozenset().union(*(names for names, _ in MARKS))


@lru_cache(maxsize=4096)
def spoken(text: str) -> str:
    """A text as its words are looked for: folded, every separator a blank."""
    return " ".join(re.sub(r"[^a-z0-9+*]+", " ", folded_name(text)).split())


@lru_cache(maxsize=4096)
def regions(text: str) -> frozenset[str]:
    """The regions a text names; empty where it names none."""
    words = spoken(text)
    return frozenset().union(*(names for names, mark in _MARKED if mark.search(words)))


NEIGHBOURS = tuple(
    frozenset(pair.split("-")) for pair in ("head-neck", "neck-chest", "chest-abdomen", "abdomen-pelvis")
)
"""Regions of which one is seen at the edge of the other."""


def adjoin(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether a region of one lies beside a region of the other."""
    return any(frozenset({a, b}) in NEIGHBOURS for a in one for b in other)


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """How much of one's regions the other has: 0 nothing, 1 all of them."""
    return len(one & other) / len(one) if one else 0.0


@lru_cache(maxsize=4096)
def side(text: str) -> str:
    """L, R or B (PS3.3 C.7.3.1.1.2) as a text names it; empty where it names none, B where it names two."""
    words = spoken(text)
    left, right = bool(_LEFT.search(words)), bool(_RIGHT.search(words))
    if _BOTH.search(words) or (left and right):
        return "B"
    return "L" if left else "R" if right else ""
