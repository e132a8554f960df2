"""What this machine and this checkout are: for tests that need something of either."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI", "").lower() == "true"


def missing(what: str) -> NoReturn:
    """Skip the running test because of what this machine lacks; where CI=true, fail it."""
    if IN_CI:
        pytest.fail(f"{what}; nothing is skipped where CI=true", pytrace=False)
    pytest.skip(what, allow_module_level=True)


def tracked(*patterns: str) -> list[Path]:
    """Files under version control (or about to be), by git's patterns."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *patterns]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        missing("this is no git checkout")
    return [
        path for path in sorted(CHECKOUT / name for name in done.stdout.split("\0") if name) if path.is_file()
    ]
