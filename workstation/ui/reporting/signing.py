"""From a draft to a signature: what was found, the password, the signed version, and on to the next exam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacs_core.archive.models import ReportView, SignRequest
from pacs_core.archive.protocol import Archive
from pacs_core.domain.access import Verb
from pacs_core.domain.errors import LockedOut, NotSignedIn
from pacs_core.domain.report import Section
from workstation.reporting import composer
from workstation.reporting.completeness import check, situation_of
from workstation.reporting.sign_findings import SignFinding
from workstation.ui import words
from workstation.ui.keeping import keep_as_dicom
from workstation.ui.reporting import follow_up
from workstation.ui.reporting.sign import Signature, SignDialog

if TYPE_CHECKING:
    from workstation.ui.reporting.panel import ReportPanel


class Signing:
    """Asks once, signs once; the dialog goes with the password in it."""

    def __init__(self, panel: ReportPanel) -> None:
        self._panel = panel
        self._dialog: SignDialog | None = None

    def findings(self) -> tuple[SignFinding, ...]:
        """What the reader is to mend or to confirm before this draft is signed."""
        panel = self._panel
        dossier, draft = panel.session.dossier, panel.draft
        if dossier is None or draft is None:
            return ()
        seen, shown = panel.session.seen()
        situation = situation_of(
            dossier,
            panel.facts,
            open_patient_id=dossier.patient.patient_id,
            open_study_uid=panel.session.study_uid,
            images_viewed=seen,
            images_shown=shown,
            unsure=panel.spoken.unsure(draft),
        )
        return check(draft, situation)

    def sign(self, kind: str = "", then_next: bool = False) -> None:
        """Show what was found and ask for the password; `kind` preliminary or what the draft is."""
        panel = self._panel
        draft = panel.draft
        if draft is None or not panel.writing or self._dialog is not None or not panel.desk.may(Verb.SIGN):
            return
        kind = kind or panel.kind
        titles = {
            "preliminary": words.t("Sign as preliminary"),
            "addendum": words.t("Sign the addendum"),
            "correction": words.t("Sign the correction"),
        }
        who = panel.desk.archive.who
        exam = panel.session.dossier.exam if panel.session.dossier else None
        summary = f"{exam.patient_display} · {exam.procedure} · {exam.accession}" if exam else ""
        dialog = SignDialog(
            panel.window(),
            titles.get(kind, words.t("Sign the report")),
            who.full_name or who.name,
            self.findings() if kind in ("final", "preliminary") else self._in_this_draft(draft),
            lambda signature: self._sign(dialog, signature, kind, then_next),
            panel.go_to_field,
            kind == "correction",
            summary,
        )
        self._dialog = dialog
        dialog.finished.connect(lambda _code: self._dialog_gone(dialog))
        dialog.open()

    def put_away(self) -> None:
        """The exam is being left: nobody is asked any more."""
        if self._dialog is not None:
            self._dialog.reject()

    def _in_this_draft(self, draft: composer.Draft) -> tuple[SignFinding, ...]:
        return tuple(f for f in self.findings() if f.field_id in draft.values)

    def _dialog_gone(self, dialog: SignDialog) -> None:
        """It was answered: it goes, and the password in it with it."""
        self._dialog = None
        dialog.deleteLater()

    def _refused(self, dialog: SignDialog, error: Exception) -> None:
        """In the dialog where it still asks, else in the status line."""
        told = words.t("The password is wrong.") if _wrong_password(error) else words.failure(error).words
        if self._dialog is dialog:
            dialog.refuse(told)
        else:
            self._panel.desk.say(told, "wrong")

    def _sections(self, draft: composer.Draft, kind: str) -> tuple[Section, ...]:
        sections, report = composer.report_sections(composer.freeze(draft)), self._panel.report
        if kind == "addendum" and report is not None and report.versions:
            return follow_up.with_addendum(report.versions[-1], sections)
        return sections

    def _sign(self, dialog: SignDialog, signature: Signature, kind: str, then_next: bool) -> None:
        panel = self._panel
        draft, archive, uid, report = panel.draft, panel.desk.archive, panel.study_uid, panel.report
        if draft is None:
            return
        of = report.report_id if report is not None and kind in ("addendum", "correction") else None
        quoted = tuple(dict.fromkeys(q.tracking_uid for q in draft.quotes.values()))
        request = SignRequest(
            uid, signature.password, self._sections(draft, kind), kind, signature.reason, of, quoted
        )
        panel.desk.tasks.act(
            panel,
            words.t("sign"),
            lambda: self._sign_now(archive, request),
            lambda signed: self._signed(dialog, signed, uid, then_next),
            lambda error: self._refused(dialog, error),
        )

    def _sign_now(self, archive: Archive, request: SignRequest) -> ReportView:
        """On the acting thread: signed is signed, so the draft leaves the spool in the same breath."""
        report = archive.reports.sign(request)
        self._panel.forget_draft(request.study_uid)
        return report

    def _signed(self, dialog: SignDialog, report: ReportView, uid: str, then_next: bool) -> None:
        if self._dialog is dialog:
            dialog.accept()
        self._panel.desk.say(
            words.t("Signed. The result is on its way; its acknowledgement shows in the worklist."), "good"
        )
        if self._panel.session.strokes_on(uid):
            keep_as_dicom(self._panel.desk, self._panel, uid, quietly=True)
        self._panel.signed_as(report, uid, then_next)


def _wrong_password(error: Exception) -> bool:
    return isinstance(error, NotSignedIn) and not isinstance(error, LockedOut)
