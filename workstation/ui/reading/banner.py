"""The patient banner: whose images and whose report this window shows, and in one colour when they are
not.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from pacs_core.archive.models import Dossier
from workstation.ui import theme, words
from workstation.ui.widgets.basics import Elided, StateWord, label, row


def mismatch(dossier: Dossier) -> str:
    """Words for images whose patient is not the banner's, or not surely; empty where all agree."""
    exam, patient, manifest = dossier.exam, dossier.patient, dossier.manifest
    if manifest.patient_key != patient.key:
        return words.t("These images are not this patient's")
    if dossier.order is not None and dossier.order.patient.key != patient.key:
        return words.t("The order is for another patient: {name}").format(
            name=dossier.order.patient.display_name
        )
    if exam.reconciliation == "held":
        return f"{words.t('Identity not confirmed')}: {exam.hold_reason}"
    return ""


class Banner(QFrame):
    """Name · sex · age, birth date · ID and issuer · accession · STAT."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Patient banner"))
        self._stat = label(words.t("STAT"), "stat", name=words.t("STAT"))
        self._name = label("", "heading", name=words.t("Patient"))
        self._person = Elided("", "").yielding()
        self._number = Elided("", "quiet").yielding()
        self._mismatch = label("", "mismatch", name=words.t("Patient mismatch"))
        self._study = Elided("", "")
        self._when = label("", "quiet")
        self._state = StateWord(words.t("Exam status"))
        layout = row(
            self._stat,
            self._name,
            self._person,
            self._number,
            self._mismatch,
            self._study,
            self._when,
            self._state,
            margin=(12, 6),
            gap=14,
        )
        layout.setStretch(5, 1)
        layout.setAlignment(self._stat, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(layout)
        self.setFixedHeight(theme.current().px(44))
        theme.hub().changed.connect(self._size)
        self.show_dossier(None)

    def _size(self) -> None:
        self.setFixedHeight(theme.current().px(44))

    def show_dossier(self, dossier: Dossier | None) -> None:
        for part in (
            self._stat,
            self._person,
            self._number,
            self._study,
            self._when,
            self._state,
            self._mismatch,
        ):
            part.setVisible(dossier is not None)
        if dossier is None:
            self._name.setText(words.t("No exam is open"))
            return
        patient, exam = dossier.patient, dossier.exam
        self._stat.setVisible(exam.priority == "STAT")
        self._name.setText(patient.display_name or words.t("No name"))
        self._name.setAccessibleName(f"{words.t('Patient')}: {patient.display_name}")
        age = words.age(patient.birth_date, exam.study_date)
        self._person.setText(
            " · ".join(p for p in (words.sex(patient.sex), age, words.iso_date(patient.birth_date)) if p)
        )
        numbers = [f"{patient.patient_id} {patient.issuer}".strip()]
        numbers += [f"{words.t('Acc.')} {exam.accession}"] if exam.accession else [words.t("no order")]
        self._number.setText(" · ".join(numbers))
        self._study.setText(exam.procedure or dossier.manifest.description)
        self._when.setText(words.when(exam.study_date, exam.study_time))
        state = words.state(words.EXAM, exam.status)
        self._state.show_state(words.t(state.word), state.icon, state.token)
        wrong = mismatch(dossier)
        self._mismatch.setText(wrong)
        self._mismatch.setAccessibleName(
            f"{words.t('Patient mismatch')}: {wrong}" if wrong else words.t("Patient mismatch")
        )
        self._mismatch.setVisible(bool(wrong))
        self.setStyleSheet(
            f"QFrame {{ border-bottom: 2px solid {theme.current().colours['mismatch']}; }} "
            "QLabel { border: none; }"
            if wrong
            else ""
        )
