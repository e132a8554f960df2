"""Encapsulated PDF by pdfium, one page at a time (PS3.3 A.45.1)."""

from __future__ import annotations

import threading

import numpy as np

from workstation.imaging.documents.model import Rgb

WIDEST = 8192
_pdfium = threading.Lock()
"""Pdfium is one machine without threads."""


class Unreadable(ValueError):
    """The document is no PDF that can be opened; the message says why."""


class PdfPages:
    """The pages of a PDF held in memory; raises Unreadable where it cannot be opened."""

    def __init__(self, content: bytes) -> None:
        import pypdfium2

        if b"%PDF-" not in content[:1024]:
            raise Unreadable("the document is no PDF")
        try:
            with _pdfium:
                self._file = pypdfium2.PdfDocument(content)
                self.count = len(self._file)
                self._sizes = [self._file.get_page_size(n) for n in range(self.count)]
        except pypdfium2.PdfiumError as found:
            raise Unreadable(f"the PDF cannot be opened ({found})") from found
        if self.count == 0:
            raise Unreadable("the PDF has no pages")

    def size(self, page: int) -> tuple[float, float]:
        """Width and height of a page in points."""
        width, height = self._sizes[page]
        return float(width), float(height)

    def render(self, page: int, width: int) -> Rgb:
        """A page as RGB, so many pixels wide."""
        points = max(1.0, self._sizes[page][0])
        wanted = min(max(1, width), WIDEST)
        with _pdfium:
            sheet = self._file[page]
            try:
                bitmap = sheet.render(scale=wanted / points, rev_byteorder=True)
                found = np.array(bitmap.to_numpy()[:, :, :3], dtype=np.uint8)
                bitmap.close()
            finally:
                sheet.close()
        return found

    def text(self, page: int) -> str:
        """The words of a page."""
        with _pdfium:
            sheet = self._file[page]
            try:
                words = sheet.get_textpage()
                try:
                    return str(words.get_text_range())
                finally:
                    words.close()
            finally:
                sheet.close()

    def close(self) -> None:
        with _pdfium:
            self._file.close()
