from typing import Any

Three = tuple[float, float, float]
Two = tuple[float, float]

def cut(
    pixels: Any,
    out: Any,
    width: int,
    row0: int,
    row1: int,
    origin: Three,
    across: Three,
    down: Three,
    through: Three,
    planes: int,
    mode: int,
    interpolation: int,
    outside: int,
    lut: Any,
    stations: Any,
    rows: Any,
    /,
) -> None: ...
def flat(
    pixels: Any,
    out: Any,
    width: int,
    row0: int,
    row1: int,
    origin: Two,
    across: Two,
    down: Two,
    samples: int,
    interpolation: int,
    background: int,
    lut: Any,
    /,
) -> None: ...
def processor() -> str: ...
def choices() -> tuple[str, ...]: ...
def use(name: str, /) -> None: ...
