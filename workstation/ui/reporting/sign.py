"""Signing: what was found first, then the password again. A blocking finding leaves no way to sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QBoxLayout, QCheckBox, QDialog, QLineEdit, QPushButton, QWidget

from workstation.reporting.sign_findings import Severity, SignFinding
from workstation.ui import theme, words
from workstation.ui.widgets.basics import button, column, label, relook, row


@dataclass(frozen=True)
class Signature:
    """What the reader decided: the password typed again, and a correction's reason."""

    password: str
    reason: str = ""


class SignDialog(QDialog):
    """`sign` is called with the signature; `refuse` shows why it was not taken and lets the reader try
    again.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        who: str,
        findings: tuple[SignFinding, ...],
        sign: Callable[[Signature], object],
        go_to: Callable[[str], object],
        needs_reason: bool = False,
        summary: str = "",
    ) -> None:
        super().__init__(parent)
        self._sign, self._go_to = sign, go_to
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self._blocked = any(f.severity is Severity.BLOCK for f in findings)
        self._seen = QCheckBox(words.t("I have seen these and sign all the same"))
        self._reason = QLineEdit()
        self._reason.setAccessibleName(words.t("Reason for the correction"))
        self._reason.setPlaceholderText(words.t("Why the signed text is corrected"))
        self._password = QLineEdit()
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._password.setAccessibleName(words.t("Password to sign"))
        self._words = label("", "wrong", name=words.t("Signing message"), wrap=True)
        self._go = button(
            words.t("Sign"), self._decide, "main", icon="draw-pen", name=words.t("Sign the report")
        )
        self._needs_reason, self._alerts = needs_reason, any(f.severity is Severity.ALERT for f in findings)
        self._build(title, who, findings, summary)

    def _build(self, title: str, who: str, findings: tuple[SignFinding, ...], summary: str) -> None:
        blocks = [f for f in findings if f.severity is Severity.BLOCK]
        alerts = [f for f in findings if f.severity is Severity.ALERT]
        layout = column(label(title, "title"), margin=(20,), gap=10)
        if summary:
            layout.addWidget(label(summary, "quiet", wrap=True))
        self._list(layout, words.t("To be mended before signing"), blocks, "wrong", "alert-octagon-outline")
        self._list(layout, words.t("Please look at"), alerts, "waiting", "alert-outline")
        self._seen.setVisible(bool(alerts) and not blocks)
        self._reason.setVisible(self._needs_reason and not blocks)
        layout.addWidget(self._seen)
        layout.addWidget(self._reason)
        ask = label(words.t("{who}, your password signs this report.").format(who=who), "", wrap=True)
        for control in (ask, self._password, self._words, self._go):
            control.setVisible(not blocks)
        for control in (ask, self._password, self._words):
            layout.addWidget(control)
        layout.addLayout(row(1, button(words.t("Back to the report"), self.reject), self._go))
        self.setLayout(layout)
        for other in self.findChildren(QPushButton):
            other.setAutoDefault(other is self._go)
        self._go.setDefault(True)  # Enter signs; of itself Qt would take the first button, which goes back
        self.setMinimumWidth(theme.current().px(480))
        self._words.hide()
        (self._reason if self._needs_reason else self._password).setFocus()

    def _list(
        self, layout: QBoxLayout, title: str, findings: list[SignFinding], token: str, icon: str
    ) -> None:
        if not findings:
            return
        layout.addWidget(label(title, token))
        for finding in findings:
            mark = label("")
            mark.setPixmap(theme.pixmap(icon, token, 16))
            text = label(finding.message, name=finding.message, wrap=True)
            line = row(mark, text)
            line.setStretch(1, 1)
            if finding.field_id:
                line.addWidget(self._link(finding))
            layout.addLayout(line)

    def _link(self, finding: SignFinding) -> QPushButton:
        return button(
            words.t("Show"),
            lambda: (self.reject(), self._go_to(finding.field_id)),
            "link",
            name=f"{words.t('Show')}: {finding.message}",
        )

    def _decide(self) -> None:
        if self._blocked or not self._go.isEnabled():
            return
        if self._alerts and not self._seen.isChecked():
            self.refuse(words.t("Confirm first that you have seen what was found."))
            self._seen.setFocus()
        elif self._needs_reason and not self._reason.text().strip():
            self.refuse(words.t("A correction needs its reason."))
            self._reason.setFocus()
        elif not self._password.text():
            self.refuse(words.t("Type your password to sign."))
        else:
            self._words.hide()
            self._go.setEnabled(False)
            self._go.setText(words.t("Signing …"))
            self._sign(Signature(self._password.text(), self._reason.text().strip()))

    def refuse(self, text: str) -> None:
        """It was not taken: say why, ask again."""
        self._go.setEnabled(True)
        self._go.setText(words.t("Sign"))
        self._password.clear()
        self._password.setFocus()
        self._words.setText(text)
        self._words.setAccessibleName(f"{words.t('Signing message')}: {text}")
        self._words.show()
        relook(self._words, "wrong")
