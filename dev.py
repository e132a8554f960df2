#!/usr/bin/env python3
"""What anybody types who has just cloned Reading Room.

    python3 dev.py                       the workstation on demo data, a simulated scanner and RIS beside it
    python3 dev.py run ARGUMENTS...      the reading-room command
    python3 dev.py check                 format, lint, types, import contracts
    python3 dev.py test [--all] [...]    checks, then every test; --all: the long ones too; rest to pytest
    python3 dev.py bench [NAME]          benchmarks
    python3 dev.py pictures              drives the real program and takes docs/pictures anew
    python3 dev.py package               builds the installer and tries what it built
    python3 dev.py lock                  resolves the requirements anew (needs uv), keeping what still fits

Each first makes what it needs: .venv from requirements/lock.txt, the compiled kernels, and on Debian or
Ubuntu as root the system packages (`--no-system`, given first, leaves those alone; elsewhere the line to type
is printed). Standard library only, and older Pythons can parse it, to be told that 3.11 is needed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Callable, NoReturn

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
WINDOWS = sys.platform == "win32"
OLDEST, NEWEST = (3, 11), (3, 14)

# ------------------------------------------------ what the system must have, by Debian's names

LIBRARIES = """
    libgl1 libegl1 libegl-mesa0 libgl1-mesa-dri libxkbcommon0 libfontconfig1 libdbus-1-3 libglib2.0-0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xkb1
    libxkbcommon-x11-0 libxcursor1 libportaudio2 fonts-noto-core fonts-noto-cjk
"""
SCREEN = "xvfb xauth openbox xdotool dbus-daemon at-spi2-core python3-pyatspi"
PEERS = "dcmtk dicom3tools espeak-ng openssl strace"
ONCE = {
    "apt-get": "sudo apt-get install -y --no-install-recommends {}",
    "dnf": "sudo dnf install gcc python3-devel mesa-libGL mesa-libEGL libxkbcommon-x11 xcb-util-cursor "
    "xcb-util-wm xcb-util-keysyms xcb-util-renderutil portaudio google-noto-sans-fonts "
    "google-noto-sans-cjk-fonts",
    "pacman": "sudo pacman -S --needed gcc mesa libxkbcommon-x11 xcb-util-cursor xcb-util-wm "
    "xcb-util-keysyms xcb-util-renderutil portaudio noto-fonts noto-fonts-cjk",
    "brew": "xcode-select --install; brew install dcmtk espeak-ng",
    "winget": "winget install Microsoft.VisualStudio.2022.BuildTools",
}

# ------------------------------------------------ small things


def say(text: str) -> None:
    """One line for the person; standard output belongs to the command that is run."""
    print("dev.py: " + text, file=sys.stderr, flush=True)


def give_up(text: str) -> NoReturn:
    """Say why, and end with 1."""
    say(text)
    sys.exit(1)


def call(*command: object, **variables: str) -> int:
    """Run a command in the checkout, its output as it is; its exit code."""
    return subprocess.call([str(part) for part in command], cwd=str(HERE), env={**os.environ, **variables})


def quietly(*command: object, **variables: str) -> None:
    """Run a step of the set-up with its output on standard error; a failure ends the program."""
    words = [str(part) for part in command]
    code = subprocess.call(words, cwd=str(HERE), env={**os.environ, **variables}, stdout=sys.stderr)
    if code:
        give_up("this failed with {}: {}".format(code, " ".join(words)))


def become(*command: object) -> NoReturn:
    """Hand over to a command: the same process where the system can, so that signals reach it."""
    words = [str(part) for part in command]
    sys.stdout.flush()
    if WINDOWS:
        sys.exit(subprocess.call(words))
    os.execv(words[0], words)


def digest(*parts: Path) -> str:
    """One hash of several files' names and bytes."""
    answer = hashlib.sha256()
    for path in parts:
        answer.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return answer.hexdigest()


def tool(name: str) -> Path:
    """A command of the environment."""
    return VENV / "Scripts" / (name + ".exe") if WINDOWS else VENV / "bin" / name


def stamp(name: str) -> Path:
    """The file that remembers what a step of the set-up was made from."""
    return VENV / "made" / name


def done(name: str, state: str) -> bool:
    """Was that step made from just this?"""
    return stamp(name).is_file() and stamp(name).read_text(encoding="utf-8") == state


def remember(name: str, state: str) -> None:
    """Note what a step was made from."""
    stamp(name).parent.mkdir(parents=True, exist_ok=True)
    stamp(name).write_text(state, encoding="utf-8")


# ------------------------------------------------ Python


def newer_python() -> list[str] | None:
    """How to call a Python that is new enough, where this one is not."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        if WINDOWS and shutil.which("py") and not subprocess.call(["py", f"-3.{minor}", "-c", ""]):
            return ["py", f"-3.{minor}"]
        found = shutil.which(f"python3.{minor}")
        if found:
            return [found]
    return None


def ensure_python() -> None:
    """Go on under Python 3.11 or newer, or say that it is missing."""
    if sys.version_info >= OLDEST:
        return
    found = newer_python()
    if found is None:
        give_up(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}, and no newer one was found"
        )
    sys.exit(subprocess.call([*found, __file__, *sys.argv[1:]]))


# ------------------------------------------------ system packages


def compiler() -> str | None:
    """The C compiler, where there is one to be seen (on Windows setuptools finds its own)."""
    return next((found for found in map(shutil.which, ("cc", "gcc", "clang", "cl")) if found), None)


def build_packages() -> list[str]:
    """What is missing to make an environment and compile the kernels."""
    python = "python{}.{}".format(*sys.version_info)
    wanted = [] if importlib.util.find_spec("ensurepip") else [python + "-venv"]
    if compiler() is None:
        wanted += ["gcc", "libc6-dev"]
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        wanted += [python + "-dev"]
    return wanted


def installed() -> set[str]:
    """Names of Debian packages that are there, and the names they stand in for."""
    form = "${db:Status-Abbrev}|${Package}, ${Provides}\n"
    listing = subprocess.run(
        ["dpkg-query", "-W", "-f", form], stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    rows = (line.partition("|") for line in listing.stdout.splitlines())
    names = (name.split() for state, _, given in rows if state.startswith("ii") for name in given.split(","))
    return {words[0] for words in names if words}


def system(packages: str, allowed: bool) -> None:
    """See that those Debian packages, and what compiles, are there; install them as root, else say how."""
    if not shutil.which("dpkg-query"):
        return
    missing = build_packages() + sorted(set(packages.split()) - installed())
    if not missing:
        return
    names = " ".join(missing)
    if not allowed or os.name != "posix" or os.geteuid() != 0:
        if not done("said", names):  # said once is enough
            say("missing here; once: " + ONCE["apt-get"].format(names))
            remember("said", names)
    else:
        say("installing from the system's packages: " + names)
        quietly("apt-get", "update", "-qq", DEBIAN_FRONTEND="noninteractive")
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0")
        quietly(*install, *missing, DEBIAN_FRONTEND="noninteractive")


def say_once() -> None:
    """Where Debian's tools are not: the line that installs a compiler and the libraries."""
    if shutil.which("dpkg-query"):
        return
    manager = next((name for name in ("dnf", "pacman", "brew", "winget") if shutil.which(name)), None)
    if manager:
        say("what is needed to compile is installed by: " + ONCE[manager])


# ------------------------------------------------ the environment


def make_venv() -> None:
    """The virtual environment, made again where its Python is gone."""
    if tool("python").exists() and not subprocess.call(
        [str(tool("python")), "-c", ""], stderr=subprocess.DEVNULL
    ):
        return
    if VENV.exists():
        shutil.rmtree(str(VENV))
    say("making .venv with Python " + sys.version.split()[0])
    quietly(sys.executable, "-m", "venv", VENV)


def site_packages() -> Path:
    """Where the environment's wheels lie."""
    return next(
        iter([VENV / "Lib" / "site-packages"] if WINDOWS else (VENV / "lib").glob("python3*/site-packages"))
    )


def remove_unwanted() -> None:
    """Delete what requirements/removed.txt names out of installed wheels."""
    rows = (HERE / "requirements" / "removed.txt").read_text(encoding="utf-8").splitlines()
    for pattern in (row.strip() for row in rows if row.strip() and not row.startswith("#")):
        for path in list(site_packages().glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(str(path))
            elif path.exists():  # not gone with its folder
                path.unlink()


def install(name: str) -> None:
    """Install requirements/NAME.txt, hashes checked, when it changed since the last time."""
    lock = HERE / "requirements" / (name + ".txt")
    state = digest(lock, lock.with_name("removed.txt"))
    if done(name, state):
        return
    say(f"installing requirements/{name}.txt, some minutes the first time")
    pip = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input")
    quietly(tool("python"), *pip, "--require-hashes", "-r", lock)
    remove_unwanted()
    remember(name, state)


def kernels() -> list[Path]:
    """C sources of the compiled modules (setup.py builds the same ones)."""
    return sorted(path for house in ("pacs_core", "workstation") for path in (HERE / house).rglob("_*.c"))


def not_built() -> list[str]:
    """Kernels without their compiled module beside them."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return [path.stem for path in kernels() if not path.with_name(path.stem + suffix).is_file()]


def build_project() -> None:
    """Install the checkout in place, compiling the kernels, when one of their sources changed."""
    headers = sorted(header for path in kernels() for header in path.parent.glob("*.h"))
    state = digest(HERE / "pyproject.toml", HERE / "setup.py", *kernels(), *headers)
    if done("project", state) and not (not_built() and compiler()):
        return
    pip = (
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--no-build-isolation",
    )
    quietly(tool("python"), *pip, "--editable", HERE)
    remember("project", state)
    if not_built():
        say("not compiled ({}): slower twins take over".format(", ".join(not_built())))
        say_once()


def environment() -> None:
    """All of it: Python, wheels, kernels."""
    make_venv()
    install("lock")
    build_project()


# ------------------------------------------------ commands


def start(words: list[str]) -> int:
    """The workstation on demo data; where there is no display it says so and runs without its window."""
    become(tool("reading-room"), "--demo", *words)


def run(words: list[str]) -> int:
    """The reading-room command of this checkout."""
    become(tool("reading-room"), *words)


def check(words: list[str]) -> int:
    """Every check, one after the other; all are run, and 1 is answered if any failed."""
    checks = {
        "format": ("ruff", "format", "--check", "."),
        "lint": ("ruff", "check", "."),
        "types": ("mypy",),
        "import contracts": ("lint-imports", "--no-logo"),
    }
    failed = [name for name, (first, *rest) in checks.items() if call(tool(first), *rest)]
    if failed:
        say("failed: " + ", ".join(failed))
    return 1 if failed else 0


def test(words: list[str]) -> int:
    """Checks, then pytest, a process for each of at most four cores; `--all` takes in what is marked long."""
    if check([]):
        return 1
    everything = "--all" in words
    words = [word for word in words if word != "--all"]
    chosen = [] if everything else ["-m", "not long"]
    if not any(Path(word.split("::")[0]).exists() for word in words):
        # what drives the whole program takes longest and begins first; a file stays in one process
        folders = ["ui", "fault", "flow", "peer", "property", "golden", "contract", "unit"]
        chosen += [f"tests/{name}" for name in folders if (HERE / "tests" / name).is_dir()]
        chosen += ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"]
    screen = {"QT_QPA_PLATFORM": "offscreen", "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"}
    return call(tool("python"), "-m", "pytest", *chosen, *words, **screen)


def bench(words: list[str]) -> int:
    """Benchmarks by name, all without one."""
    return call(tool("python"), "-m", "benchmarks", *words)


def on_a_screen(*command: object) -> int:
    """Run a command on a virtual screen with a message bus of its own, where the system has such a thing."""
    if not sys.platform.startswith("linux"):
        return call(*command)
    xvfb = ("xvfb-run", "--auto-servernum", "--server-args", "-screen 0 1920x1080x24 -noreset")
    return call(*xvfb, "dbus-run-session", "--", *command)


def pictures(words: list[str]) -> int:
    """The real program driven through the loop on a virtual screen; writes docs/pictures."""
    return on_a_screen(tool("python"), "-m", "tests.ui.pictures", *words)


def package(words: list[str]) -> int:
    """Build dist/reading-room with PyInstaller, then ask the built program to prove itself."""
    install("package")
    if call(tool("pyinstaller"), "--noconfirm", "--clean", "--log-level", "WARN", "build_installer.spec"):
        return 1
    return on_a_screen(tool("python"), "-m", "tests.frozen", *words)


def lock(words: list[str]) -> int:
    """Write requirements/*.txt from pyproject.toml: versions and hashes, no addresses; what fits is kept."""
    uv = shutil.which("uv") or give_up("uv is not installed (python3 -m pip install uv)")
    common = (
        uv,
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--python-version",
        "3.11",
    )
    bare = ("--no-emit-index-url", "--no-emit-find-links")
    for name, what in {
        "lock": ("pyproject.toml", "--all-extras", "--group", "dev"),
        "package": ("--group", "package"),
    }.items():
        target = HERE / "requirements" / (name + ".txt")
        quietly(*common, *bare, *what, "--output-file", target, *words)
        if "://" in target.read_text(encoding="utf-8"):
            give_up(f"{target.name} holds an address; versions and hashes only belong there")
    return 0


COMMANDS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "start": (start, LIBRARIES),
    "run": (run, LIBRARIES),
    "check": (check, ""),
    "test": (test, f"{LIBRARIES} {SCREEN} {PEERS}"),
    "bench": (bench, f"{LIBRARIES} {PEERS}"),
    "pictures": (pictures, f"{LIBRARIES} {SCREEN} {PEERS}"),
    "package": (package, f"{LIBRARIES} {SCREEN}"),
}


def main() -> int:
    """Read the command line, make what the command needs, run it."""
    words = sys.argv[1:]
    allowed = "--no-system" not in words[:1]
    words = words if allowed else words[1:]
    name, rest = (words[0], words[1:]) if words else ("start", [])
    if name in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if name == "lock":
        return lock(rest)
    if name not in COMMANDS:
        say(f"there is no command {name!r}; python3 dev.py --help names them")
        return 2
    command, packages = COMMANDS[name]
    system(packages, allowed)
    environment()
    return command(rest)


if __name__ == "__main__":
    ensure_python()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
