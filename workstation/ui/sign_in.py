"""The sign-in page: a name, a password, and what went wrong in words. It is the lock too."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from pacs_core.archive.models import SignIn
from pacs_core.archive.protocol import Archive, Door
from pacs_core.domain.errors import LockedOut, NotSignedIn
from workstation.ui import theme, words
from workstation.ui.tasks import Tasks
from workstation.ui.widgets.basics import button, column, label, line, panel, relook, row

AGAIN_MS = 500


class SignInPage(QWidget):
    """Asks who is there. `entered` carries the archive opened as that person."""

    entered = Signal(object)

    def __init__(self, door: Door, tasks: Tasks, last_user: str = "") -> None:
        super().__init__()
        self.setProperty("look", "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(words.t("Sign in"))
        self._door, self._tasks, self._locked_for = door, tasks, ""
        self._facts: SignIn | None = None
        self._title = label("Reading Room", "display")
        self._under = label("", "quiet", wrap=True)
        self._name = self._field(words.t("User"), last_user)
        self._password = self._field(words.t("Password"), "", secret=True)
        self._words = label("", "wrong", name=words.t("Sign-in message"), wrap=True)
        self._go = button(words.t("Sign in"), self.submit, "main")
        self._demo = label("", "quiet", name=words.t("Demo user"), wrap=True)
        self._others = label("", "quiet", name=words.t("Other demo users"), wrap=True)
        self._fill = button(words.t("Use the demo user"), self._use_demo, "link")
        self._warnings = label("", "waiting", wrap=True)
        self._build()
        self._wait = QTimer(self, interval=1000)
        self._wait.timeout.connect(self._count_down)
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._ask_facts)
        self._ended = False
        self._seconds = 0
        self._ask_facts()

    def _field(self, name: str, text: str, secret: bool = False) -> QLineEdit:
        answer = QLineEdit(text)
        answer.setAccessibleName(name)
        if secret:
            answer.setEchoMode(QLineEdit.EchoMode.Password)
        answer.returnPressed.connect(self.submit)
        return answer

    def _build(self) -> None:
        px = theme.current().px
        self._divider = line()
        card = panel(
            column(
                self._title,
                self._under,
                label(words.t("User"), "caption"),
                self._name,
                label(words.t("Password"), "caption"),
                self._password,
                self._words,
                self._go,
                self._divider,
                self._demo,
                row(self._fill, 1),
                self._others,
                self._warnings,
                margin=(32, 32),
                gap=8,
            ),
            "card",
        )
        card.setFixedWidth(px(420))
        self.setLayout(row(1, column(2, card, 3), 1))
        self._words.hide()
        self._show_facts()

    def _ask_facts(self) -> None:
        self._tasks.ask(
            self, words.t("reach the archive"), self._door.sign_in_facts, self._learn, self._not_yet
        )

    def _learn(self, facts: SignIn) -> None:
        self._facts = facts
        self._show_facts()
        self.focus()

    def _not_yet(self, _error: Exception) -> None:
        self._show_facts()
        if not self._ended:
            self._again.start()

    def _show_facts(self) -> None:
        facts = self._facts
        ready = facts is not None
        for control in (self._name, self._password, self._go):
            control.setEnabled(ready and not self._seconds)
        demo = facts.demo_user if facts else ""
        shows_demo = bool(demo) and not self._locked_for
        self._demo.setText(
            words.t("Demo: user {user}, password {password}").format(
                user=demo, password=facts.demo_password if facts else ""
            )
        )
        self._others.setText(self._other_users())
        for part in (self._demo, self._others, self._fill, self._divider):
            part.setVisible(shows_demo)
        self._warnings.setText("\n".join(facts.warnings) if facts else "")
        self._warnings.setVisible(bool(facts and facts.warnings))
        self._under.setText(self._greeting())

    def _other_users(self) -> str:
        """The demo's accounts of other roles; a password only where it is not the first one's."""
        facts = self._facts
        if facts is None or not facts.demo_others:
            return ""
        same = all(one.password == facts.demo_password for one in facts.demo_others)
        names = [
            f"{one.name} ({words.role(one.role)})"
            + ("" if same else f" {words.t('password')} {one.password}")
            for one in facts.demo_others
        ]
        told = words.t("With the same password: {users}") if same else words.t("Others: {users}")
        return told.format(users=", ".join(names))

    def _greeting(self) -> str:
        if self._locked_for:
            return words.t("Locked for {name}. Your work is kept; another person may sign in.").format(
                name=self._locked_for
            )
        if self._facts is None:
            return words.t("Starting the archive …")
        if not self._facts.has_accounts:
            return words.t("There is no account yet. Make one with: reading-room user add NAME --role admin")
        return self._facts.node if self._facts.node != "Reading Room" else words.t("Sign in to begin.")

    def end(self) -> None:
        """Stop asking and counting."""
        self._ended = True
        self._wait.stop()
        self._again.stop()

    def focus(self) -> None:
        (self._password if self._name.text() else self._name).setFocus()

    def lock_for(self, name: str, full_name: str) -> None:
        """Show the page as the lock of somebody who is signed in."""
        self._locked_for = full_name or name
        self._name.setText(name)
        self._password.clear()
        self._say("")
        self._show_facts()
        self.focus()

    def welcome(self, last_user: str = "") -> None:
        """Show the page as a fresh sign-in."""
        self._locked_for = ""
        self._name.setText(last_user)
        self._password.clear()
        self._say("")
        self._show_facts()
        self.focus()

    def tell(self, text: str) -> None:
        """Say why the page came back."""
        self._say(text)

    def _use_demo(self) -> None:
        if self._facts:
            self._name.setText(self._facts.demo_user)
            self._password.setText(self._facts.demo_password)
            self.submit()

    def submit(self) -> None:
        name, password = self._name.text().strip(), self._password.text()
        if not self._go.isEnabled():
            return
        if not name or not password:
            self._say(words.t("Enter a user and a password."))
            return
        self._go.setEnabled(False)
        self._go.setText(words.t("Signing in …"))
        self._say("")
        self._tasks.ask(
            self, words.t("sign in"), lambda: self._door.sign_in(name, password), self._enter, self._refuse
        )

    def _enter(self, archive: Archive) -> None:
        self._ready_again()
        self._password.clear()
        self.entered.emit(archive)

    def _refuse(self, error: Exception) -> None:
        self._ready_again()
        self._password.clear()
        if isinstance(error, LockedOut):
            self._seconds = max(1, round(error.retry_after))
            self._wait.start()
            self._count_down(0)
        elif isinstance(error, NotSignedIn):
            self._say(words.t("User or password is wrong."))
        else:
            self._say(words.failure(error).words)
        self._password.setFocus()

    def _ready_again(self) -> None:
        self._go.setText(words.t("Sign in"))
        self._go.setEnabled(True)

    def _count_down(self, step: int = 1) -> None:
        self._seconds = max(0, self._seconds - step)
        self._show_facts()
        if self._seconds:
            self._say(
                words.t("Too many wrong passwords. Try again in {seconds} s.").format(seconds=self._seconds)
            )
        else:
            self._wait.stop()
            self._say("")

    def _say(self, text: str) -> None:
        self._words.setText(text)
        self._words.setVisible(bool(text))
        relook(self._words, "wrong")
