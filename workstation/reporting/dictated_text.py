"""Fitting dictated words into what stands there: blanks, capitals, full stops, spoken punctuation."""

from __future__ import annotations

import re

from workstation.reporting.shipped import code_list
from workstation.reporting.template_model import FieldKind, TemplateField

_SENTENCE_END = re.compile(r"[.!?]['\")\]]*\s*$")
_MARKS = ((r"full stop", "."), (r"comma", ","), (r"semicolon", ";"), (r"question mark", "?"))
_BREAKS = ((r"new paragraph", "\n\n"), (r"new line", "\n"), (r"next line", "\n"))
_NUMBERS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
}
_UNITS = (
    (r"millimet(?:er|re)s?", "mm"),
    (r"centimet(?:er|re)s?", "cm"),
    (r"millilit(?:er|re)s?", "mL"),
    (r"houn?sfield units?", "HU"),
    (r"per ?cent", "%"),
)


def spoken_forms(text: str) -> str:
    """Spoken punctuation and units as they are written: ``12 by 8 millimeters new line`` → ``12 x 8 mm\\n``.

    ``colon`` stays a bowel, and ``period`` a mark only where a sentence ends.
    """
    text = " ".join(text.split())
    for words, mark in _MARKS:
        text = re.sub(rf"[\s,.;?]*\b{words}\b[,.;?]*", mark, text, flags=re.IGNORECASE)
    text = re.sub(r"[\s,.]*\bperiod\b[,.]*(?=\s*$|\s+(?-i:[A-Z])|\s+new\b)", ".", text, flags=re.IGNORECASE)
    for words, ends in _BREAKS:
        text = re.sub(rf"[\s,]*\b{words}\b[,.;]*\s*", ends, text, flags=re.IGNORECASE)
    text = _units(text)
    return re.sub(
        r"(^|\n)([a-z])", lambda m: m.group(1) + m.group(2).upper() if m.group(1) else m.group(0), text
    )


def _units(text: str) -> str:
    """Numbers with their units as a report has them; words become digits only before a unit."""
    spelled = "|".join(_NUMBERS)
    any_unit = "|".join(words for words, _ in _UNITS)
    text = re.sub(
        rf"\b({spelled})(?=(?:\s+(?:by|point)\s+\S+)*\s+(?:{any_unit})\b)",
        lambda m: str(_NUMBERS[m.group(1).lower()]),
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(
        rf"(?<=\d)\s+by\s+({spelled})\b",
        lambda m: f" by {_NUMBERS[m.group(1).lower()]}",
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"(\d)\s+point\s+(\d)", r"\1.\2", text, flags=re.IGNORECASE)
    text = re.sub(r"(\d)\s*(?:by|times|×)\s*(?=\d)", r"\1 x ", text, flags=re.IGNORECASE)
    for words, unit in _UNITS:
        text = re.sub(rf"(\d)[\s-]*{words}\b", rf"\1 {unit}", text, flags=re.IGNORECASE)
    return text


def fitted(before: str, words: str, after: str) -> str:
    """The words as they are to stand between `before` and `after`, with blanks and capitals of prose."""
    text = spoken_forms(words).strip(" ")
    if not text.strip():
        return text
    if text[0] in ",.;:?!)" or text.startswith("\n"):
        lead = ""
    else:
        lead = "" if not before or before[-1] in " \n\t([/" else " "
        text = _capital(text) if _starts_sentence(before) else _small(text)
    follows = after.lstrip(" ")
    if follows and follows[0] != "\n" and text.endswith(".") and not text.endswith(".."):
        text = text[:-1]  # the sentence goes on behind it
    trail = " " if after and after[0] not in " \n.,;:?!)" else ""
    return f"{lead}{text}{trail}"


def _starts_sentence(before: str) -> bool:
    line = before.rsplit("\n", 1)[-1].rstrip(" ")
    return not line or _SENTENCE_END.search(line) is not None


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _small(text: str) -> str:
    """The first letter small where the recogniser began a sentence that is none; names keep theirs."""
    first = re.match(r"[^\W\d_]+", text)
    if first is None:
        return text
    word = first.group(0)
    names = {name.lower() for name in code_list("proper_names")["names"]}
    if (
        word.lower() in names
        or (len(word) > 1 and word != word.capitalize())
        or (len(word) == 1 and word != "A")
    ):
        return text
    return word[0].lower() + text[1:]


def value_spoken(item: TemplateField, words: str) -> str | None:
    """What a selection or number field makes of the words; None where it can make nothing of them."""
    if item.kind is FieldKind.NUMBER:
        return _number_in(words)
    if item.kind is FieldKind.SELECTION:
        return _choice_in(item.choices, words)
    return None


def _number_in(words: str) -> str | None:
    text = re.sub(r"(\d)\s+point\s+(\d)", r"\1.\2", words.lower())
    if found := re.search(r"-?\d+(?:\.\d+)?", text):
        return found.group(0)
    spoken = [word for word in re.findall(r"[a-z]+", text) if word in _NUMBERS]
    return str(_NUMBERS[spoken[0]]) if spoken else None


def _choice_in(choices: tuple[str, ...], words: str) -> str | None:
    """The one choice that the words name: the whole of it, or its beginning, and no other."""
    said = _plain(words)
    exact = [choice for choice in choices if _plain(choice) == said]
    begun = [c for c in choices if said and f"{_plain(c)} ".startswith(f"{said} ")]
    number = _number_in(words)
    numbered = [c for c in choices if number and re.match(rf"{re.escape(number)}\b", c)]
    named = [choice for choice in choices if f" {_plain(choice)} " in f" {said} "]
    for found in (exact, begun, named, numbered):
        if len(found) == 1:
            return found[0]
    return None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))
