"""Accounts, tokens and the append-only audit, in the index."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from pacs_core.database.prepared import Prepared
from pacs_core.database.rows import Rows
from pacs_core.database.schema import account, audit, token
from pacs_core.domain.records import AccountRecord, AuditRecord, TokenRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock

_A = account.c
_T = token.c


class AccountRows:
    """Implements `ports.Accounts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._accounts = Rows(connection, account, AccountRecord)
        self._tokens = Rows(connection, token, TokenRecord)

    def all(self) -> Sequence[AccountRecord]:
        """Accounts by name."""
        return self._accounts.all(order_by=(_A.name,))

    def find(self, name: str) -> AccountRecord | None:
        """The account of that name."""
        return self._accounts.first(_A.name == name)

    def add(self, record: AccountRecord) -> None:
        """Insert an account."""
        self._accounts.insert(record, without=())

    def update(self, name: str, **changes: object) -> None:
        """Change named columns of an account."""
        self._accounts.change(_A.name == name, **changes)

    def tokens(self) -> Sequence[TokenRecord]:
        """Tokens by name."""
        return self._tokens.all(order_by=(_T.name, _T.created_at))

    def token(self, digest: str) -> TokenRecord | None:
        """The token with that secret's digest."""
        return self._tokens.first(_T.digest == digest)

    def add_token(self, record: TokenRecord) -> None:
        """Insert a token."""
        self._tokens.insert(record, without=())

    def remove_tokens(self, *, name: str = "", account: str = "", digest: str = "") -> int:
        """Remove tokens by exactly one of name, account or digest; returns how many."""
        column, value = next(
            (c, v) for c, v in ((_T.name, name), (_T.account, account), (_T.digest, digest)) if v
        )
        return self._connection.execute(delete(token).where(column == value)).rowcount


_NEWEST = Prepared(select(audit.c.chain).order_by(audit.c.id.desc()).limit(1))


class AuditRows:
    """Implements `ports.Audit`: each row hashes itself with the one before it."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._rows = Rows(connection, audit, AuditRecord)

    def append(
        self, actor: str, role: str, verb: str, subject: str, outcome: str, detail: str, address: str
    ) -> None:
        """Add one line; there is no way to change or remove one."""
        newest = _NEWEST.rows(self._connection, {})
        before = newest[0][0] if newest else ""
        at = instant(self._clock.now())
        chain = chain_of(before, at, actor, role, verb, subject, outcome, detail, address)
        self._rows.insert(AuditRecord(0, at, actor, role, verb, subject, outcome, detail, address, chain))

    def before(self, sequence: int, limit: int) -> Sequence[AuditRecord]:
        """Lines before a number (0: the newest), newest first."""
        where = (audit.c.id < sequence,) if sequence else ()
        return self._rows.all(*where, order_by=(audit.c.id.desc(),), limit=limit)


def chain_of(before: str, *values: str) -> str:
    """The hash that binds a line to all lines before it."""
    return hashlib.sha256("\x1f".join((before, *values)).encode()).hexdigest()
