"""Where the data files that come with the program lie: beside the packages, frozen or not."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
TEMPLATE_FOLDER = RESOURCES / "report_templates"
CODE_LISTS = RESOURCES / "code_lists"


@cache
def code_list(name: str) -> dict[str, list[str]]:
    """One of the shipped lists by file name without suffix: key to words."""
    content = json.loads((CODE_LISTS / f"{name}.json").read_text(encoding="utf-8"))
    return {str(key): [str(word) for word in words] for key, words in content["terms"].items()}
