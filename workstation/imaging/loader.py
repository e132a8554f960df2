"""Series into volumes, on threads, the most urgent picture first (cornerstone's order: first, ends, every
fourth, rest).

Two queues: `fetch` for frames that have to be asked for, `decode` for files and decoding, so that a slow
link never stands before a picture that is already here.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np

from pacs_core.archive.models import LocalFile
from workstation.imaging.cache import ByteCache
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.frame_reader import Fetch, FrameError, lies_plain, read_into, read_together
from workstation.imaging.volume import Volume
from workstation.imaging.work_queue import Job, Urgency, WorkQueue

log = logging.getLogger("reading_room.view")

__all__ = ["Fetch", "LoadRequest", "Loader", "SliceLoaded", "Urgency", "slice_order"]

DEFAULT_CACHE_BYTES = 2 << 30
NEAR = 32
"""Slices around the reader's place that are fetched before all else."""
AHEAD = 256
"""Slices beyond those that are fetched after them where they had been given back."""
BATCH_BYTES = 4 << 20
"""Plain pixels read in one job: some milliseconds from a disk, the time a more urgent picture may wait."""


def _filled_together(volume: Volume, indices: list[int]) -> list[int]:
    """Those of the slices that one call filled; none where it failed, for then each is read for itself."""
    try:
        return read_together(volume.pixels, {k: volume.header(k) for k in indices})
    except Exception as error:  # the worker loop: what is wrong with one frame must not cost the others
        log.warning("frames could not be read together: %s", type(error).__name__)
        log.debug("the frames of %s", volume.display_set.uid, exc_info=True)
        return []


@dataclass(frozen=True, slots=True)
class SliceLoaded:
    """One slice of a request is there (or has failed: `words`); `loaded` of `total` are."""

    request_id: int
    index: int
    loaded: int
    total: int
    words: str = ""


def _first_urgency(urgency: Urgency) -> Urgency:
    """The first picture of what is only fetched ahead is wanted as its thumbnail."""
    return Urgency.THUMBNAIL if urgency is Urgency.PREFETCH else urgency


def slice_order(count: int, first: int) -> list[int]:
    """The wanted slice, then both ends and the middle, then every fourth and the rest, nearest to the
    wanted first.
    """
    first = min(max(first, 0), count - 1)
    near = sorted(range(count), key=lambda k: (abs(k - first), k))
    wanted = [first, 0, count // 2, count - 1]
    fourth = [k for k in near if (k - first) % 4 == 0]
    return list(dict.fromkeys([*wanted, *fourth, *near]))


class LoadRequest:
    """One wish to have a display set loaded: its `volume`, filled as slices come, and `done`, a future of it.

    `on_slice` is called on worker threads, never after `cancel` has returned.
    """

    def __init__(self, number: int, volume: Volume, tell: Callable[[SliceLoaded], None] | None) -> None:
        self.id = number
        self.volume = volume
        self.done: Future[Volume] = Future()
        self._tell = tell
        self._jobs: dict[int, Job] = {}
        self._lock = threading.RLock()
        self._cancelled = False
        self._stop = volume.listen(self._slice)

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Drop every slice not yet begun; no callback after this returns."""
        with self._lock:
            self._cancelled = True
            for job in self._jobs.values():
                job.cancel()
            self._jobs.clear()
        self._stop()
        self.done.cancel()

    def _slice(self, index: int) -> None:
        with self._lock:
            if self._cancelled:
                return
            self._jobs.pop(index, None)
            if self._tell is not None:
                words = self.volume.failures.get(index) or self.volume.warnings.get(index, "")
                there = self.volume.loaded_count
                self._tell(SliceLoaded(self.id, index, there, len(self.volume.loaded), words))
            self.finish_if_complete()

    def given_up(self, indices: Iterable[int]) -> None:
        """The slices stay unloaded for want of room; nobody is told, they may be asked for again."""
        with self._lock:
            for index in indices:
                self._jobs.pop(index, None)

    def reopen(self) -> None:
        """Slices that were there have been given back: be told again when they come."""
        with self._lock:
            if self.done.done() and not self._cancelled:
                self.done = Future()
                self._stop = self.volume.listen(self._slice)

    def finish_if_complete(self) -> None:
        """Resolve `done` once every slice is there or has failed."""
        with self._lock:
            if self.volume.is_complete and not self._cancelled and not self.done.done():
                self._stop()
                self.done.set_result(self.volume)

    def add_job(self, indices: Iterable[int], job: Job) -> None:
        """These slices are this job's from now on, whosever they were."""
        with self._lock:
            if self._cancelled or self.done.done():
                job.cancel()
            else:
                self._jobs.update(dict.fromkeys(indices, job))

    def still(self, indices: Iterable[int], job: Job) -> list[int]:
        """Those of a job's slices that no later job has taken over and that have not come otherwise."""
        with self._lock:
            return [k for k in indices if self._jobs.get(k) is job]

    def waiting(self) -> list[int]:
        """Slices that have been asked for and have not arrived."""
        with self._lock:
            return list(self._jobs)

    def absent(self) -> list[int]:
        """Slices that are neither there nor known to have failed, asked for or not."""
        volume = self.volume
        return [int(k) for k in np.flatnonzero(~volume.loaded) if int(k) not in volume.failures]


def _batches(volume: Volume, order: list[int]) -> Iterator[list[int]]:
    """The order cut into jobs: the first picture alone; what lies in files as it is in runs of neighbours (a
    run is there in milliseconds, and its memory is touched once); every other picture alone.
    """
    most = max(1, BATCH_BYTES // max(1, volume.slice_nbytes))
    runs: dict[int, list[int]] = {}
    for index in order[1:]:
        plain = lies_plain(volume.header(index))
        runs.setdefault(index // most if plain else -1 - index, []).append(index)
    yield from (order[:1], *(sorted(run) for run in runs.values())) if order else ()


def _emptied(volume: Volume) -> None:
    volume.forget(range(len(volume.loaded)))


class Loader:
    """One per workstation. `fetch(sop_instance_uid, frame)` gives a frame's bytes where no local file does.

    Volumes are kept in `cache` by bytes; asking again for one that is there answers at once. Where a slice
    has no room, those of the volumes least recently asked for make it, then those of its own volume farthest
    from the reader's place; what is only fetched ahead makes nobody go.
    """

    def __init__(
        self,
        fetch: Fetch | None = None,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        workers: int | None = None,
        fetchers: int = 4,
    ) -> None:
        self.cache: ByteCache[Volume] = ByteCache(cache_bytes, let_go=_emptied)
        self._fetch = fetch
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._place: dict[str, int] = {}
        self._coming = 0
        self._decode_queue = WorkQueue("decode", workers or min(8, os.cpu_count() or 2))
        self._fetch_queue = WorkQueue("fetch", fetchers)

    def load(
        self,
        display_set: DisplaySet,
        *,
        first: int = 0,
        on_slice: Callable[[SliceLoaded], None] | None = None,
        urgency: Urgency = Urgency.INTERACTION,
    ) -> LoadRequest:
        """Begin to load, the picture `first` before all others; the volume is there at once, its slices
        follow.
        """
        volume = self.volume_of(display_set)
        volume.retry_failures()
        request = LoadRequest(next(self._numbers), volume, on_slice)
        order = slice_order(len(display_set.frames), first)
        self._place[display_set.uid] = order[0]
        self._schedule(request, order, urgency, first_at_once=True)
        request.finish_if_complete()
        return request

    def focus(self, request: LoadRequest, index: int) -> None:
        """The reader is at `index` now: load what is missing there before all else."""
        self._place[request.volume.display_set.uid] = index
        self._used(request.volume)
        absent = request.absent()
        if absent:
            request.reopen()
        asked = set(request.waiting())
        by_nearness = sorted(absent, key=lambda k: abs(k - index))
        self._schedule(request, by_nearness[:NEAR], Urgency.INTERACTION, first_at_once=False)
        rest = [k for k in by_nearness[NEAR : NEAR + AHEAD] if k not in asked]
        self._schedule(request, rest, Urgency.PREFETCH, first_at_once=False)

    def promote(self, request: LoadRequest, urgency: Urgency) -> None:
        """Give everything that is not there yet another urgency (a prefetched series was opened)."""
        self._used(request.volume)
        place = self._place.get(request.volume.display_set.uid, 0)
        absent = sorted(request.absent(), key=lambda k: abs(k - place))
        if absent:
            request.reopen()
        self._schedule(request, absent, urgency, first_at_once=False)

    def volume_of(self, display_set: DisplaySet) -> Volume:
        """The volume of a display set, as far as it is loaded; allocated where it was not there.

        A display set that has grown (the study is still arriving) takes over what its smaller self had
        loaded.
        """
        with self._lock:
            known = self.cache.get(display_set.uid)
            if known is not None and known.holds(display_set):
                return known
            volume = Volume(display_set)
            self.cache.put(display_set.uid, volume)
        if known is not None:
            volume.adopt(known)
        return volume

    def _used(self, volume: Volume) -> None:
        """The volume is the most recently used; one that was thrown out is counted again."""
        uid = volume.display_set.uid
        if self.cache.get(uid) is None:
            self.cache.put(uid, volume)

    def close(self) -> None:
        """End all threads; requests that were under way stay incomplete."""
        self._fetch_queue.close()
        self._decode_queue.close()

    def _schedule(
        self, request: LoadRequest, order: list[int], urgency: Urgency, first_at_once: bool
    ) -> None:
        volume, first = request.volume, order[:1] if first_at_once else []
        wanted = [k for k in order if not volume.loaded[k] and k not in volume.failures]
        for rank, indices in enumerate(_batches(volume, wanted)):
            urgent = _first_urgency(urgency) if indices == first else urgency
            queue = self._decode_queue if self._is_here(volume, indices[0]) else self._fetch_queue

            def run(job: Job, indices: list[int] = indices, urgent: Urgency = urgent) -> None:
                self._load(request, request.still(indices, job), urgent)

            job = Job(run)
            request.add_job(indices, job)
            queue.submit(job, urgent, rank)

    def _is_here(self, volume: Volume, index: int) -> bool:
        return isinstance(volume.header(index).locator, LocalFile) or self._fetch is None

    def _load(self, request: LoadRequest, indices: list[int], urgency: Urgency) -> None:
        """Fill these slices: those that lie in files as they are together, the others one by one."""
        volume = request.volume
        claimed = volume.claim_all(indices)
        mine = self._make_room(volume, claimed, urgency)
        if len(mine) < len(claimed):
            without = set(claimed).difference(mine)
            volume.release(without)
            request.given_up(without)
        there = _filled_together(volume, mine)
        self._end(volume, len(there), partial(volume.arrived_all, there))
        for index in mine if len(there) < len(mine) else ():
            if index not in there:
                self._load_slice(volume, index)

    def _load_slice(self, volume: Volume, index: int) -> None:
        warning = words = ""
        try:
            warning = read_into(volume.header(index), volume.pixels[index], self._fetch)
        except FrameError as error:
            words = str(error)
        except (
            Exception
        ) as error:  # the worker loop: whatever a decoder or link raises becomes words for the reader
            log.warning("a frame could not be read: %s", type(error).__name__)
            log.debug("frame %s", volume.header(index).sop_instance_uid, exc_info=True)
            words = f"The frame could not be read: {error}"
        told = partial(volume.failed, index, words) if words else partial(volume.arrived, index, warning)
        self._end(volume, 1, told)

    def _end(self, volume: Volume, count: int, tell: Callable[[], None]) -> None:
        """So many slices have come or failed: tell, and they are no longer coming whoever is told."""
        try:
            tell()
        finally:
            with self._lock:
                self._coming -= count * volume.slice_nbytes

    def _make_room(self, volume: Volume, indices: list[int], urgency: Urgency) -> list[int]:
        """Those of the slices for which there is room, now or after others went."""
        there: list[int] = []
        with self._lock:
            whole = len(indices) * volume.slice_nbytes
            if self.cache.nbytes + self._coming + whole <= self.cache.limit:
                self._coming += whole
                return indices
            for index in indices:
                if self._has_room(volume, index, urgency):
                    self._coming += volume.slice_nbytes
                    there.append(index)
        return there

    def _has_room(self, volume: Volume, index: int, urgency: Urgency) -> bool:
        lacking = self.cache.nbytes + self._coming + volume.slice_nbytes - self.cache.limit
        if lacking <= 0:
            return True
        if urgency > Urgency.THUMBNAIL:
            return False
        for _uid, other in self.cache.oldest_first():
            if other is not volume and lacking > 0:
                lacking -= other.nbytes
                _emptied(other)
        return lacking <= 0 or self._forget_far(volume, index)

    def _forget_far(self, volume: Volume, index: int) -> bool:
        """Give the slice farthest from the reader's place for one that is nearer."""
        place = self._place.get(volume.display_set.uid, index)
        there = np.flatnonzero(volume.loaded)
        if there.size == 0:
            return True
        farthest = int(there[np.argmax(np.abs(there - place))])
        if abs(farthest - place) <= abs(index - place):
            return False
        volume.forget([farthest])
        return True
