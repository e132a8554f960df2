"""Signed text to read: the versions of a report and where its result is; and the reports of earlier
studies.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QSizePolicy, QVBoxLayout, QWidget

from pacs_core.archive.models import ReportView
from pacs_core.domain.report import ReportVersion
from workstation.ui import theme, words
from workstation.ui.widgets.basics import Elided, StateWord, clear, column, label, row, tool
from workstation.ui.widgets.scrolling import ScrollArea


class VersionText(ScrollArea):
    """One signed version as text, with its signature."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)
        inside = QWidget()
        self._layout = QVBoxLayout(inside)
        px = theme.current().px
        self._layout.setContentsMargins(px(16), px(8), px(16), px(16))
        self._layout.setSpacing(px(4))
        self.setWidget(inside)
        self._shown: tuple[ReportVersion | None, str] | None = None

    def show_version(self, version: ReportVersion | None, empty: str = "") -> None:
        """Show it, or words for none; what is shown already stays as it is, as far as it was read."""
        if self._shown == (version, empty):
            return
        self._shown = version, empty
        clear(self._layout)
        if version is None:
            self._layout.addWidget(label(empty, "quiet", wrap=True))
            self._layout.addStretch(1)
            return
        for section in version.sections:
            self._layout.addWidget(label(section.heading, "strong"))
            self._layout.addWidget(
                label(
                    section.text or "–",
                    "",
                    name=f"{section.heading}: {section.text}",
                    wrap=True,
                    selectable=True,
                )
            )
            self._layout.addSpacing(theme.current().px(6))
        signed = words.t("{kind} signed by {who}, {when}").format(
            kind=words.t(str(version.kind).capitalize()),
            who=version.signer_name or version.signer,
            when=words.local_moment(version.signed_at),
        )
        self._layout.addWidget(label(signed, "quiet", name=signed, wrap=True))
        if version.reason:
            self._layout.addWidget(label(f"{words.t('Reason')}: {version.reason}", "quiet", wrap=True))
        self._layout.addStretch(1)


class SignedReport(QFrame):
    """A report that was signed: its versions, newest first, and its deliveries with the receivers' own
    words.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pick = QComboBox()
        self._pick.setAccessibleName(words.t("Version"))
        self._text = VersionText(words.t("Signed report"))
        self._deliveries = QVBoxLayout()
        self._report: ReportView | None = None
        self._pick.currentIndexChanged.connect(lambda _n: self._show())
        layout = column(
            row(self._pick, margin=(16, 4)), self._text, column(self._deliveries, margin=(16, 4)), gap=0
        )
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def show_report(self, report: ReportView) -> None:
        if report == self._report:
            return  # the version looked at stays
        self._report = report
        before = self._pick.count()
        self._pick.blockSignals(True)
        self._pick.clear()
        for version in reversed(report.versions):
            self._pick.addItem(
                f"{words.t('Version')} {version.version} · {words.t(str(version.kind))} · "
                f"{words.local_moment(version.signed_at)}",
                version,
            )
        self._pick.setVisible(len(report.versions) > 1)
        self._pick.blockSignals(False)
        if before != self._pick.count() or before == 0:
            self._pick.setCurrentIndex(0)
        self._show()
        clear(self._deliveries)
        for delivery in report.deliveries:
            state = words.state(words.DELIVERY, delivery.state)
            mark, said = StateWord(delivery.destination), Elided("", "quiet")
            mark.show_state(f"{delivery.destination}: {words.t(state.word)}", state.icon, state.token)
            said.setText(f"{delivery.answer_code} {delivery.answer}".strip())
            holder = QWidget()
            holder.setLayout(row(mark, said))
            holder.layout().setStretch(1, 1)
            self._deliveries.addWidget(holder)

    def _show(self) -> None:
        self._text.show_version(self._pick.currentData())


class PriorReports(QFrame):
    """Reports of earlier studies of this patient, beside the one being written."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Prior reports"))
        self._pick = QComboBox()
        self._pick.setAccessibleName(words.t("Prior report"))
        self._text = VersionText(words.t("Prior report text"))
        self._title = label(words.t("Prior"), "strong")
        self._fold = tool(
            "chevron-down", words.t("Fold the prior report"), lambda: self.fold(not self._text.isHidden())
        )
        self._pick.currentIndexChanged.connect(lambda _n: self._show())
        layout = column(row(self._title, self._pick, self._fold, margin=(16, 4)), self._text, gap=0)
        layout.setStretch(1, 1)
        self._pick.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout.itemAt(0).layout().setStretch(1, 1)
        self.setLayout(layout)

    def show_reports(self, reports: Sequence[ReportView], prefer: str = "") -> None:
        """The reports with a signed text; the one of the study hung beside comes first."""
        able = sorted(
            (r for r in reports if r.versions),
            key=lambda r: (r.study_uid == prefer, r.study_date),
            reverse=True,
        )
        self._pick.blockSignals(True)
        self._pick.clear()
        for report in able:
            self._pick.addItem(f"{words.iso_date(report.study_date)} · {report.procedure}", report)
        self._pick.setVisible(bool(able))
        self._pick.blockSignals(False)
        self._show()

    def fold(self, folded: bool) -> None:
        """Leave only the line with its name, or show the text again."""
        self._text.setVisible(not folded)
        self._fold.setIcon(theme.icon("chevron-up" if folded else "chevron-down"))
        self.setMaximumHeight(theme.current().px(40) if folded else 16777215)

    @property
    def count(self) -> int:
        return self._pick.count()

    def _show(self) -> None:
        report = self._pick.currentData()
        self._text.show_version(
            report.versions[-1] if report else None, words.t("There is no earlier report of this patient.")
        )
