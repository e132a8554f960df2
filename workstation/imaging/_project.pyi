from typing import Any

Three = tuple[float, float, float]

def summits(pixels: Any, out: Any, z0: int, z1: int, /) -> None: ...
def project(
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
    fine: Any,
    coarse: Any,
    lowest: float,
    highest: float,
    outside: int,
    lut: Any,
    /,
) -> None: ...
def processor() -> str: ...
def choices() -> tuple[str, ...]: ...
def use(name: str, /) -> None: ...
