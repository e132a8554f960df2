"""A held study: what came beside what was ordered, the evidence for each suggestion, and one press to
link.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from pacs_core.archive.models import HeldStudy, OrderView, PatientView, Suggestion
from pacs_core.domain.patient import display_name
from pacs_core.domain.reconciliation import same_name
from workstation.ui import theme, words
from workstation.ui.inbox import consequences
from workstation.ui.widgets.basics import button, clear, column, label, line, row
from workstation.ui.widgets.scrolling import ScrollArea

CONTRADICTS = "identity contradicts"
"""The kind of a hold whose patient ID belongs to somebody of another name."""


def compared(held: HeldStudy, order: OrderView) -> tuple[tuple[str, str, str, bool], ...]:
    """(field, as received, as ordered, the same) of what decides."""
    patient = order.patient
    step = order.steps[0] if order.steps else None

    def same(a: str, b: str) -> bool:
        return bool(a) and a.casefold().replace("-", "") == b.casefold().replace("-", "")

    pairs = (
        (words.t("Patient ID"), held.received_patient_id, patient.patient_id),
        (words.t("Birth date"), words.iso_date(held.received_birth_date), words.iso_date(patient.birth_date)),
        (words.t("Sex"), held.received_sex, patient.sex),
        (words.t("Accession"), held.received_accession, order.accession),
        (words.t("Modality"), held.modality, step.modality if step else ""),
        (words.t("Day"), words.iso_date(held.study_date), step.start_date if step else ""),
        (words.t("Procedure"), held.description, order.procedure),
    )
    alike = bool(held.received_name) and same_name(held.received_name, patient.name)
    names = (words.t("Name"), display_name(held.received_name), patient.display_name, alike)
    return (names, *((name, a, b, same(a, b)) for name, a, b in pairs))


class HeldDetail(QFrame):
    """The chosen held study with its suggestions."""

    def __init__(
        self,
        link: Callable[[HeldStudy, Suggestion], object],
        accept: Callable[[HeldStudy], object],
        merge: Callable[[HeldStudy], object] | None,
    ) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Held study"))
        self._link, self._accept, self._merge = link, accept, merge
        self._held: HeldStudy | None = None
        inside = QWidget()
        self._layout = QVBoxLayout(inside)
        px = theme.current().px
        self._layout.setContentsMargins(px(20), px(16), px(20), px(16))
        self._layout.setSpacing(px(8))
        self._area = area = ScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setLayout(column(area, gap=0))

    def show_held(self, held: HeldStudy | None, found: tuple[Suggestion, ...] | None = None) -> None:
        """The study and its suggestions, or orders `found` by a search."""
        clear(self._layout)
        self.acting(False)
        if held is None or self._held is None or held.hold_id != self._held.hold_id:
            self._area.verticalScrollBar().setValue(0)
        self._held = held
        if held is None:
            self._layout.addWidget(
                label(words.t("Choose a held study to see what might be right."), "quiet", wrap=True)
            )
            self._layout.addStretch(1)
            return
        self._layout.addWidget(
            label(held.reason, "wrong", name=f"{words.t('Reason')}: {held.reason}", wrap=True)
        )
        about = " · ".join(
            p
            for p in (
                display_name(held.received_name),
                held.received_patient_id,
                held.modality,
                held.description,
                words.iso_date(held.study_date),
                words.count(held.images, words.t("image"), words.t("images")),
            )
            if p
        )
        self._layout.addWidget(label(about, "quiet", wrap=True))
        self._layout.addWidget(line())
        if self._merge is not None and held.known is not None and held.kind == CONTRADICTS:
            self._layout.addWidget(self._same_person(held, held.known, self._merge))
        suggestions = held.suggestions if found is None else found
        title = words.t("It may belong to") if suggestions else words.t("No order looks like it")
        self._layout.addWidget(label(title, "strong"))
        if not suggestions:
            self._layout.addWidget(
                label(
                    words.t("Nothing is lost: it waits here until its order comes, or keep it without one."),
                    "quiet",
                    wrap=True,
                )
            )
        for suggestion in suggestions[:5]:
            self._layout.addWidget(self._card(held, suggestion))
        keep = button(
            words.t("Keep without an order"),
            lambda: self._accept(held),
            tip=words.t("The study stays as it came and may be read; its report waits for an order"),
        )
        keep.installEventFilter(self)
        self._layout.addSpacing(theme.current().px(4))
        self._layout.addLayout(row(keep, 1))
        self._layout.addStretch(1)

    def acting(self, under_way: bool) -> None:
        """While something is done to the study nothing else can be pressed, until it is shown anew."""
        self._area.widget().setEnabled(not under_way)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The second press of a double click is none: it could meet the next study's button."""
        return event.type() == QEvent.Type.MouseButtonDblClick or super().eventFilter(watched, event)

    def _same_person(
        self, held: HeldStudy, known: PatientView, merge: Callable[[HeldStudy], object]
    ) -> QFrame:
        """The person its ID belongs to: maybe the same, under another name."""
        card = QFrame()
        card.setProperty("look", "card")
        facts = [known.display_name, known.patient_id, words.iso_date(known.birth_date), words.sex(known.sex)]
        go = button(
            words.t("They are one person: merge …"),
            lambda: merge(held),
            icon="account-multiple-check-outline",
            name=f"{words.t('Merge with patient')} {known.patient_id}",
        )
        head = label(words.t("The ID belongs to"), "caption")
        about = label(" · ".join(fact for fact in facts if fact), "strong", wrap=True)
        card.setLayout(column(head, about, row(1, go), margin=(12, 12), gap=8))
        return card

    def _card(self, held: HeldStudy, suggestion: Suggestion) -> QFrame:
        order = suggestion.order
        card = QFrame()
        card.setProperty("look", "card")
        share = f"{round(suggestion.score * 100)} %" if suggestion.score else ""
        head = row(
            label(order.patient.display_name, "strong"),
            label(order.accession, "quiet"),
            1,
            label(share, "good" if suggestion.score >= 0.8 else "waiting"),
        )
        evidence = label(", ".join(suggestion.evidence), "quiet", wrap=True)
        go = button(
            words.t("Link to this order"),
            lambda: self._link(held, suggestion),
            "main" if suggestion.score >= 0.8 else "",
            icon="link-variant-plus",
            name=f"{words.t('Link to order')} {order.accession}",
        )
        go.installEventFilter(self)
        told = [label(text, "waiting", wrap=True) for text in consequences.of_link(held, suggestion)]
        layout = column(head, self._table(held, order), evidence, *told, row(1, go), margin=(12, 12), gap=8)
        card.setLayout(layout)
        return card

    def _table(self, held: HeldStudy, order: OrderView) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        px = theme.current().px
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(2))
        for number, title in enumerate(("", words.t("As received"), words.t("As ordered"))):
            grid.addWidget(label(title, "caption"), 0, number)
        for number, (name, received, ordered, same) in enumerate(compared(held, order), 1):
            token = "" if same else "waiting" if received and ordered else "quiet"
            mark = label("")
            mark.setPixmap(
                theme.pixmap("equal" if same else "not-equal-variant", "good" if same else "waiting", 14)
            )
            grid.addWidget(label(name, "quiet"), number, 0, Qt.AlignmentFlag.AlignTop)
            for place, text in ((1, received), (2, ordered)):
                shown = label(text or "–", token, wrap=True)
                shown.setAlignment(
                    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignTop
                )
                grid.addWidget(shown, number, place)
            if received and ordered:
                grid.addWidget(mark, number, 3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        return holder
