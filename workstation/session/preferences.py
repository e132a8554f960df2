"""What a person chose: theme, text size, columns, layout. A small JSON file of the workstation's own."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

log = logging.getLogger("reading_room.view")


@dataclass
class Preferences:
    """Kept between starts; every field has a value that works."""

    theme: str = "dark"
    text_scale: int = 100
    reduced_motion: bool = False
    language: str = "en"
    idle_lock_minutes: int = 15
    image_memory_mib: int = 0
    last_user: str = ""
    microphone: str = ""
    sound_file: str = ""
    speech_model: str = ""
    columns: dict[str, dict[str, int]] = field(default_factory=dict)
    window: dict[str, int] = field(default_factory=dict)
    report_width: int = 420
    open_next_after_sign: bool = True
    core_on_close: str = ""
    path: Path | None = None

    @classmethod
    def load(cls, path: Path | None) -> Preferences:
        """Read the file; what is missing or unreadable in it is as new."""
        known = {f.name for f in fields(cls)} - {"path"}
        values: dict[str, Any] = {}
        if path is not None and path.is_file():
            try:
                values = json.loads(path.read_text("utf-8"))
            except (OSError, ValueError):
                log.warning("the preferences could not be read; they start anew")
        answer = cls(path=path)
        for name, value in values.items() if isinstance(values, dict) else ():
            if name in known and isinstance(value, type(getattr(answer, name))):
                setattr(answer, name, value)
        answer.text_scale = min(200, max(80, answer.text_scale))
        return answer

    def save(self) -> None:
        """Write the file whole, then put it in place."""
        if self.path is None:
            return
        values = {name: value for name, value in asdict(self).items() if name != "path"}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(values, indent=1, ensure_ascii=False), "utf-8")
        fresh.replace(self.path)
