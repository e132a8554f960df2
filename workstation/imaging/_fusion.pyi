from typing import Any

def fuse(
    out: Any,
    width: int,
    row0: int,
    row1: int,
    below: tuple[Any, ...],
    above: tuple[Any, ...],
    background: int,
    colours: Any,
    /,
) -> None: ...
def processor() -> str: ...
def choices() -> tuple[str, ...]: ...
def use(name: str, /) -> None: ...
