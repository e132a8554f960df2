"""Turning a projection so that a side of the patient lies at a side of the screen (PS3.3 C.7.6.1.1.1)."""

from __future__ import annotations

from workstation.session.view_state import ViewState, screen_to_image

OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
WAYS = tuple((turns, flip) for flip in (False, True) for turns in (0, 2, 1, 3))


def chest_wall_at(edge: str, names: tuple[str, ...], side: str) -> tuple[int, bool] | None:
    """Quarter turns and a flip that bring a breast's chest wall to the left or right edge of the screen, an
    oblique's feet down, a cranio-caudal's medial half down; None where Patient Orientation does not say.
    """
    across = "P" if edge == "right" else "A"
    if len(names) != 2 or not all(name and name[0] in OPPOSITE for name in names):
        return None
    vertical = next((name for name in names if not set(name) & set("AP")), names[1])
    down = "F" if set(vertical) & set("HF") else "R" if side == "left" else "L"
    for turns, flip in WAYS:
        right, below = (_letters(names, turns, flip, *step) for step in ((1.0, 0.0), (0.0, 1.0)))
        if right[:1] == across and down in below:
            return turns, flip
    return None


def _letters(names: tuple[str, ...], turns: int, flip: bool, x: float, y: float) -> str:
    along, over = screen_to_image(ViewState(rotation=turns, flip_horizontal=flip), x, y)
    name = names[0] if abs(along) > abs(over) else names[1]
    return name if along + over > 0 else "".join(OPPOSITE.get(letter, letter) for letter in name)
