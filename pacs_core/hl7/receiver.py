"""What happens to a received message: journalled, carried out, answered (architecture.md §11 i, §13).

Nothing is acknowledged before its raw bytes are synced. Original mode answers from the result; where that
takes longer than the budget the answer is AA and the message stays among the unprocessed until it is done.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from zoneinfo import ZoneInfo

from pacs_core.domain.errors import InvalidValue, ReadingRoomError
from pacs_core.domain.records import MessageRecord
from pacs_core.hl7 import ack
from pacs_core.hl7.interpret import interpret
from pacs_core.hl7.message import Header, Message
from pacs_core.hl7.server import Peer, Reply
from pacs_core.hl7.sources import Source, Sources
from pacs_core.hl7.status import AckCode, Condition, Problem, problem_of
from pacs_core.ports import Clock
from pacs_core.services.inbound import UNDONE, WAITING, Command, Inbound

log = logging.getLogger("reading_room.hl7")

BUDGET_S = 5.0
_LANES = 4
_BETWEEN_ACKS = b"\x1c"  # stands in no message, and so joins the acknowledgements of one
_MOST_WORDS = 200


class Receiver:
    """The door's handler: `receive` for each frame, `resume` once at start."""

    def __init__(
        self,
        inbound: Inbound,
        sources: Sources,
        clock: Clock,
        *,
        budget_s: float = BUDGET_S,
        heard: Callable[[str, str], object] = lambda _source, _kind: None,
    ) -> None:
        """`heard` is told of each message of a configured source: its name and the message's type."""
        self._inbound = inbound
        self._sources = sources
        self._clock = clock
        self._budget_s = budget_s
        self._heard = heard
        # A sender always gets the same lane: its messages take effect in the order they came.
        self._lanes = [ThreadPoolExecutor(1, f"hl7-lane-{n}") for n in range(_LANES)]

    def receive(self, content: bytes, peer: Peer) -> Reply:
        """Journal one message, carry it out and answer; runs in a worker thread and may block."""
        header = Header.read(content)
        if not header.found:
            return Reply((self._no_message(content, header, peer),))
        try:
            source = self._sources.identify(peer.address, header)
            if source is None:
                return self._unknown(header, peer)
            if source.configured:
                self._heard(source.name, _kind(header))
            record, twin = self._accept(content, header, source, peer)
            if twin and (record.state not in UNDONE or (record.state == "received" and record.ack)):
                log.info("message %d came again, answered as before", record.id)
                return Reply(_unpacked(record.ack))
            return Reply(self._answer(record, header, source))
        except ReadingRoomError as failure:
            log.error("message from %s not accepted: %s", peer.address, type(failure).__name__)
            problem = problem_of(failure)
            return Reply((ack.build(header, problem.code.value, problem.text, problem),))

    def process(self, record: MessageRecord) -> tuple[bytes, ...]:
        """Carry out a journalled message now, after what its sender sent before; return its answers."""
        header, source = Header.read(record.raw), self._sources.by_name(record.source)
        return (
            self._lane(record)
            .submit(self._carry_out, record, header, source, record.state in WAITING)
            .result()
        )

    def resume(self) -> int:
        """Take up what a crash left accepted and not carried out; returns how many."""
        left = self._inbound.unprocessed()
        for record in left:
            try:
                self._carry_out(record, Header.read(record.raw), self._sources.by_name(record.source))
            except ReadingRoomError as failure:
                log.warning("message %d waits for a person: %s", record.id, type(failure).__name__)
                self._inbound.fail(record.id, failure.message, record.ack)
        return len(left)

    def close(self, wait: bool = True) -> None:
        """Let the lanes finish what they hold."""
        for lane in self._lanes:
            lane.shutdown(wait=wait)

    def _accept(
        self, content: bytes, header: Header, source: Source, peer: Peer
    ) -> tuple[MessageRecord, bool]:
        return self._inbound.accept(
            content,
            source=source.name,
            address=peer.address,
            sender=f"{header.component(3)}|{header.component(4)}",
            control_id=header.component(10),
            digest=hashlib.sha256(content).hexdigest(),
            message_type=_kind(header),
        )

    def _answer(self, record: MessageRecord, header: Header, source: Source) -> tuple[bytes, ...]:
        """The result's acknowledgement, or AA when the budget is spent and the work goes on."""
        work: Future[tuple[bytes, ...]] = self._lane(record).submit(self._carry_out, record, header, source)
        try:
            return work.result(self._budget_s)
        except TimeoutError:
            log.warning(
                "message %d takes longer than %g s, answered before its result", record.id, self._budget_s
            )
        answers = ack.answers(header, "accepted, not yet carried out", None, _always(source))
        if not work.done():
            self._inbound.late(record.id, _BETWEEN_ACKS.join(answers))
        return answers

    def _lane(self, record: MessageRecord) -> ThreadPoolExecutor:
        return self._lanes[hash(record.sender) % _LANES]

    def _carry_out(
        self, record: MessageRecord, header: Header, source: Source, by_hand: bool = False
    ) -> tuple[bytes, ...]:
        try:
            return self._applied(record, header, source, by_hand)
        except ReadingRoomError as failure:
            problem = problem_of(failure)
        except Exception:
            log.exception("message %d failed in processing", record.id)
            problem = Problem(
                AckCode.AR, Condition.INTERNAL, "internal error, the message is kept for a person"
            )
        log.warning("message %d answered %s, condition %d", record.id, problem.code, problem.condition)
        answers = ack.answers(header, problem.text, problem, _always(source))
        self._inbound.fail(record.id, _reason(problem), _BETWEEN_ACKS.join(answers))
        return answers

    def _applied(
        self, record: MessageRecord, header: Header, source: Source, by_hand: bool
    ) -> tuple[bytes, ...]:
        field_map = source.field_map
        message = Message.parse(record.raw, field_map.character_set)
        today = self._clock.civil_now().date().isoformat()
        found = interpret(message, field_map, ZoneInfo(self._clock.zone_name), source.name, today)
        ignored = [note for note in found.notes if "ignored" in note]

        def answer(parked: str) -> bytes:
            words = [f"kept for a person: {parked}"] if parked else []
            text = "; ".join([*words, *ignored])[:_MOST_WORDS]
            return _BETWEEN_ACKS.join(ack.answers(header, text, None, _always(source)))

        commands: tuple[Command, ...] = found.commands
        return _unpacked(self._inbound.apply(record.id, commands, answer, found.parked, by_hand=by_hand).ack)

    def _no_message(self, content: bytes, header: Header, peer: Peer) -> bytes:
        """Bytes that are no HL7 message: answered, not kept."""
        text = "the frame holds no HL7 message: it does not begin with MSH"
        try:
            Message.parse(content)
        except InvalidValue as failure:
            text = failure.message
        except ReadingRoomError:
            pass
        log.warning("frame of %d bytes from %s is no HL7 message", len(content), peer.address)
        problem = Problem(AckCode.AR, Condition.SEGMENT_SEQUENCE, text, "MSH^1")
        return ack.build(header, problem.code.value, text, problem)

    def _unknown(self, header: Header, peer: Peer) -> Reply:
        log.warning("message from %s refused: no HL7 source is configured for it", peer.address)
        text = "this sender is not configured here"
        problem = Problem(AckCode.AR, Condition.UNKNOWN_KEY, text, "MSH^1^3")
        return Reply((ack.build(header, problem.code.value, text, problem),), close=True)


def _kind(header: Header) -> str:
    """MSH-9 as far as it says what the message is."""
    return "^".join(p for p in (header.component(9, 1), header.component(9, 2)) if p)


def _unpacked(stored: bytes) -> tuple[bytes, ...]:
    return tuple(stored.split(_BETWEEN_ACKS)) if stored else ()


def _always(source: Source) -> bool:
    return source.field_map.acknowledge == "always"


def _reason(problem: Problem) -> str:
    return f"{problem.text} [{problem.location}]" if problem.location else problem.text
