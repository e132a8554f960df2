"""What a disk would hold after a power cut: a program's system calls replayed, unsynced writes dropped.

Strict: a file's bytes count from the fsync or fdatasync that followed them, its name from the fsync of its
directory. Directories themselves are taken to survive once their parent was synced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

CALLS = (
    "openat,open,creat,close,write,pwrite64,writev,pwritev,lseek,ftruncate,rename,renameat,renameat2,"
    "unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,sendto,sendmsg"
)
LINE = re.compile(r"^(\d+)\s+(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s+=\s+(-?\d+)", re.DOTALL)
FD = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def strace(log: Path) -> list[str]:
    """The words to put before a command."""
    return ["strace", "-f", "-qq", "-y", "-xx", "-s", "16777216", "-o", str(log), "-e", f"trace={CALLS}"]


@dataclass(frozen=True)
class Call:
    """One system call: when it began and ended (line numbers), its arguments as text, its result."""

    began: int
    ended: int
    pid: int
    name: str
    arguments: str
    result: int

    def strings(self) -> list[bytes]:
        """Every string argument."""
        return [unhex(s) for s in STRING.findall(self.arguments)]

    def file(self) -> tuple[int, str]:
        """The first argument as (descriptor, path)."""
        found = FD.match(self.arguments)
        return (int(found[1]), unhex(found[2]).decode("utf-8", "replace")) if found else (-1, "")


def unhex(text: str) -> bytes:
    """The bytes behind strace's ``\\x`` text."""
    return bytes.fromhex(text.replace("\\x", ""))


def read_calls(log: Path) -> Iterator[Call]:
    """The calls of a log in the order they ended, halves of interrupted lines joined."""
    begun: dict[tuple[int, str], tuple[int, str]] = {}
    with log.open(encoding="ascii", errors="replace") as lines:
        for number, raw in enumerate(lines):
            found = LINE.match(raw.rstrip("\n"))
            if not found:
                continue
            pid, text = int(found[1]), found[2]
            start = number
            if text.endswith("<unfinished ...>"):
                name = text.split("(", 1)[0]
                begun[pid, name] = (number, text.removesuffix("<unfinished ...>"))
                continue
            resumed = re.match(r"^<\.\.\. (\w+) resumed>(.*)$", text, re.DOTALL)
            if resumed:
                start, head = begun.pop((pid, resumed[1]))
                text = head + resumed[2]
            call = CALL.match(text)
            if call:
                yield Call(start, number, pid, call[1], call[2], int(call[3]))


@dataclass
class File:
    """A file's bytes as the program sees them and as the disk holds them."""

    volatile: bytearray = field(default_factory=bytearray)
    durable: bytes | None = None

    def put(self, at: int, data: bytes) -> None:
        if len(self.volatile) < at:
            self.volatile.extend(bytes(at - len(self.volatile)))
        self.volatile[at : at + len(data)] = data


class Disk:
    """The folder below `root` as it would be after a cut."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.names: dict[str, File] = {}
        self.durable_names: dict[str, File] = {}
        self.open: dict[int, tuple[File, int, bool]] = {}
        self._syncing: dict[int, bytes] = {}

    def apply(self, call: Call) -> None:
        """Take one call into account."""
        if call.result < 0:
            return
        handler = getattr(self, f"_{call.name}", None)
        if handler is not None:
            handler(call)

    def write_to(self, target: Path) -> None:
        """Make the folder as the disk holds it."""
        for name, file in self.durable_names.items():
            path = target / PurePosixPath(name).relative_to(self.root)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.durable or b"")

    def _mine(self, path: str) -> bool:
        return path.startswith(self.root + "/")

    def _openat(self, call: Call) -> None:
        opened = FD.match(call.arguments.rsplit("=", 1)[-1].strip())
        path = self._path_of(call)
        if not self._mine(path) or "O_DIRECTORY" in call.arguments or opened:
            return
        file = self.names.get(path)
        if file is None:
            if "O_CREAT" not in call.arguments:
                return
            file = self.names[path] = File()
        if "O_TRUNC" in call.arguments:
            file.volatile.clear()
        append = "O_APPEND" in call.arguments
        self.open[call.result] = (file, len(file.volatile) if append else 0, append)

    def _path_of(self, call: Call) -> str:
        text = call.strings()[0].decode("utf-8", "replace")
        if text.startswith("/"):
            return text
        base = re.match(r"^(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>", call.arguments)
        return f"{unhex(base[1]).decode()}/{text}" if base else text

    def _close(self, call: Call) -> None:
        self.open.pop(call.file()[0], None)

    def _write(self, call: Call) -> None:
        number, path = call.file()
        if number in self.open and self._mine(path):
            file, at, append = self.open[number]
            at = len(file.volatile) if append else at
            data = b"".join(call.strings())[: call.result]
            file.put(at, data)
            self.open[number] = (file, at + len(data), append)

    _writev = _write

    def _pwrite64(self, call: Call) -> None:
        number, path = call.file()
        if number in self.open and self._mine(path):
            at = int(call.arguments.rsplit(",", 1)[1])
            self.open[number][0].put(at, b"".join(call.strings())[: call.result])

    _pwritev = _pwrite64

    def _lseek(self, call: Call) -> None:
        number, _ = call.file()
        if number in self.open:
            file, _, append = self.open[number]
            self.open[number] = (file, call.result, append)

    def _ftruncate(self, call: Call) -> None:
        number, path = call.file()
        if number in self.open and self._mine(path):
            size = int(call.arguments.rsplit(",", 1)[1])
            file = self.open[number][0]
            del file.volatile[size:]
            file.put(size, b"")

    def _rename(self, call: Call) -> None:
        source, target = (s.decode("utf-8", "replace") for s in call.strings()[:2])
        if source in self.names:
            self.names[target] = self.names.pop(source)

    _renameat = _rename
    _renameat2 = _rename

    def _unlink(self, call: Call) -> None:
        self.names.pop(call.strings()[0].decode("utf-8", "replace"), None)

    _unlinkat = _unlink

    def begin_sync(self, call: Call) -> None:
        """What a sync will make durable is what was written before it began."""
        number, _ = call.file()
        if number in self.open:
            self._syncing[call.began] = bytes(self.open[number][0].volatile)

    def _fsync(self, call: Call) -> None:
        number, path = call.file()
        if number in self.open:
            self.open[number][0].durable = self._syncing.pop(call.began)
            return
        children = {n: f for n, f in self.names.items() if str(PurePosixPath(n).parent) == path}
        for name in [n for n in self.durable_names if str(PurePosixPath(n).parent) == path]:
            if name not in children:
                del self.durable_names[name]
        self.durable_names.update(children)

    _fdatasync = _fsync


SYNCS = ("fsync", "fdatasync")
SENDS = ("sendto", "sendmsg", "write")


def replay(
    log: Path, root: Path, ignore: Callable[[Call], bool] = lambda call: False
) -> Iterator[tuple[Disk, Call]]:
    """The disk as it is at the beginning of each send to a socket, calls for which `ignore` holds left
    out.
    """
    disk = Disk(root)
    moments: list[tuple[int, int, Call]] = []
    for call in read_calls(log):
        if call.name in SYNCS:
            moments.append((call.began, 0, call))
        moments.append((call.began if _is_send(call) else call.ended, 1, call))
    moments.sort(key=lambda m: m[:2])
    for _, phase, call in moments:
        if ignore(call):
            continue
        if phase == 0:
            disk.begin_sync(call)
        elif _is_send(call):
            yield disk, call
        else:
            disk.apply(call)


def _is_send(call: Call) -> bool:
    return call.name in SENDS and call.file()[1].startswith("socket:")
