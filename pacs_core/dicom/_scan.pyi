from pacs_core.dicom.scan_fallback import Element, Pixels

class Surprise(ValueError): ...

def scan(
    data: bytes | bytearray | memoryview, start: int, end: int, implicit: bool, /
) -> tuple[dict[int, Element], Pixels | None]: ...
def items(
    data: bytes | bytearray | memoryview, start: int, end: int, implicit: bool, /
) -> list[tuple[int, int]]: ...
