"""docs/pictures: the real program on its demo, driven through the loop on a virtual screen and photographed.

    python3 dev.py pictures [NAME ...]

Nothing is drawn for the pictures: each is what the window shows after the clicks and keys of a reader.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image

from pacs_core.rehearsal.demo import demo_images
from pacs_core.rehearsal.recipe import load_recipe
from pacs_core.rehearsal.sources import demo_resources
from tests.support.desktop import Desktop, NotSeen, Seat, Seen, wait_for
from tests.support.hospital import height

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LANDSCAPE, PORTRAIT = (1800, 1080), (1080, 1720)
LESION = (-88.7, -16.3, -122.5)
ARRIVED_S = 300.0
STILL_S = 90.0
CARET = 60


class Studio:
    """The demo's window on a desktop, with what a photographer does there."""

    def __init__(self, desktop: Desktop, folder: Path, size: tuple[int, int], only: frozenset[str]) -> None:
        self.desktop, self.folder, self.recipe = desktop, folder, load_recipe()
        self.data = desktop.folder / "data"
        log = Path(tempfile.gettempdir()) / "reading-room-pictures.log"
        self.seat = Seat(desktop, ("--demo", "--data", self.data), log)
        self._size, self._only = size, only
        self.towards_head = 1
        paths = demo_images(offline=demo_resources() / "images").files("chest-ct")
        self.slices = [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]

    def resize(self, size: tuple[int, int]) -> None:
        """The window takes another size."""
        self.desktop.resize_window(*size)
        wait_for(lambda: abs(self.seat.frame().width - size[0]) < 8, "the window kept its size")

    def prefer(self, **chosen: object) -> None:
        """Settings of the window before it opens."""
        path = self.data / "workstation" / "preferences.json"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**before, **chosen}), encoding="utf-8")

    def open(self) -> None:
        """Start the program and give its window the size of the pictures."""
        width, height = self._size
        self.prefer(window={"left": 20, "top": 40, "width": width, "height": height})
        self.seat.open()
        self.seat.see("Sign in", "push button", that=lambda s: "enabled" in s.states)

    def sign_in(self) -> None:
        """As the demo's reader."""
        account = self.recipe.reader
        self.seat.fill("User", account.name)
        self.seat.fill("Password", account.password, "password text")
        self.seat.press("Sign in", "push button")
        self.seat.see("Search the worklist", "text")

    def take(self, name: str) -> None:
        """Photograph the window, without its frame, once it has stopped moving."""
        if self._only and name not in self._only:
            return
        self.desktop.move(2, 2)
        box = self.seat.frame()
        last: list[NDArray[np.uint8]] = []

        def still() -> bool:
            last.append(self.desktop.pixels(box))
            return len(last) > 3 and all(alike(last[-1], one) for one in last[-4:-1])

        try:
            wait_for(still, "the window keeps moving", STILL_S)
        except NotSeen:
            print(f"{name}: it still moved", file=sys.stderr)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        path.write_bytes(small(last[-1]))
        print(f"{path.name}: {path.stat().st_size // 1024} kB", file=sys.stderr, flush=True)

    def exam(self, accession: str) -> list[Seen]:
        """Its row in the worklist, all its images there."""
        return self.seat.row(
            accession, that=lambda w: "Scheduled" not in w and not any("arriving" in x for x in w)
        )

    def open_exam(self, accession: str, cells: int = 1) -> None:
        """Double click on the row, wait for that many pictures."""
        self.desktop.key("ctrl+1")
        row = self.exam(accession)
        patient = max((c for c in row if c.box.width and c.name), key=lambda c: c.box.width)
        self.desktop.click(*patient.box.middle, times=2)
        for number in range(1, cells + 1):
            self.cell(number)

    def draw(
        self,
        key: str,
        number: int,
        about: tuple[float, float, float],
        start: tuple[float, float],
        end: tuple[float, float],
    ) -> None:
        """Take a tool and drag it, `start` and `end` in mm right and down of a patient point (LPS mm)."""
        cell = self.cell(number)
        x, y = _on_screen(self, cell, about)
        scale = _pixels_per_mm(self, cell)
        self.desktop.key(key)
        ends = [(x + dx * scale, y + dy * scale) for dx, dy in (start, end)]
        self.desktop.drag(ends[0], ends[1])

    def cell(self, number: int, that: Callable[[Seen], bool] = lambda _s: True) -> Seen:
        """A cell that shows its picture."""
        return self.seat.see(
            f"Cell {number}:",
            begins=True,
            that=lambda s: ("Image" in s.description or " mm" in s.description) and that(s),
            seconds=120.0,
        )


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """The same but for a blinking caret."""
    return one.shape == other.shape and int((one != other).any(axis=2).sum()) <= CARET


def small(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of 256 colours, with as many greys for the images as the room allows."""
    made = b""
    for greys in (64, 56, 48, 40, 32):
        made = min((png(*palettised(pixels, greys), up) for up in (False, True)), key=len)
        if len(made) <= MOST_BYTES:
            break
    return made


def palettised(pixels: NDArray[np.uint8], greys: int) -> tuple[NDArray[np.uint8], bytes]:
    """Indices and their palette: greys for the images, the rest for what else shows."""
    grey = (pixels.max(axis=2) - pixels.min(axis=2)) <= GREYISH
    indices = np.rint(pixels[:, :, 1] * ((greys - 1) / 255)).astype(np.uint8)
    palette = np.repeat(np.linspace(0, 255, greys).astype(np.uint8), 3)
    if not grey.all():
        others = Image.fromarray(pixels[~grey][None, :, :])
        fewer = others.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        indices[~grey] = np.asarray(fewer)[0] + greys
        palette = np.concatenate([palette, np.asarray((fewer.getpalette() or [])[: COLOURS * 3], np.uint8)])
    return indices, palette.tobytes()


def png(indices: NDArray[np.uint8], palette: bytes, up: bool) -> bytes:
    """Filtered by the line above or not at all (PNG 9.2): noise and structure shrink differently."""
    lines = np.diff(indices, axis=0, prepend=np.uint8(0)) if up else indices
    body = np.insert(lines, 0, 2 if up else 0, axis=1).tobytes()
    height, width = indices.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(body, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


GREYISH, COLOURS, MOST_BYTES = 1, 192, 250_000


# ── the pictures, in the order in which the loop goes ──


def sign_in(studio: Studio) -> None:
    """The door."""
    studio.take("sign-in")


def worklist(studio: Studio) -> None:
    """What is to be read, one study of it still arriving."""
    studio.sign_in()
    exam = studio.recipe.exam("lindstrom-ct")
    studio.exam(exam.accession)
    arriving = studio.recipe.exam("sokolova-ct")
    wait_for(
        lambda: any(
            arriving.accession in [c.name for c in row] and any("arriving" in c.name for c in row)
            for row in studio.seat.rows("Worklist")
        ),
        "nothing arrives",
        ARRIVED_S,
    )
    studio.desktop.click(*_named(studio.exam(exam.accession)).box.middle)
    studio.seat.see("Chosen exam", begins=True)
    studio.take("worklist")


def reading(studio: Studio) -> None:
    """Current beside prior at the level of a nodule, both in the lung window."""
    studio.open_exam(studio.recipe.exam("lindstrom-ct").accession, cells=2)
    studio.seat.see("Link of current and prior", begins=True, that=lambda s: "linked" in s.name)
    _to_level(studio, LESION[2])
    for number in (2, 1):
        studio.desktop.click(*studio.cell(number).box.middle)
        studio.desktop.key("2")
        studio.seat.see("Status", begins=True, that=lambda s: "Lung" in s.name)
    studio.take("reading")


def measure(studio: Studio) -> None:
    """An ellipse over the aorta, the nodule's length now, and the length it had."""
    studio.draw("e", 1, AORTA, (-8.0, -8.0), (8.0, 8.0))
    studio.cell(1, lambda s: "mm²" in s.description)
    studio.draw("d", 1, LESION, (-6.0, 0.0), (6.0, 0.0))
    studio.cell(1, lambda s: s.description.count(" mm") >= 3)
    studio.desktop.key("w")
    studio.take("measure")


AORTA = (20.0, 55.0, -122.5)


def report(studio: Studio) -> None:
    """Written, signed, and acknowledged by the RIS."""
    seat, desktop = studio.seat, studio.desktop
    account = studio.recipe.reader
    seat.press("Lungs", "text")
    desktop.key("ctrl+a")
    desktop.type("Solid nodule in the right upper lobe, ")
    desktop.key("ctrl+shift+m")
    desktop.type(". The mass in the left lower lobe is unchanged.")
    _step_to(studio, "Impression")
    desktop.type("Growth of the right upper lobe nodule since the prior. PET-CT is recommended.")
    seat.see("Saved", begins=True)
    desktop.key("F12")
    seat.see("Password to sign")
    studio.take("sign")
    for box in seat.look("I have seen these and sign all the same"):
        desktop.click(box.box.x + 8, box.box.middle[1])
    seat.fill("Password to sign", account.password, "password text")
    seat.press("Sign the report", "push button")
    wait_for(lambda: not seat.look("Password to sign"), "the dialog stayed")
    seat.see("Report state", begins=True, that=lambda s: "Draft" not in s.name)
    desktop.key("ctrl+1")
    seat.row(studio.recipe.exam("lindstrom-ct").accession, "Delivered")
    studio.take("acknowledged")
    desktop.key("ctrl+2")
    studio.take("report")


def mpr(studio: Studio) -> None:
    """Three planes of the volume."""
    studio.desktop.click(*studio.cell(1).box.middle)
    studio.desktop.key("m")
    for number in (1, 2, 3):
        studio.cell(number, lambda s: "acquired" not in s.description)
    studio.take("mpr")


def slab(studio: Studio) -> None:
    """The coronal one as a slab, largest."""
    cell = studio.cell(2)
    studio.desktop.click(*cell.box.middle)
    studio.desktop.key("y", "shift+y", "shift+y", "ctrl+m")
    studio.cell(2, lambda s: s.box.width > cell.box.width)
    studio.take("slab")
    studio.desktop.key("ctrl+m", "m")


def volume(studio: Studio) -> None:
    """The whole series in three dimensions, turned a little."""
    cell = studio.cell(1)
    studio.desktop.click(*cell.box.middle)
    studio.desktop.key("t", "ctrl+m")
    _turned = studio.seat.see("3D of cell 1", that=lambda s: "seen from" in s.description, seconds=120.0)
    x, y = _turned.box.middle
    studio.desktop.drag((x, y), (x + 70, y + 16))
    studio.take("volume")
    studio.desktop.key("t", "ctrl+m")


def inbox(studio: Studio) -> None:
    """A held study with its suggestions."""
    studio.desktop.key("ctrl+4")
    row = wait_for(
        lambda: next(iter(studio.seat.rows("Held studies")), None), "nothing is held in the Inbox", ARRIVED_S
    )
    studio.desktop.click(*_named(row).box.middle)
    studio.take("inbox")


def schedule(studio: Studio) -> None:
    """Today's steps."""
    studio.desktop.key("ctrl+3")
    studio.take("schedule")


def settings(studio: Studio) -> None:
    """What can be set."""
    studio.desktop.key("ctrl+5")
    studio.seat.see("Dark", "combo box")
    studio.take("settings")


def light(studio: Studio) -> None:
    """The same rooms in the dim light theme."""
    studio.seat.press("Dark", "combo box")
    studio.desktop.key("Down", "Return")
    studio.take("light-settings")
    studio.desktop.key("ctrl+1")
    studio.take("light-worklist")
    studio.desktop.key("ctrl+2")
    studio.take("light-reading")
    studio.desktop.key("ctrl+5")
    studio.seat.press("Dim light", "combo box")
    studio.desktop.key("Up", "Return")


def upright(studio: Studio) -> None:
    """An upright screen."""
    studio.resize(PORTRAIT)
    studio.desktop.key("ctrl+1")
    studio.take("portrait-worklist")
    studio.desktop.key("ctrl+2")
    studio.take("portrait-reading")
    studio.resize(LANDSCAPE)


SCENES: tuple[Callable[[Studio], None], ...] = (
    sign_in,
    worklist,
    reading,
    measure,
    report,
    mpr,
    slab,
    volume,
    inbox,
    schedule,
    settings,
    light,
    upright,
)


def _named(row: list[Seen]) -> Seen:
    """A cell of a row that can be clicked on."""
    return max((c for c in row if c.box.width and c.name), key=lambda c: c.box.width)


def _to_level(studio: Studio, z: float) -> None:
    """Turn the wheel until the first cell's slice lies nearest to z mm (LPS)."""
    cell = studio.cell(1)
    studio.desktop.move(*cell.box.middle)
    for _ in range(8):
        away = z - height(studio.cell(1))
        before = studio.cell(1).description
        if abs(away) <= _step(studio) / 2:
            return
        studio.desktop.wheel(round(away / _step(studio)) * studio.towards_head)
        moved = studio.cell(1, lambda s, b=before: s.description != b)  # type: ignore[misc]  # bound now
        wait_for(lambda: studio.cell(1).description, "")
        if abs(z - height(moved)) > abs(away):
            studio.towards_head = -studio.towards_head


def _step(studio: Studio) -> float:
    first, second = (float(one.ImagePositionPatient[2]) for one in studio.slices[:2])
    return abs(second - first)


def _pixels_per_mm(studio: Studio, cell: Seen) -> float:
    """Screen pixels to a millimetre in a cell whose picture is fitted."""
    image = studio.slices[0]
    rows, columns = image.Rows * float(image.PixelSpacing[0]), image.Columns * float(image.PixelSpacing[1])
    return float(min((cell.box.width - SCROLL_BAR) / columns, cell.box.height / rows))


def _on_screen(studio: Studio, cell: Seen, point: tuple[float, float, float]) -> tuple[float, float]:
    """Where a patient point (LPS mm) of an axial, fitted picture lies on the screen."""
    image = studio.slices[0]
    x0, y0, _ = (float(v) for v in image.ImagePositionPatient)
    middle_x = x0 + (image.Columns - 1) / 2 * float(image.PixelSpacing[1])
    middle_y = y0 + (image.Rows - 1) / 2 * float(image.PixelSpacing[0])
    scale = _pixels_per_mm(studio, cell)
    x = cell.box.x + (cell.box.width - SCROLL_BAR) / 2 + (point[0] - middle_x) * scale
    return x, cell.box.y + cell.box.height / 2 + (point[1] - middle_y) * scale


SCROLL_BAR = 14


def _step_to(studio: Studio, name: str) -> None:
    """Step through the report until a field has the cursor."""

    def there() -> bool:
        if any("focused" in s.states for s in studio.seat.look(name, "text")):
            return True
        studio.desktop.key("F3")
        return False

    wait_for(there, f"no field {name}")


def main(words: Sequence[str] | None = None) -> int:
    """Take the pictures; with names, only those scenes are photographed (all are played)."""
    parser = argparse.ArgumentParser(prog="pictures")
    parser.add_argument("names", nargs="*", help="pictures to keep; all without one")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    chosen = parser.parse_args(words)
    with Desktop((2000, 1840)) as desktop:
        studio = Studio(desktop, chosen.folder, LANDSCAPE, frozenset(chosen.names))
        studio.open()
        try:
            for scene in SCENES:
                scene(studio)
        finally:
            studio.seat.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
