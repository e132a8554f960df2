"""The documents speak of what is there: links lead somewhere, named modules exist."""

import re
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, tracked

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
MODULE = re.compile(r"`((?:pacs_core|workstation|tests|benchmarks)(?:[./]\w+)*(?:\.py|\.c|/)?)`")


def broken_links(document: Path, text: str) -> list[str]:
    """Relative links of a Markdown text that lead nowhere."""
    return [target for target in LINK.findall(text) if not (document.parent / target).exists()]


def absent_modules(text: str) -> list[str]:
    """Modules, packages and files of ours that a text names in back quotes and that do not exist."""
    return [name for name in MODULE.findall(text) if not _exists(name)]


def _exists(name: str) -> bool:
    if "/" in name:
        return (CHECKOUT / name).exists()
    parts = name.removesuffix(".py").split(".")
    tail = [
        CHECKOUT.joinpath(*parts[:cut]) for cut in (len(parts), len(parts) - 1)
    ]  # a module, or a name in it
    return any(path.is_dir() or path.with_suffix(".py").is_file() for path in tail if path != CHECKOUT)


def test_what_is_wrong_would_be_found():
    assert broken_links(CHECKOUT / "README.md", "[a](pyproject.toml) [b](no/such.md)") == ["no/such.md"]
    assert absent_modules("`pacs_core.domain.nothing.here` `pacs_core.domain` `tests/no_such.py`") == [
        "pacs_core.domain.nothing.here",
        "tests/no_such.py",
    ]


@pytest.mark.parametrize("document", tracked("*.md"), ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_a_document_speaks_of_what_is_there(document):
    text = document.read_text(encoding="utf-8")
    assert broken_links(document, text) == []
    assert absent_modules(text) == []
