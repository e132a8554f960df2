"""The archive beside Debian's Orthanc and DCMTK: real processes, one disk, rounds by turns, TCP_NODELAY=1.

`peers.PART` runs one part: store, find, worklist, get or start. Ours is `serve` as it is shipped; the
configuration of every peer goes to standard error. Orthanc syncs each image's file and not its index,
storescp syncs nothing; ours has file and folder synced and the row in the index before it answers.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.archives import objects, servers
from benchmarks.archives.filling import Filled, filled
from benchmarks.archives.objects import Template
from benchmarks.archives.servers import Server
from benchmarks.archives.wire import Requestor
from benchmarks.pairing import ROUNDS, Figures, Paired, Work

PARTS = ("store", "find", "worklist", "get", "start")
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
WORKLIST = "1.2.840.10008.5.1.4.31"
SLICES = 500
FOLDER = Path(__file__).parent / "results"
"""Where the data folders lie while it runs: the disk of this checkout, for all of them."""


def run(part: str = "") -> list[Figures]:
    """Measure, part after part."""
    found: list[Figures] = []
    for name in [part] if part else PARTS:
        FOLDER.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER, prefix="peers-") as folder:
            for figures in _PARTS[name](Path(folder)):
                words = (str(figures.get(k, "")) for k in ("work", "beside", "rounds", "verdict"))
                print("  ".join(words), file=sys.stderr, flush=True)
                found.append(figures)
    return found


def told(server: Server) -> Server:
    """Print a server's configuration."""
    print(f"# {server.name}: {server.told}", file=sys.stderr, flush=True)
    return server


def turns(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> Iterator[tuple[float, float]]:
    """The two by turns, the order changing, after each ran once to warm up."""
    ours()
    theirs()
    for number in range(rounds):
        if number % 2:
            other = theirs()
            yield ours(), other
        else:
            yield ours(), theirs()


def row(work: Work, pairs: list[tuple[float, float]]) -> Figures:
    """The figures of a row from what each round took."""
    found = Paired(work)
    for ours, theirs in pairs:
        found.ours.append(ours)
        found.theirs.append(theirs)
    return found.figures()


def work(name: str, beside: str, least: float, aim: float, quality: str = "") -> Work:
    """A row whose rounds are made here."""
    return Work(name, beside, _nothing, _nothing, least, aim, quality)


def _nothing() -> None:
    """What is timed is timed here, in other processes."""


# ── storing ──

STORED = (
    ("ct", 1, 80, "orthanc", 2.0, 3.0), ("ct", 4, 30, "orthanc", 1.5, 2.0),
    ("mr", 1, 150, "orthanc", 2.0, 3.0), ("mr", 4, 60, "orthanc", 1.7, 2.0),
    ("ct", 1, 80, "storescp", 0.6, 1.0), ("ct", 4, 30, "storescp", 0.45, 0.7),
)  # fmt: skip
"""Template, associations, images of each, beside whom, least and aim."""


def send(server: Server, template: Template, associations: int, each: int) -> tuple[float, float]:
    """Seconds and the server's processor seconds for each image, sent on so many associations at once."""
    threads = [
        threading.Thread(target=_send_study, args=(server, template, each)) for _ in range(associations)
    ]
    cpu, began = server.processor_s(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    time.sleep(0.05)  # a process an association ends after its release, and is counted then
    images = associations * each
    return taken / images, (server.processor_s() - cpu) / images


def _send_study(server: Server, template: Template, each: int) -> None:
    requestor = Requestor(server.port, server.title, [template.sop_class])
    study, series = objects.fresh_uid(), objects.fresh_uid()
    for _ in range(each):
        requestor.store(template, study, series)
    requestor.release()


def storing(folder: Path) -> Iterator[Figures]:
    """C-STORE by the bare sender, then CT by DCMTK's storescu; processor time where the rows ask for it."""
    with ExitStack() as running:
        ours = told(running.enter_context(servers.ours(folder / "ours")))
        peers = {
            name: told(running.enter_context(start(folder / name)))
            for name, start in (("orthanc", servers.orthanc), ("storescp", servers.storescp))
            if not servers.missing("Orthanc" if name == "orthanc" else name)
        }
        for kind, associations, each, beside, least, aim in STORED:
            name = f"C-STORE {kind.upper()}, {associations} associations"
            if beside not in peers:
                yield {"work": name, "beside": beside, "verdict": "not here"}
                continue
            yield from _stored(ours, peers[beside], kind, associations, each, name, least, aim)
        if "orthanc" in peers and not servers.missing("storescu"):
            yield _by_storescu(folder / "files", ours, peers["orthanc"])


def _stored(
    ours: Server, peer: Server, kind: str, associations: int, each: int, name: str, least: float, aim: float
) -> Iterator[Figures]:
    template = objects.ct() if kind == "ct" else objects.mr()
    seen: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for number in range(ROUNDS + 1):
        turn = (ours, peer) if number % 2 else (peer, ours)
        got = {server.name: send(server, template, associations, each) for server in turn}
        seen.append((got[ours.name], got[peer.name]))
    rounds = seen[1:]
    yield row(work(name, peer.name, least, aim), [(o[0], t[0]) for o, t in rounds])
    if kind == "ct" and peer.name == "orthanc":
        cpu = work(f"processor time an image, {associations} associations", peer.name, 2.0, 3.33)
        yield row(cpu, [(o[1], t[1]) for o, t in rounds])


def _by_storescu(folder: Path, ours: Server, peer: Server, count: int = 60) -> Figures:
    folder.mkdir()
    template = objects.ct()

    def go(server: Server) -> float:
        study, series = objects.fresh_uid(), objects.fresh_uid()
        for number in range(count):
            made = template.another(study, series, objects.fresh_uid())
            (folder / f"{number}.dcm").write_bytes(objects.part10(template, made))
        command = ["storescu", "-pdu", "131072", "-aec", server.title, "127.0.0.1", str(server.port)]
        files = [str(folder / f"{number}.dcm") for number in range(count)]
        began = time.perf_counter()
        subprocess.run([*command, *files], check=True, capture_output=True, env=servers.NODELAY)
        return (time.perf_counter() - began) / count

    pairs = list(turns(lambda: go(ours), lambda: go(peer), ROUNDS))
    return row(work("C-STORE CT by storescu, 1 association", peer.name, 2.0, 3.0), pairs)


# ── finding ──


def finding(folder: Path) -> Iterator[Figures]:
    """C-FIND of one study by patient ID, by name prefix and by a month, at 1,000 and at 20,000 studies."""
    if servers.missing("Orthanc"):
        yield {"work": "C-FIND", "beside": "orthanc", "verdict": "not here"}
        return
    with ExitStack() as running:
        ours = told(running.enter_context(servers.ours(folder / "ours")))
        peer = told(running.enter_context(servers.orthanc(folder / "orthanc")))
        studies = 0
        for upto, least, aim in ((1_000, 0.9, 1.3), (20_000, 10.0, 15.0)):
            content = filled((ours, peer), studies, upto)
            studies = upto
            yield _found(ours, peer, content, upto, least, aim)


def _found(ours: Server, peer: Server, content: Filled, studies: int, least: float, aim: float) -> Figures:
    asking = {server.name: Requestor(server.port, server.title, [STUDY_FIND]) for server in (ours, peer)}
    questions = content.questions()
    seen: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        took: dict[str, list[float]] = {ours.name: [], peer.name: []}
        for question in questions:
            for server in (ours, peer) if number % 2 else (peer, ours):
                began = time.perf_counter()
                answers = asking[server.name].find(STUDY_FIND, question.identifier)
                took[server.name].append(time.perf_counter() - began)
                if answers != question.answers:
                    raise AssertionError(f"{server.name}: {answers} answers, {question.answers} are right")
        seen.append((statistics.median(took[ours.name]), statistics.median(took[peer.name])))
    for requestor in asking.values():
        requestor.release()
    return row(work(f"C-FIND p50, {studies} studies", peer.name, least, aim), seen[1:])


def worklist(folder: Path) -> Iterator[Figures]:
    """C-FIND of a station's day of 25 steps among 10,000; ours alone, milliseconds."""
    from benchmarks.archives.filling import scheduled, station_day

    scheduled(folder / "ours" / "data", steps=10_000)
    with servers.ours(folder / "ours") as ours:
        requestor = Requestor(told(ours).port, ours.title, [WORKLIST])
        took = []
        for _ in range(60):
            began = time.perf_counter()
            answers = requestor.find(WORKLIST, station_day())
            took.append((time.perf_counter() - began) * 1e3)
            if answers != 25:
                raise AssertionError(f"{answers} answers, 25 are right")
        requestor.release()
    yield bound("worklist C-FIND p50, 25 of 10,000 steps", "ms", statistics.median(took[10:]), 10.0, 4.0)


def bound(name: str, unit: str, value: float, least: float, aim: float) -> Figures:
    """A row that has no peer: a figure that must not be larger."""
    verdict = "aim" if value <= aim else "reached" if value <= least else "BELOW"
    return {
        "work": name, "beside": "-", "rounds": f"{value:.3g} {unit}", "least": f"{least:g} {unit}",
        "aim": f"{aim:g} {unit}", "verdict": verdict,
    }  # fmt: skip


# ── bringing back ──


def getting(folder: Path) -> Iterator[Figures]:
    """C-GET of one study of 500 CT slices, uncorrected."""
    from benchmarks.archives.filling import study_identifier

    template = objects.ct()
    names = {"orthanc": ("Orthanc", servers.orthanc), "dcmqrscp": ("dcmqrscp", servers.dcmqrscp)}
    study, series = objects.fresh_uid(), objects.fresh_uid()
    uids = [objects.fresh_uid() for _ in range(SLICES)]
    for name, least, aim in (("orthanc", 6.0, 9.0), ("dcmqrscp", 1.2, 1.8)):
        program, start = names[name]
        if servers.missing(program):
            yield {"work": "C-GET", "beside": name, "verdict": servers.missing(program)}
            continue
        with ExitStack() as running:
            ours = told(running.enter_context(servers.ours(folder / f"{name}-ours")))
            peer = told(running.enter_context(start(folder / name)))
            for server in (ours, peer):
                requestor = Requestor(server.port, server.title, [template.sop_class])
                for uid in uids:
                    requestor.store(template, study, series, uid)
                requestor.release()
            question = study_identifier(study)
            pairs = turns(partial(_got, ours, question), partial(_got, peer, question), ROUNDS)
            yield row(work(f"C-GET {SLICES} CT, uncorrected", name, least, aim), list(pairs))


def _got(server: Server, question: bytes) -> float:
    requestor = Requestor(server.port, server.title, [STUDY_GET, objects.CT], provides=[objects.CT])
    began = time.perf_counter()
    count = requestor.get(STUDY_GET, question)
    taken = time.perf_counter() - began
    requestor.release()
    if count != SLICES:
        raise AssertionError(f"{server.name}: {count} objects, {SLICES} are right")
    return taken


# ── starting ──


def starting(folder: Path) -> Iterator[Figures]:
    """From the command to READY, and resident memory with nobody connected; the median of five starts."""
    ready, memory = [], []
    for number in range(6):
        with servers.ours(folder / f"ours{number}") as ours:
            ready.append(ours.ready_s)
            memory.append(ours.memory_mb())
    yield bound("start to READY", "s", statistics.median(ready[1:]), 1.2, 0.8)
    yield bound("idle memory", "MB", statistics.median(memory[1:]), 100, 75)


_PARTS: dict[str, Callable[[Path], Iterator[Figures]]] = {
    "store": storing, "find": finding, "worklist": worklist, "get": getting, "start": starting,
}  # fmt: skip
