"""The readable blocks of a document as one text: facts, tables, trees, words; references are links."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtWidgets import QTextBrowser

from workstation.imaging.documents import Block, Facts, Node, Table, Text, Tree
from workstation.ui import theme, words

LINK = "image:"
INDENT = 18


class DocumentText(QTextBrowser):
    """Read, scrolled and copied; `wanted` carries the UID and frame of an image a link points to."""

    wanted = Signal(str, int)

    def __init__(self, blocks: Iterable[Block], warnings: tuple[str, ...]) -> None:
        super().__init__()
        self.setAccessibleName(words.t("Words of the document"))
        self.setOpenLinks(False)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.anchorClicked.connect(self._go)
        self.setFont(theme.current().font())
        self.setHtml(page(blocks, warnings))

    def _go(self, link: QUrl) -> None:
        uid, _, frame = link.toString().removeprefix(LINK).partition("/")
        self.wanted.emit(uid, int(frame or 0))


def page(blocks: Iterable[Block], warnings: tuple[str, ...]) -> str:
    """All of them in Qt's HTML, warnings first."""
    colours, blocks = theme.current().colours, tuple(blocks)
    said = {block.words for block in blocks if isinstance(block, Text)}
    warnings = tuple(one for one in warnings if one not in said)
    told = "".join(f'<p style="color:{colours["waiting"]}">{escape(one)}</p>' for one in warnings)
    ordered = sorted(blocks, key=lambda block: isinstance(block, Tree))  # measurements before all the rest
    return told + "".join(_block(block) for block in ordered)


def _block(block: Block) -> str:
    if isinstance(block, Facts):
        return _title(block.title) + _rows(block.rows)
    if isinstance(block, Table):
        return _title(block.title) + _rows(block.rows, block.heads)
    if isinstance(block, Text):
        return _title(block.title) + f"<p>{escape(block.words).replace(chr(10), '<br>')}</p>"
    if isinstance(block, Tree):
        return "".join(_node(block.root, 0))
    return ""


def _title(words_: str) -> str:
    return f"<h3>{escape(words_)}</h3>" if words_ else ""


def _rows(rows: Iterable[tuple[str, ...]], heads: tuple[str, ...] = ()) -> str:
    quiet = theme.current().colours["quiet"]
    head = "".join(f'<th align="left" style="color:{quiet}">{escape(one)}</th>' for one in heads)
    body = "".join(f"<tr>{_cells(row, quiet if not heads else '')}</tr>" for row in rows)
    return f'<table cellpadding="3" cellspacing="0"><tr>{head}</tr>{body}</table>'


def _cells(row: tuple[str, ...], first: str) -> str:
    styles = [f' style="color:{first}"' if first and n == 0 else "" for n in range(len(row))]
    return "".join(
        f"<td{style}>{escape(one)}&nbsp;&nbsp;</td>" for one, style in zip(row, styles, strict=True)
    )


def _node(one: Node, depth: int) -> Iterable[str]:
    quiet = theme.current().colours["quiet"]
    name = f'<span style="color:{quiet}">{escape(one.concept)}</span>' if one.value else escape(one.concept)
    parts = [name if one.concept else "", escape(one.value), *(_link(*r) for r in one.references)]
    said = " ".join(part for part in parts if part)
    if said:
        size = "<b>{}</b>" if depth == 0 else "{}"
        yield f'<p style="margin:2px 0 2px {INDENT * depth}px">{size.format(said)}</p>'
    for child in one.children:
        yield from _node(child, depth + 1)


def _link(uid: str, frame: int) -> str:
    return f'<a href="{LINK}{escape(uid)}/{frame}">{escape(words.t("Show the image"))}</a>'
