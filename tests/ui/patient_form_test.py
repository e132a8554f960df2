"""The form of a patient: what nobody touched goes back as it was, a new patient is said to be one."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pacs_core.archive.models import PatientForm, PatientView
from workstation.ui.schedule import forms

NAME = "Yamada^Tarou^^Dr.=山田^太郎=やまだ^たろう"


def sent(qtbot: QtBot, patient: PatientView | None, **typed: str) -> PatientForm:
    """What the form gives to be saved after these fields were typed into."""
    desk, kept = QWidget(), list[PatientForm]()
    qtbot.addWidget(desk)
    dialog = forms.patient_dialog(desk, patient, kept.append)
    for name, text in typed.items():
        field = dialog.form.fields[name]
        assert isinstance(field, QLineEdit)
        field.setText(text)
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Save patient").click()
    (form,) = kept
    return form


@pytest.fixture
def known() -> PatientView:
    return PatientView(1, "J1", "", NAME, "山田 太郎", "1950-01-01", "M")


def test_a_new_phone_number_leaves_the_name_in_all_its_scripts(qtbot: QtBot, known: PatientView) -> None:
    form = sent(qtbot, known, phone="12345")
    assert (form.name, form.phone, form.new) == (NAME, "12345", False)


def test_a_name_that_was_typed_is_the_new_name(qtbot: QtBot, known: PatientView) -> None:
    assert sent(qtbot, known, name="Suzuki, Hanako").name == "Suzuki^Hanako"


def test_a_new_patient_is_said_to_be_new(qtbot: QtBot) -> None:
    assert sent(qtbot, None, name="Doe, Jane", patient_id="P1").new
