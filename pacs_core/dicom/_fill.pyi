from collections.abc import Sequence
from typing import Any

def fill(array: Any, frames: Sequence[tuple[str, int, int, int]], /) -> bytes: ...
