"""Text: a click where the words go; the window asks for them."""

from __future__ import annotations

from workstation.tools.one_point import OnePointTool


class TextTool(OnePointTool):
    """Kept as the place of its first line's beginning; the words are its label."""

    name = "text"
