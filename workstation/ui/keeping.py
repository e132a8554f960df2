"""What was drawn kept as DICOM objects of the study: asked for by a command, and after every signature."""

from __future__ import annotations

from PySide6.QtCore import QObject

from pacs_core.archive.models import ImportLine
from workstation.ui import words
from workstation.ui.desk import Desk


def keep_as_dicom(desk: Desk, owner: QObject, study_uid: str, quietly: bool = False) -> None:
    """Have the archive write the study's measurements and key images as objects; says what became of them.

    `quietly` says nothing where all went well.
    """
    archive = desk.archive

    def kept(lines: tuple[ImportLine, ...]) -> None:
        refused = [line for line in lines if line.outcome not in ("stored", "already there")]
        if refused:
            told = words.t("The {what} could not be kept as DICOM: {why}")
            desk.say(told.format(what=refused[0].path, why=refused[0].words), "wrong")
        elif not quietly:
            desk.say(_said(lines), "quiet")

    def failed(error: Exception) -> None:
        told = words.t("The measurements could not be kept as DICOM: {why} They are safe as they are.")
        desk.say(told.format(why=words.failure(error).words), "wrong")

    desk.tasks.act(
        owner,
        words.t("keep the measurements as DICOM"),
        lambda: archive.measurements.keep(study_uid),
        kept,
        failed,
    )


def _said(lines: tuple[ImportLine, ...]) -> str:
    if not lines:
        return words.t("Nothing is drawn on this study's images yet.")
    stored = sum(line.outcome == "stored" for line in lines)
    if not stored:
        return words.t("The measurements are kept as DICOM already.")
    return words.count(stored, words.t("DICOM object kept"), words.t("DICOM objects kept"))
