"""Reading words, types and numbers out of a header, for what a series means."""

from __future__ import annotations

import re
from functools import lru_cache

from workstation.imaging.headers import FrameHeader
from workstation.imaging.values import number


@lru_cache(maxsize=256)
def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])")


def has(said: str, pattern: str) -> bool:
    """Whether a spoken text has one of the words (alternatives of a regular expression), each whole."""
    return _words(pattern).search(said) is not None


def types_of(first: FrameHeader) -> frozenset[str]:
    """The values of Image Type (0008,0008) or Frame Type (0008,9007), which some write as one value."""
    given = (*first.image_type, *_listed(first, "ImageType"))
    return frozenset(value.strip().upper() for one in given for value in one.split("\\"))


def number_of(first: FrameHeader, keyword: str) -> float | None:
    """A number of the header; None where it has none."""
    return number(first.attributes.get(keyword))


def text_of(first: FrameHeader, keyword: str) -> str:
    """A text of the header, several values joined by backslashes."""
    return "\\".join(_listed(first, keyword))


def _listed(first: FrameHeader, keyword: str) -> tuple[str, ...]:
    given = first.attributes.get(keyword)
    return tuple(str(v) for v in given) if isinstance(given, list | tuple) else (str(given),) if given else ()
