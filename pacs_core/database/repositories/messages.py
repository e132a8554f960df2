"""Received HL7 messages, in the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from pacs_core.database.rows import Rows
from pacs_core.database.schema import message_log
from pacs_core.domain.errors import NotFound
from pacs_core.domain.records import MessageRecord

_M = message_log.c


class MessageRows:
    """Implements `ports.Messages`."""

    def __init__(self, connection: Connection) -> None:
        self._rows = Rows(connection, message_log, MessageRecord)

    def add(self, record: MessageRecord) -> MessageRecord:
        """Insert a message as it came."""
        return replace(record, id=self._rows.insert(record))

    def get(self, message_id: int) -> MessageRecord:
        """One message; raises NotFound."""
        found = self._rows.first(_M.id == message_id)
        if found is None:
            raise NotFound(f"no message in row {message_id}", "message")
        return found

    def update(self, message_id: int, **changes: object) -> MessageRecord:
        """Change named columns; the raw bytes cannot be changed."""
        if "raw" in changes:
            raise ValueError("the raw bytes of a received message are never changed")
        self._rows.change(_M.id == message_id, **changes)
        return self.get(message_id)

    def duplicate_of(self, sender: str, control_id: str, digest: str) -> MessageRecord | None:
        """An earlier message with the same sender, control id and content, answered or not yet."""
        if not control_id:
            return None
        return self._rows.first(
            _M.sender == sender,
            _M.control_id == control_id,
            _M.digest == digest,
            order_by=(_M.id,),
        )

    def open(self) -> Sequence[MessageRecord]:
        """Parked and failed ones, oldest first."""
        return self._rows.all(_M.state.in_(("parked", "failed")), order_by=(_M.id,))

    def unprocessed(self) -> Sequence[MessageRecord]:
        """Accepted, not yet processed."""
        return self._rows.all(_M.state == "received", order_by=(_M.id,))
