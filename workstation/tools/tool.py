"""What a tool is: strokes in, changes out. It keeps the stroke under way, nothing of the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pacs_core.domain.identifiers import new_uid
from pacs_core.domain.measurement import Measurement, Quantity
from workstation.imaging.geometry import Vector
from workstation.imaging.headers import FrameHeader
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.session.view_state import ViewState
from workstation.tools.planes import scrolled


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is: `point` in the frame's coordinates (patient mm), `x`, `y` in viewport pixels."""

    point: Vector
    x: float
    y: float
    button: str = "left"
    modifiers: frozenset[str] = frozenset()

    @classmethod
    def at(cls, frame: ViewFrame, x: float, y: float, button: str = "left", *modifiers: str) -> Pointer:
        """The pointer at a viewport position of a frame."""
        return cls(frame.patient(x, y), x, y, button, frozenset(modifiers))


@dataclass(frozen=True, slots=True)
class Scene:
    """What the cell shows under the stroke. `study_uid`, `author` go into new measurements."""

    view: ViewState
    frame: ViewFrame
    volume: Volume
    measurements: tuple[Measurement, ...] = ()
    study_uid: str = ""
    author: str = ""

    @property
    def header(self) -> FrameHeader | None:
        """The image's own header, None for a reformat."""
        return self.volume.header(self.frame.index) if self.frame.acquired else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What the stroke asks for: a new view, a measurement (`done` to keep it), a crosshair, words. Empty:
    nothing.
    """

    view: ViewState | None = None
    measurement: Measurement | None = None
    done: bool = False
    crosshair: Vector | None = None
    message: str = ""

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Effect()


class Tool(Protocol):
    """A pointer tool. Every call gets the scene as it is painted now and answers what should change."""

    name: str

    def press(self, at: Pointer, scene: Scene) -> Effect: ...

    def drag(self, at: Pointer, scene: Scene) -> Effect: ...

    def release(self, at: Pointer, scene: Scene) -> Effect: ...

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect: ...

    def cancel(self) -> None:
        """Forget the stroke under way (Escape)."""
        ...


def scrolled_by(steps: int, scene: Scene) -> Effect:
    """The effect of so many wheel steps; nothing at the end of the series."""
    moved = scrolled(scene.view, scene.volume, steps)
    return NOTHING if moved == scene.view else Effect(view=moved)


class ScrollingTool:
    """What most tools share: the wheel scrolls, and a stroke that is not theirs changes nothing."""

    name = ""

    def press(self, at: Pointer, scene: Scene) -> Effect:
        return NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        return NOTHING

    def release(self, at: Pointer, scene: Scene) -> Effect:
        return NOTHING

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        return scrolled_by(steps, scene)

    def cancel(self) -> None:
        """Nothing is under way."""


def measurement(
    scene: Scene,
    kind: str,
    points: tuple[Vector, ...],
    quantities: tuple[Quantity, ...],
    refusal: str = "",
    tracking_uid: str = "",
) -> Measurement:
    """A measurement on what the scene shows, stamped with author and instant (UTC)."""
    frame = scene.frame
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    source = scene.header
    return Measurement(
        tracking_uid=tracking_uid or new_uid(),
        kind=kind,
        study_uid=scene.study_uid or frame.study_uid,
        series_uid=frame.series_uid,
        instance_uid=source.sop_instance_uid if source else "",
        frame=source.frame if source else 1,
        points=points,
        quantities=quantities,
        frame_of_reference_uid=frame.frame_of_reference_uid,
        in_pixels=not frame.in_patient,
        refusal=refusal,
        series_number=frame.series_number,
        instance_number=source.instance_number if source else None,
        author=scene.author,
        made_at=now,
        changed_at=now,
    )
