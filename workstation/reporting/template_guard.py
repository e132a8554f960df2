"""What a template may not contain: scripts, remote content, sizes without end. Refused by name.

A template is never shown by a browser here, so nothing in it could run; it is refused all the same, because
it would run elsewhere once it is exported.
"""

from __future__ import annotations

import re

from workstation.reporting.template_model import TemplateRefused

LARGEST_BYTES = 1_000_000
DEEPEST = 64
MOST_FIELDS = 500
MOST_SECTIONS = 200
MOST_CHOICES = 500
MOST_ELEMENTS = 20_000

ACTIVE_ELEMENTS = frozenset(
    "applet audio base canvas embed form frame frameset iframe object portal svg track video".split()
)
"""Elements that load, run or send something."""

_LOADING_ATTRIBUTES = frozenset(
    "action archive background cite classid codebase data formaction href longdesc manifest ping poster "
    "profile src srcdoc srcset usemap xlink:href".split()
)
_SCHEME = re.compile(r"^\s*(?:[a-z][a-z0-9+.\-]*:|//|\\\\)", re.IGNORECASE)
_RUNS = re.compile(r"^(?:javascript|vbscript|data|blob|filesystem):", re.IGNORECASE)
_STYLE_LOADS = re.compile(r"url\s*\(|@import|expression\s*\(|-moz-binding|behavior\s*:", re.IGNORECASE)
_BLANKS = re.compile(r"[\s\x00-\x1f]+")


def check_size(data: bytes, where: str) -> None:
    """Refuse what no template can be."""
    if len(data) > LARGEST_BYTES:
        raise TemplateRefused(f"the file has {len(data)} bytes, a template at most {LARGEST_BYTES}", where)
    if b"\x00" in data:
        raise TemplateRefused("the file is binary, a template is text", where)


def check_element(tag: str, attributes: dict[str, str], where: str) -> None:
    """Refuse an element that loads or runs something, or has an attribute that does."""
    if tag in ACTIVE_ELEMENTS:
        raise TemplateRefused(f"<{tag}> is not allowed in a template", where)
    if tag == "meta" and "http-equiv" in attributes and attributes["http-equiv"].lower() != "content-type":
        raise TemplateRefused(f"<meta http-equiv={attributes['http-equiv']!r}> is not allowed", where)
    for name, value in attributes.items():
        _check_attribute(tag, name, value, where)


def _check_attribute(tag: str, name: str, value: str, where: str) -> None:
    if name.startswith("on"):
        raise TemplateRefused(f"<{tag} {name}=…> is a script", where)
    if name == "style":
        check_style(value, where)
    if name not in _LOADING_ATTRIBUTES:
        return
    address = _BLANKS.sub("", value)  # browsers ignore blanks inside a scheme, so must this
    if _RUNS.match(address):
        raise TemplateRefused(f"<{tag} {name}=…> runs or embeds content ({address[:30]})", where)
    if tag != "a" and _SCHEME.match(address):
        raise TemplateRefused(f"<{tag} {name}=…> loads remote content ({address[:60]})", where)


def check_style(text: str, where: str) -> None:
    """Refuse a style sheet that loads something."""
    if found := _STYLE_LOADS.search(text):
        raise TemplateRefused(f"a style loads content ({found.group(0)})", where)


def check_xml(text: str, where: str) -> None:
    """Refuse declarations by which XML grows or reads other files."""
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise TemplateRefused("the coded content declares entities", where)
