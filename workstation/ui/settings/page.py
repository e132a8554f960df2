"""The settings: a list of pages at the left, the chosen one beside it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QStackedWidget, QWidget

from pacs_core.domain.access import Verb
from workstation.ui import theme, words
from workstation.ui.desk import Desk
from workstation.ui.settings import subjects
from workstation.ui.settings.listing import Listing
from workstation.ui.settings.node_settings import NodeSettingsPage
from workstation.ui.settings.own_pages import LookPage, NodePage, about, addresses
from workstation.ui.widgets.basics import column, line, row


class SettingsPage(QWidget):
    """Everybody may change this workstation; administrators the node."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._list, self._pages = QListWidget(), QStackedWidget()
        self._built: dict[int, QWidget] = {}
        self._makers: list[Callable[[], QWidget]] = []
        self._list.setAccessibleName(words.t("Settings pages"))
        self._list.setFixedWidth(theme.current().px(232))
        self._list.setIconSize(QSize(theme.current().icon_size, theme.current().icon_size))
        self._list.currentRowChanged.connect(self._show)
        self._fill()
        side = QFrame()
        side.setProperty("look", "panel")
        side.setLayout(column(self._list, margin=(8, 12)))
        layout = row(side, line(upright=True), self._pages, gap=0)
        layout.setStretch(2, 1)
        self.setLayout(layout)
        self._list.setCurrentRow(0)

    def _fill(self) -> None:
        desk = self._desk
        self._page(words.t("This workstation"), "monitor", lambda: LookPage(desk))
        self._page(
            words.t("Addresses"),
            "lan",
            lambda: NodePage(
                desk,
                words.t("Addresses"),
                words.t("What to type into a scanner or a RIS so that it finds this node."),
                addresses,
            ),
        )
        if desk.may(Verb.ADMINISTER):
            self._page(words.t("Node"), "tune-variant", lambda: NodeSettingsPage(desk))
            self._page(
                words.t("DICOM peers"), "radiology-box-outline", lambda: Listing(desk, subjects.peers(desk))
            )
            self._page(
                words.t("HL7 sources"),
                "message-arrow-left-outline",
                lambda: Listing(desk, subjects.sources(desk)),
            )
            self._page(
                words.t("Destinations"), "send-outline", lambda: Listing(desk, subjects.destinations(desk))
            )
            self._page(
                words.t("People"), "account-group-outline", lambda: Listing(desk, subjects.people(desk))
            )
            self._page(words.t("Tokens"), "key-outline", lambda: Listing(desk, subjects.tokens(desk)))
        self._page(words.t("About"), "information-outline", lambda: NodePage(desk, "Reading Room", "", about))

    def _page(self, name: str, icon: str, make: Callable[[], QWidget]) -> None:
        item = QListWidgetItem(theme.icon(icon), name)
        item.setSizeHint(QSize(0, theme.current().px(36)))
        self._list.addItem(item)
        self._makers.append(make)

    def _show(self, number: int) -> None:
        if number < 0:
            return
        if number not in self._built:
            self._built[number] = self._makers[number]()
            self._pages.addWidget(self._built[number])
        self._pages.setCurrentWidget(self._built[number])
        refresh = getattr(self._built[number], "refresh", None)
        if refresh is not None:
            refresh()

    def entered(self) -> None:
        self._list.setFocus()
