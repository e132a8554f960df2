from pacs_core.dicom.scan_fallback import Element, Pixels

class Surprise(ValueError): ...

def scan(
    data: bytes | bytearray | memoryview, start: int, end: int, implicit: bool, /
) -> tuple[dict[int, Element], Pixels | None]: ...
def differing(
    data: bytes | bytearray | memoryview,
    elements: dict[int, Element],
    before: bytes,
    those: dict[int, Element],
    /,
) -> list[int] | None: ...
def items(
    data: bytes | bytearray | memoryview, start: int, end: int, implicit: bool, /
) -> list[tuple[int, int]]: ...
def pick(
    data: bytes | bytearray | memoryview, start: int, end: int, implicit: bool, tags: tuple[int, ...], /
) -> list[bytes | tuple[int, int] | None]: ...
def file(
    path: str,
    tags: tuple[int, ...],
    syntaxes: dict[bytes, tuple[str, bool]],
    before: list[bytes | tuple[int, int] | None] | None,
    /,
) -> tuple[str, list[bytes | tuple[int, int] | None], list[int]]: ...
