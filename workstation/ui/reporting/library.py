"""The report templates, read once for the whole program."""

from __future__ import annotations

from functools import cache

from workstation.reporting.templates import TemplateLibrary


@cache
def template_library() -> TemplateLibrary:
    """The shipped templates; reading them takes a moment, so ask on a thread first."""
    return TemplateLibrary()
