from typing import Any

Three = tuple[float, float, float]
Two = tuple[float, float]
Six = tuple[float, float, float, float, float, float]

def block_shape(volume: Any, /) -> tuple[int, int, int]: ...
def ranges(volume: Any, out: Any, first: int, last: int, /) -> None: ...
def leaps(
    volume: Any, ranges: Any, mask: Any, alpha: Any, scale: float, bias: float, out: Any, /
) -> None: ...
def cast(
    volume: Any,
    ranges: Any,
    leaps: Any,
    mask: Any,
    out: Any,
    width: int,
    row0: int,
    row1: int,
    origin: Three,
    across: Three,
    down: Three,
    along: Three,
    planes: Any,
    mode: int,
    scale: float,
    bias: float,
    alpha: Any,
    colour: Any,
    edge: Any,
    edge_scale: float,
    light: Any,
    metric: Six,
    sight: Three,
    faint: float,
    floor: float,
    ceiling: float,
    newest: Any,
    mine: int,
    /,
) -> bool: ...
def snip(
    mask: Any,
    shape: tuple[int, int, int],
    stencil: Any,
    origin: Two,
    right: Two,
    down: Two,
    step: Two,
    inside: bool,
    first: int,
    last: int,
    /,
) -> int: ...
def processor() -> str: ...
def choices() -> tuple[str, ...]: ...
def use(name: str, /) -> None: ...
