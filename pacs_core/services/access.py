"""Who may come in and do what: accounts, passwords, sessions, tokens and the audit of each answer."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from pacs_core.domain.access import OWNER, Actor, Role, Verb, allows
from pacs_core.domain.errors import Conflict, Denied, InvalidValue, NotFound, NotSignedIn
from pacs_core.domain.records import AccountRecord, TokenRecord
from pacs_core.domain.times import instant, read_instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.locks import Strangers, Tries

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SESSION_HOURS = 16
MIN_PASSWORD = 8


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


class Access:
    """Answers one question for every service: may this actor use this verb on this subject."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self._strangers = Strangers()

    def sign_in(self, name: str, password: str, address: str = "") -> tuple[str, Actor]:
        """Open a session; returns its secret and the actor.

        Raises NotSignedIn for a wrong name or password (no telling which), LockedOut with the seconds to
        wait.
        """
        admit = self.proof(name, password, address, "sign-in")
        secret = secrets.token_urlsafe(32)
        now = self._clock.now()

        def keep(tx: Transaction) -> AccountRecord:
            account = admit(tx)
            session = TokenRecord(
                name=f"session:{account.name}",
                digest=_digest(secret),
                role=account.role,
                account=account.name,
                created_at=instant(now),
                expires_at=instant(now + timedelta(hours=SESSION_HOURS)),
            )
            tx.accounts.add_token(session)
            tx.accounts.update(account.name, last_sign_in=instant(now))
            return account

        return secret, _actor(self._index.write(keep), _digest(secret)[:12], address)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        self._index.write(lambda tx: tx.accounts.remove_tokens(digest=_digest(secret)))

    def actor_of(self, secret: str, address: str = "") -> Actor:
        """The actor behind a session or token; raises NotSignedIn where it is unknown, over or disabled."""
        with self._index.read() as tx:
            token = tx.accounts.token(_digest(secret)) if secret else None
            account = tx.accounts.find(token.account) if token and token.account else None
        if token is None or (token.expires_at and token.expires_at <= instant(self._clock.now())):
            raise NotSignedIn("sign in first: the credential is unknown or has expired")
        if not token.account:
            return Actor(f"token:{token.name}", Role(token.role), token.name, token.digest[:12], address)
        if account is None or account.disabled:
            raise NotSignedIn("the account is disabled")
        return _actor(account, token.digest[:12], address)

    def check_password(self, name: str, password: str, address: str, purpose: str) -> AccountRecord:
        """The account, where the password is right; every answer is audited, wrong ones slow the next
        down.
        """
        return self._index.write(self.proof(name, password, address, purpose))

    def proof(
        self, name: str, password: str, address: str, purpose: str
    ) -> Callable[[Transaction], AccountRecord]:
        """Try a password, and return what admits its owner in the transaction the password is for.

        Raises NotSignedIn or LockedOut at once for a wrong one; what is returned does so where the name was
        locked, or the account changed, in the meantime. The line that says allowed is kept with the change.
        """
        with self._index.read() as tx:
            account = tx.accounts.find(name)
        now = self._clock.now()
        if refusal := self._tries(account, name).refusal(now):
            raise refusal
        right = _verify(account.secret if account else _nobodys_secret(), password)
        if account is None:
            self._index.write(lambda tx: _audit_wrong(tx, name, address, purpose))
            raise self._strangers.wrong(name, now)
        if account.disabled or not right:
            raise self._index.write(lambda tx: self._failed(tx, name, address, purpose))
        secret = account.secret

        def admit(tx: Transaction) -> AccountRecord:
            found = tx.accounts.find(name)
            if found is None or found.disabled or found.secret != secret:
                raise NotSignedIn("the account was changed meanwhile: try again")
            if refusal := self._tries(found, name).refusal(self._clock.now()):
                raise refusal
            tx.accounts.update(name, failures=0, locked_until="")
            tx.audit.append(name, found.role, purpose, name, "allowed", "", address)
            return found

        return admit

    def require(self, actor: Actor, verb: Verb, subject: str = "") -> None:
        """Let the actor pass or raise Denied; a denial is audited."""
        if allows(actor.role, verb):
            return
        self.note(actor, verb.value, subject, "denied")
        raise Denied(f"the role {actor.role} may not {verb}", subject)

    def note(self, actor: Actor, verb: str, subject: str, outcome: str = "allowed", detail: str = "") -> None:
        """Write an audit line."""
        self._index.write(
            lambda tx: tx.audit.append(
                actor.name, actor.role.value, verb, subject, outcome, detail, actor.address
            )
        )

    def add_account(
        self, name: str, role: str, password: str, full_name: str = "", by: str = ""
    ) -> AccountRecord:
        """Add an account; raises Conflict where the name is taken, InvalidValue for a bad name, role or
        password.
        """
        clean = name.strip()
        if (
            not clean
            or clean != name
            or len(clean) > 64
            or not clean.isprintable()
            or set(clean) & set(":/\\")
        ):
            raise InvalidValue(
                "a user name has 1 to 64 printable characters, no colon or slash and no blanks around it",
                "name",
            )
        if clean.casefold() == OWNER:
            raise InvalidValue(f"{OWNER!r} is whoever holds the data folder: choose another name", "name")
        record = AccountRecord(
            name=clean,
            role=_role(role).value,
            full_name=full_name or clean,
            secret=_hasher().hash(_strong(password)),
            disabled=False,
            created_at=instant(self._clock.now()),
        )

        def add(tx: Transaction) -> None:
            if tx.accounts.find(clean):
                raise Conflict(f"there is a user {clean} already", "name")
            tx.accounts.add(record)
            tx.audit.append(by or "owner", "", "add user", clean, "allowed", record.role, "")

        self._index.write(add)
        return record

    def set_password(self, name: str, password: str, by: str = "") -> None:
        """Set a password and end the account's sessions; raises NotFound."""
        secret = _hasher().hash(_strong(password))

        def change(tx: Transaction) -> None:
            _existing(tx, name)
            tx.accounts.update(name, secret=secret, failures=0, locked_until="")
            tx.accounts.remove_tokens(account=name)
            tx.audit.append(by or "owner", "", "set password", name, "allowed", "", "")

        self._index.write(change)

    def disable(self, name: str, disabled: bool, by: str = "") -> AccountRecord:
        """Disable or enable an account; its sessions end. Raises NotFound, Conflict for the last admin."""

        def change(tx: Transaction) -> AccountRecord:
            account = _existing(tx, name)
            others = [
                a for a in tx.accounts.all() if a.role == Role.ADMIN and not a.disabled and a.name != name
            ]
            if disabled and account.role == Role.ADMIN and not others:
                raise Conflict("the last admin cannot be disabled", "name")
            tx.accounts.update(name, disabled=disabled)
            tx.accounts.remove_tokens(account=name)
            tx.audit.append(
                by or "owner", "", "disable user" if disabled else "enable user", name, "allowed", "", ""
            )
            return replace(account, disabled=disabled)

        return self._index.write(change)

    def add_token(self, name: str, role: str, by: str = "") -> tuple[str, TokenRecord]:
        """Make a bearer token; returns its secret, which is kept nowhere. Raises Conflict where the name is
        taken.
        """
        if not name.strip() or name.startswith("session:"):
            raise InvalidValue("a token needs a name of its own", "name")
        secret = secrets.token_urlsafe(32)
        record = TokenRecord(name, _digest(secret), _role(role).value, "", instant(self._clock.now()), "")

        def add(tx: Transaction) -> None:
            if any(t.name == name for t in tx.accounts.tokens()):
                raise Conflict(f"there is a token {name} already", "name")
            tx.accounts.add_token(record)
            tx.audit.append(by or "owner", "", "add token", name, "allowed", record.role, "")

        self._index.write(add)
        return secret, record

    def revoke_token(self, name: str, by: str = "") -> None:
        """Revoke a token; raises NotFound."""

        def revoke(tx: Transaction) -> None:
            if name.startswith("session:") or not tx.accounts.remove_tokens(name=name):
                raise NotFound(f"no token {name}", "name")
            tx.audit.append(by or "owner", "", "revoke token", name, "allowed", "", "")

        self._index.write(revoke)

    def accounts(self) -> list[AccountRecord]:
        """Every account."""
        with self._index.read() as tx:
            return list(tx.accounts.all())

    def tokens(self) -> list[TokenRecord]:
        """Every token that is not a session."""
        with self._index.read() as tx:
            return [t for t in tx.accounts.tokens() if not t.account]

    def _tries(self, account: AccountRecord | None, name: str) -> Tries:
        if account is None:
            return self._strangers.of(name)
        return Tries(account.failures, read_instant(account.locked_until) if account.locked_until else None)

    def _failed(self, tx: Transaction, name: str, address: str, purpose: str) -> NotSignedIn:
        """Count a wrong password, unless others that were tried at the same time have locked the name."""
        account, now = tx.accounts.find(name), self._clock.now()
        before = self._tries(account, name)
        _audit_wrong(tx, name, address, purpose)
        if refusal := before.refusal(now):
            return refusal
        after = before.one_more(now)
        until = instant(after.until) if after.until else ""
        if account is not None:
            tx.accounts.update(name, failures=after.failures, locked_until=until)
        return after.answer(now)


def _audit_wrong(tx: Transaction, name: str, address: str, purpose: str) -> None:
    tx.audit.append(name, "", purpose, name, "wrong password", "", address)


def _existing(tx: Transaction, name: str) -> AccountRecord:
    account = tx.accounts.find(name)
    if account is None:
        raise NotFound(f"no user {name}", "name")
    return account


def _actor(account: AccountRecord, session: str, address: str) -> Actor:
    return Actor(account.name, Role(account.role), account.full_name, session, address)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise InvalidValue(f"no role {role}; there are {', '.join(r.value for r in Role)}", "role") from None


@lru_cache(maxsize=1)
def _nobodys_secret() -> str:
    """A hash to try a password on where nobody has the name: the answer takes as long as for a user."""
    return _hasher().hash(secrets.token_urlsafe(16))


def _strong(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise InvalidValue(f"a password has at least {MIN_PASSWORD} characters", "password")
    return password


def _verify(secret: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(secret, password)
    except (VerificationError, InvalidHashError):
        return False
