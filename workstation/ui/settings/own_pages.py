"""Settings of this workstation: the look, the addresses to give to others, and what runs here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from pacs_core.archive.models import NodeInfo
from workstation.imaging.memory import cache_bytes
from workstation.ui import language, theme, words
from workstation.ui.desk import Desk
from workstation.ui.widgets.basics import button, column, discard, label, line, row, tool
from workstation.ui.widgets.scrolling import ScrollArea

STATES = {
    "ok": ("check-circle-outline", "good"),
    "warn": ("alert-outline", "waiting"),
    "fail": ("alert-octagon-outline", "wrong"),
}


class Sheet(QWidget):
    """A settings page of captions and controls."""

    def __init__(self, title: str, about: str = "") -> None:
        super().__init__()
        self._inside = inside = QWidget()
        self.body = QVBoxLayout(inside)
        px = theme.current().px
        self.body.setContentsMargins(px(24), px(16), px(24), px(24))
        self.body.setSpacing(px(12))
        self._title, self._about = title, about
        self.head()
        area = ScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        self.setLayout(column(area, gap=0))
        inside.setMaximumWidth(px(880))

    def head(self) -> None:
        self.body.addWidget(label(self._title, "heading"))
        if self._about:
            self.body.addWidget(label(self._about, "quiet", wrap=True))

    def empty(self) -> None:
        """Begin anew; what is put in now is shown together, so that nothing is ever squeezed."""
        self._inside.hide()
        clear_all(self.body)
        self.head()
        QTimer.singleShot(0, self._inside, self._inside.show)

    def control(self, caption: str, widget: QWidget, about: str = "") -> None:
        widget.setAccessibleName(caption)
        widget.setMinimumWidth(theme.current().px(220))
        text = column(label(caption), *([label(about, "quiet", wrap=True)] if about else []), gap=0)
        line_ = row(text, widget, gap=24)
        line_.setStretch(0, 1)
        self.body.addLayout(line_)


def clear_all(layout: QLayout) -> None:
    """Take everything out of a layout, layouts within it too."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            discard(widget)
        elif (inner := item.layout()) is not None:
            clear_all(inner)


class LookPage(Sheet):
    """Theme, text size, motion, language, idle lock, and what happens after signing."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            words.t("This workstation"), words.t("Kept on this machine, for everybody who signs in here.")
        )
        self._desk, prefs = desk, desk.preferences
        self._choice(words.t("Theme"), [(k, k.capitalize()) for k in theme.THEMES], prefs.theme, self._theme)
        self._choice(words.t("Language"), list(language.names().items()), prefs.language, self._language)
        sizes = [(str(s), f"{s} %") for s in range(80, 201, 10)]
        self._choice(
            words.t("Text size"),
            sizes,
            str(prefs.text_scale),
            self._scale,
            words.t("Ctrl + and Ctrl − do it too"),
        )
        motion = QCheckBox(words.t("Reduced motion"))
        motion.setChecked(prefs.reduced_motion)
        motion.toggled.connect(self._motion)
        self.control(words.t("Motion"), motion, words.t("Changes appear at once, nothing fades"))
        lock = QSpinBox()
        lock.setRange(0, 240)
        lock.lineEdit().setTextMargins(theme.current().px(6), 0, 0, 0)
        lock.setSuffix(f" {words.t('min')}")
        lock.setSpecialValueText(words.t("never"))
        lock.setValue(prefs.idle_lock_minutes)
        lock.valueChanged.connect(lambda v: self._keep("idle_lock_minutes", v))
        self.control(
            words.t("Lock when idle"), lock, words.t("Your work stays; another person may sign in over it")
        )
        self._memory()
        self._microphones()
        core = [
            ("", words.t("ask")),
            ("goes on", words.t("it goes on receiving")),
            ("stops", words.t("it stops")),
        ]
        self._choice(
            words.t("When the window closes, the archive"),
            core,
            prefs.core_on_close,
            lambda v: self._keep("core_on_close", v),
        )
        self.body.addStretch(1)

    def _choice(
        self,
        caption: str,
        options: list[tuple[str, str]],
        now: str,
        chosen: Callable[[str], object],
        about: str = "",
    ) -> None:
        box = QComboBox()
        for value, said in options:
            box.addItem(words.t(said), value)
        box.setCurrentIndex(max(0, box.findData(now)))
        box.activated.connect(lambda _n: chosen(box.currentData()))
        self.control(caption, box, about)

    def _memory(self) -> None:
        box = QSpinBox()
        box.setRange(0, 1 << 20)
        box.setSingleStep(512)
        box.setKeyboardTracking(False)
        box.lineEdit().setTextMargins(theme.current().px(6), 0, 0, 0)
        box.setSuffix(" MiB")
        box.setSpecialValueText(f"{words.t('automatic')}: {cache_bytes(0) >> 20} MiB")
        box.setValue(self._desk.preferences.image_memory_mib)
        box.valueChanged.connect(lambda v: self._keep("image_memory_mib", v))
        self.control(
            words.t("Memory for images"),
            box,
            words.t("Images that were loaded stay at hand within it; what is needed least goes first"),
        )

    def _microphones(self) -> None:
        box = QComboBox()
        box.addItem(words.t("the system's choice"), "")
        box.addItem(words.t("asking …"), "?")
        prefs = self._desk.preferences
        box.activated.connect(lambda _n: self._keep("microphone", box.currentData()))
        self.control(
            words.t("Microphone"), box, words.t("Speech is recognised on this machine; nothing leaves it")
        )

        def devices() -> list[tuple[str, str]]:
            from workstation.reporting.microphone import input_devices

            return [(str(d.index), d.name) for d in input_devices()]

        def show(found: list[tuple[str, str]]) -> None:
            box.removeItem(1)
            for value, name in found:
                box.addItem(name, value)
            box.setCurrentIndex(max(0, box.findData(prefs.microphone)))

        def none(error: Exception) -> None:
            box.removeItem(1)
            box.setToolTip(words.failure(error).words)

        self._desk.tasks.ask(self, words.t("list microphones"), devices, show, none)

    def _keep(self, name: str, value: object) -> None:
        setattr(self._desk.preferences, name, value)
        self._desk.preferences.save()
        for tell in self._desk.kept:
            tell(name)

    def _theme(self, key: str) -> None:
        self._keep("theme", key)
        theme.change(key=key)

    def _language(self, code: str) -> None:
        self._keep("language", code)
        language.change(code)

    def _scale(self, value: str) -> None:
        self._keep("text_scale", int(value))
        theme.change(scale=int(value) / 100)

    def _motion(self, on: bool) -> None:
        self._keep("reduced_motion", on)
        theme.change(reduced_motion=on)


class NodePage(Sheet):
    """Addresses to copy into a scanner and a RIS, the data folder, and the checks of doctor."""

    def __init__(
        self, desk: Desk, title: str, about: str, fill: Callable[[NodePage, NodeInfo], object]
    ) -> None:
        super().__init__(title, about)
        self._desk, self._fill = desk, fill
        self.refresh()

    def refresh(self) -> None:
        archive = self._desk.archive
        self._desk.tasks.ask(
            self, words.t("ask the node"), archive.administration.node, self._show, self._failed
        )

    def _show(self, node: NodeInfo) -> None:
        self.empty()
        self._fill(self, node)
        self.body.addStretch(1)

    def _failed(self, error: Exception) -> None:
        self.empty()
        told = words.failure(error)
        self.body.addWidget(label(told.title, "wrong"))
        self.body.addWidget(label(told.words, "quiet", wrap=True))
        self.body.addLayout(row(button(words.t("Try again"), self.refresh), 1))
        self.body.addStretch(1)

    def lines(self, title: str, pairs: tuple[tuple[str, str], ...]) -> None:
        """Caption and value, each with a button that copies it."""
        if title:
            self.body.addWidget(label(title, "title"))
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.current().px(16))
        grid.setVerticalSpacing(theme.current().px(4))
        grid.setColumnMinimumWidth(0, theme.current().px(200))
        grid.setColumnStretch(1, 1)
        for number, (caption, value) in enumerate(pairs):
            grid.addWidget(label(caption, "quiet"), number, 0)
            grid.addWidget(
                label(value, "", name=f"{caption}: {value}", wrap=True, selectable=True), number, 1
            )
            grid.addWidget(
                tool("content-copy", f"{words.t('Copy')} {caption}", lambda v=value: self._copy(v)), number, 2
            )
        self.body.addWidget(holder)

    def _copy(self, value: str) -> None:
        QApplication.clipboard().setText(value)
        self._desk.say(words.t("Copied: {value}").format(value=value), "quiet")

    def check(self, state: str, name: str, said: str, advice: str) -> None:
        icon, token = STATES.get(state, STATES["warn"])
        mark = label("")
        mark.setPixmap(theme.pixmap(icon, token, 16))
        text = label(f"{name}: {said}", name=f"{name}: {said}", wrap=True)
        told = column(text, *([label(advice, "quiet", wrap=True)] if advice else []), gap=0)
        line_ = row(mark, told)
        line_.setStretch(1, 1)
        line_.setAlignment(mark, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(line_)


def addresses(page: NodePage, node: NodeInfo) -> None:
    """What to type into a scanner and a RIS."""
    for warning in node.warnings:
        page.body.addWidget(label(warning, "waiting", wrap=True))
    host, port = node.dicom.rpartition(":")[::2]
    page.lines(
        words.t("For a scanner (DICOM)"),
        ((words.t("AE title"), node.ae), (words.t("Address"), host), (words.t("Port"), port)),
    )
    hl7_host, hl7_port = node.hl7.rpartition(":")[::2]
    page.lines(
        words.t("For a RIS (HL7 over MLLP)"), ((words.t("Address"), hl7_host), (words.t("Port"), hl7_port))
    )
    page.lines(
        words.t("For programs (DICOMweb and API)"),
        ((words.t("DICOMweb"), f"{node.http}/dicom-web"), (words.t("API"), f"{node.http}/api/v1")),
    )
    lan = ", ".join(node.lan_addresses) or words.t("none found")
    page.lines(
        words.t("This machine"),
        ((words.t("Addresses in the network"), lan), (words.t("Site's zone"), node.zone)),
    )
    loopback = host.startswith("127.") or host in ("localhost", "::1")
    if loopback:
        text = words.t(
            "The node listens on this machine only. To let others in, bind it to a network address on "
            "the page Node, add them as peers and sources, and open the ports in the firewall."
        )
        page.body.addWidget(label(text, "quiet", wrap=True))


def about(page: NodePage, node: NodeInfo) -> None:
    """Versions, the engine in use, the data folder, and what doctor says."""
    from workstation.rendering.engines import choose

    page.lines(
        "",
        (
            (words.t("Version"), node.version),
            (words.t("Picture engine"), choose().name),
            (words.t("Data folder"), node.data),
            (words.t("Kept here"), f"{node.studies} {words.t('studies')}, {node.images} {words.t('images')}"),
            (words.t("Free space"), f"{node.free_bytes / (1 << 30):.0f} GiB"),
        ),
    )
    page.body.addWidget(
        label(words.t("Reading Room is not a certified medical device."), "waiting", wrap=True)
    )
    page.body.addWidget(line())
    page.body.addWidget(label(words.t("Checks"), "title"))
    for check in node.checks:
        page.check(check.state, check.name, check.words, check.advice)
    if not node.checks:
        page.body.addWidget(label(words.t("No check has run yet."), "quiet"))
