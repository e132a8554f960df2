"""The brick maxima of the volumes that are looked through, made once for each when it is whole."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from workstation.imaging.volume import Volume
from workstation.rendering.engines.engine import Array, Engine, Summits

_known: WeakKeyDictionary[Volume, tuple[int, Summits | None]] = WeakKeyDictionary()
_lock = threading.Lock()


def summits_of(volume: Volume, array: Array, engine: Engine) -> Summits | None:
    """What `Engine.projected` asks of a volume's array; made anew when a slice has come or gone."""
    with _lock:
        known = _known.get(volume)
    if known is not None and known[0] == volume.generation:
        return known[1]
    generation = volume.generation
    found = engine.summits(array)
    with _lock:
        _known[volume] = (generation, found)
    return found
