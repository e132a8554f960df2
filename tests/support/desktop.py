"""A desk for one reader: a virtual screen, a mouse, a keyboard, and eyes that read as a screen reader does.

Everything on it runs in a network namespace of its own whose only interface is loopback: the network is off.
Needs Xvfb, openbox, xdotool, dbus-daemon, at-spi2-core and the system's python3-pyatspi (see dev.py).
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.company import Process, SimulatorFailed

T = TypeVar("T")
PATIENCE_S = 30.0
LOOK_AGAIN_S = 0.05
EYES = Path(__file__).with_name("at_spi_eyes.py")
SYSTEM_PYTHON = "/usr/bin/python3"
CHECKOUT = Path(__file__).parents[2]
LOOPBACK_UP = """
import fcntl, socket, struct, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", 0x49))
print("READY {}", flush=True)
sys.stdin.read()
"""


class NotSeen(AssertionError):
    """What was waited for did not come; the message has what showed instead."""


def wait_for(ready: Callable[[], T | None], words: str, seconds: float = PATIENCE_S) -> T:
    """Ask again until something comes; raises NotSeen with the words when it does not."""
    end = time.monotonic() + seconds
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > end:
            raise NotSeen(words)
        time.sleep(LOOK_AGAIN_S)


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the screen, in its pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        """Its centre."""
        return self.x + self.width // 2, self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Seen:
    """One control as a screen reader has it."""

    name: str
    role: str
    description: str
    text: str
    box: Box
    states: frozenset[str]

    @staticmethod
    def of(told: dict[str, Any]) -> Seen:
        """From the eyes' answer."""
        return Seen(
            told["name"],
            told["role"],
            told["description"],
            told["text"],
            Box(*told["box"]),
            frozenset(told["states"]),
        )


class Desktop:
    """Xvfb with a window manager, a message bus, and the way to start programs on it. `size` is in pixels."""

    def __init__(self, size: tuple[int, int] = (1920, 1080)) -> None:
        self.size = size
        self._mouse: tuple[int, int] | None = None
        self._closing = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="rr-desk-"))
        self._closing.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        apart = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net"]
        self._network = Process("network", [*apart, sys.executable, "-c", LOOPBACK_UP])
        self._closing.callback(self._network.stop)
        self.display = self._screen()
        runtime = self.folder / "runtime"
        runtime.mkdir(mode=0o700)
        self.variables = {
            "DISPLAY": self.display,
            "XDG_RUNTIME_DIR": str(runtime),
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "NO_AT_BRIDGE": "0",
            "LC_ALL": "C.UTF-8",
            "READING_ROOM_STRICT": "1",
        }
        self._bus()
        self._begin(["openbox", "--sm-disable"])
        self.eyes = Process("eyes", [*self._with_variables(), SYSTEM_PYTHON, str(EYES)])
        self._closing.callback(self.eyes.stop)

    def _screen(self) -> str:
        width, height = self.size
        read, write = os.pipe()
        screen = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
        frames = ["-fbdir", str(self.folder)]
        process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), *screen, *frames],
            pass_fds=[write],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(write)
        self._closing.callback(end, process)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            raise NotSeen("Xvfb did not start")
        return f":{number}"

    def _bus(self) -> None:
        """A message bus; the accessibility bus comes of itself when the eyes first ask for it."""
        command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
        process = subprocess.Popen(
            command,
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._closing.callback(end, process)
        assert process.stdout is not None
        with process.stdout:
            self.variables["DBUS_SESSION_BUS_ADDRESS"] = process.stdout.readline().strip()

    def _begin(self, command: Sequence[str]) -> None:
        process = subprocess.Popen(
            command,
            env={**os.environ, **self.variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._closing.callback(end, process)

    def close(self) -> None:
        """Everything that was started on it ends."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── programs ──

    def _with_variables(self) -> list[str]:
        return ["env", *(f"{key}={value}" for key, value in self.variables.items())]

    def inside(self, *command: object) -> list[str]:
        """A command that runs where the network is off, on this screen."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        enter = ["nsenter", "--target", str(self._network.pid), *user, "--net"]
        return [*enter, *self._with_variables(), *(str(part) for part in command)]

    def run(self, *command: object, text: str | None = None) -> str:
        """Run a command to its end and give what it printed; raises AssertionError with its words."""
        done = subprocess.run(
            self.inside(*command), input=text, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        said = done.stderr or done.stdout
        assert done.returncode == 0, f"{command[:3]} ended with {done.returncode}: {said}"
        return done.stdout

    def player(self, who: str, *command: object, log: Path | None = None) -> Process:
        """A process that is told what to do on its standard input (the simulators)."""
        return Process(who, self.inside(*command), log)

    # ── mouse and keys ──

    def _xdotool(self, *words: object) -> None:
        subprocess.run(
            ["xdotool", *(str(word) for word in words)],
            env={**os.environ, **self.variables},
            check=True,
            capture_output=True,
        )

    def move(self, x: float, y: float) -> None:
        """The mouse goes there; where it is already, xdotool would wait 15 s for it to move."""
        place = round(x), round(y)
        if place != self._mouse:
            self._xdotool("mousemove", "--sync", *place)
            self._mouse = place

    def click(self, x: float, y: float, button: int = 1, times: int = 1) -> None:
        """Click there."""
        self.move(x, y)
        self._xdotool("click", "--repeat", times, "--delay", 60, button)

    def wheel(self, notches: int) -> None:
        """Turn the wheel where the mouse is: positive is towards the reader, the next image."""
        self._xdotool("click", "--repeat", abs(notches), "--delay", 40, 5 if notches > 0 else 4)

    def drag(
        self, start: tuple[float, float], end_: tuple[float, float], button: int = 1, steps: int = 8
    ) -> None:
        """Press at `start`, move to `end_` by and by, let go."""
        self.move(*start)
        self._xdotool("mousedown", button)
        for part in range(1, steps + 1):
            share = part / steps
            self.move(*(a + (b - a) * share for a, b in zip(start, end_, strict=True)))
        self._xdotool("mouseup", button)

    def press(self, button: int = 1) -> None:
        """Press a mouse button and hold it."""
        self._xdotool("mousedown", button)

    def let_go(self, button: int = 1) -> None:
        """Let a mouse button go."""
        self._xdotool("mouseup", button)

    def key(self, *names: str) -> None:
        """Type keys by their X names ("ctrl+z", "F12")."""
        self._xdotool("key", "--clearmodifiers", *names)

    def hold(self, name: str) -> None:
        """Press a key and hold it."""
        self._xdotool("keydown", name)

    def release(self, name: str) -> None:
        """Let a key go."""
        self._xdotool("keyup", name)

    def type(self, text: str) -> None:
        """Type text."""
        self._xdotool("type", "--delay", 12, text)

    def resize_window(self, width: int, height: int) -> None:
        """The window in front takes another size."""
        self._xdotool("getactivewindow", "windowsize", "--sync", width, height)

    # ── the picture ──

    def pixels(self, box: Box | None = None) -> NDArray[np.uint8]:
        """What the screen shows now, (height, width, 3) RGB (X window dump format, XWDFile.h)."""
        path = self.folder / "Xvfb_screen0"
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as dump:
            head = struct.unpack(">25I", dump[:100])
            start, width, height, line = head[0] + head[19] * 12, head[4], head[5], head[12]
            data = np.frombuffer(dump[start : start + height * line], np.uint8)
        grid = data.reshape(height, line)[:, : width * 4].reshape(height, width, 4)
        shown: NDArray[np.uint8] = grid[:, :, 2::-1]
        if box is not None:
            shown = shown[box.y : box.y + box.height, box.x : box.x + box.width]
        return np.ascontiguousarray(shown)


@dataclass
class Seat:
    """The workstation's window as a process on a desktop, looked at by name."""

    desktop: Desktop
    words: tuple[object, ...]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    _log: IO[bytes] | None = field(default=None, repr=False)

    def open(self) -> Self:
        """Start the program and wait for its window."""
        self._log = self.log.open("ab")
        command = self.desktop.inside(sys.executable, "-m", "workstation.app", *self.words)
        self.process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, cwd=CHECKOUT, start_new_session=True
        )
        wait_for(self._window, "the window did not open", 240.0)
        return self

    def _window(self) -> list[Seen]:
        assert self.process is not None
        if self.process.poll() is not None:
            raise NotSeen(f"the program ended with {self.process.returncode}: {self.tail()}")
        return self.look(role="frame", name="Reading Room")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid if self.process is not None else 0

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process is not None and self.process.poll() is None

    def tail(self) -> str:
        """The last it said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._close_log()

    def close(self) -> None:
        """End it in order (SIGTERM)."""
        if self.process is not None:
            end(self.process, group=False)
        self._close_log()

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    # ── looking ──

    def look(self, name: str = "", role: str = "", *, begins: bool = False, first: bool = True) -> list[Seen]:
        """Controls of that name (or beginning) and role that show now."""
        try:
            told = self.desktop.eyes.tell(
                "find", pid=self.pid, name=name, role=role, begins=begins, first=first
            )
        except SimulatorFailed:  # it changed while it was read
            return []
        return [Seen.of(one) for one in told]

    def tree(self) -> list[Seen]:
        """Everything that shows now."""
        return [Seen.of(one) for one in self.desktop.eyes.tell("tree", pid=self.pid)]

    def see(
        self,
        name: str,
        role: str = "",
        *,
        begins: bool = False,
        that: Callable[[Seen], bool] = lambda _one: True,
        seconds: float = PATIENCE_S,
    ) -> Seen:
        """Wait for a control of that name that is as wanted; raises NotSeen with what showed instead."""
        try:
            return wait_for(
                lambda: next((s for s in self.look(name, role, begins=begins, first=False) if that(s)), None),
                name,
                seconds,
            )
        except NotSeen:
            shown = [f"{s.role} {s.name!r} {s.description!r} {s.text!r}" for s in self._tree() if s.name]
            raise NotSeen(f"{name!r} did not show; there was:\n" + "\n".join(shown) + self.tail()) from None

    def _tree(self) -> list[Seen]:
        try:
            return self.tree()
        except SimulatorFailed:
            return []

    def rows(self, table: str) -> list[list[Seen]]:
        """The rows of a table, cell by cell."""
        try:
            told = self.desktop.eyes.tell("table", pid=self.pid, name=table)
        except SimulatorFailed:
            return []
        return [[Seen.of(cell) for cell in row] for row in told or ()]

    def row(
        self, *texts: str, table: str = "Worklist", that: Callable[[list[str]], bool] = lambda _r: True
    ) -> list[Seen]:
        """Wait for a row in which every text stands, in any of its cells."""

        def found() -> list[Seen] | None:
            for row in self.rows(table):
                words = [cell.name for cell in row]
                if all(any(text in word for word in words) for text in texts) and that(words):
                    return row
            return None

        try:
            return wait_for(found, "")
        except NotSeen:
            shown = "\n".join(" | ".join(c.name for c in row) for row in self.rows(table))
            raise NotSeen(f"no row of {table} has {texts}; there was:\n{shown}\n{self.tail()}") from None

    # ── doing ──

    def press(self, name: str, role: str = "", *, begins: bool = False) -> Seen:
        """Click on a control that can be used."""
        found = self.see(name, role, begins=begins, that=lambda s: "enabled" in s.states and s.box.width > 0)
        self.desktop.click(*found.box.middle)
        return found

    def fill(self, name: str, text: str, role: str = "") -> None:
        """Click into a field and type over what is there."""
        self.press(name, role or "text")
        self.see(name, role or "text", that=lambda s: "focused" in s.states)
        self.desktop.key("ctrl+a")
        self.desktop.type(text)

    def frame(self) -> Box:
        """The window without its manager's border."""
        return self.see("Reading Room", "frame").box


def end(process: subprocess.Popen[Any], group: bool = True) -> None:
    """Ask a process to end, and make it; with its group, where it has one of its own."""

    def send(number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number) if group else process.send_signal(number)

    send(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        send(signal.SIGKILL)
        process.wait()


def facts(data: Path) -> dict[str, Any]:
    """What the running node left in its data folder; empty where there is none."""
    try:
        told: dict[str, Any] = json.loads((data / "core.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
