"""The simulated RIS: sends a recipe's ADT and ORM over MLLP, hears results, and can be told to misbehave.

As a process of its own (``python -m pacs_core.rehearsal.ris``) it prints one line ``READY {json}`` and then
takes commands, one JSON object a line, on standard input; see `COMMANDS`.
"""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.hl7.client import MLLPClient, NoAnswer
from pacs_core.hl7.message import Message
from pacs_core.rehearsal.commands import Command, serve
from pacs_core.rehearsal.recipe import DemoExam, Recipe, load_recipe
from pacs_core.rehearsal.ris_messages import Messages, Outgoing
from pacs_core.rehearsal.ris_receiver import Behaviour, Receiver


@dataclass(frozen=True, slots=True)
class Answer:
    """How the node answered a message: MSA-1 (empty where nothing came), its text and ERR."""

    control_id: str
    code: str
    text: str
    error: str = ""


class Ris:
    """One connection to the node's HL7 port, and an ear of its own for results."""

    def __init__(
        self,
        node: tuple[str, int],
        recipe: Recipe | None = None,
        *,
        keep: Path | None = None,
        processing_id: str = "P",
        answer_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.recipe = recipe or load_recipe()
        self.messages = Messages(self.recipe, processing_id=processing_id)
        self.receiver = Receiver(keep)
        self._client = MLLPClient(*node, answer_s=answer_s, tls=tls)

    def send(self, message: Outgoing) -> Answer:
        """Send and wait for the acknowledgement that names this message."""
        try:
            raw = self._client.exchange(
                message.content, lambda answer: _field(answer, "MSA-2") == message.control_id
            )
        except NoAnswer as silence:
            return Answer(message.control_id, "", str(silence))
        error = _field(raw, "ERR-8") or _field(raw, "ERR-3.2")
        return Answer(message.control_id, _field(raw, "MSA-1"), _field(raw, "MSA-3"), error)

    def register(self, patient: str) -> Answer:
        """A04 for a patient of the recipe, by key."""
        return self.send(self.messages.register(self.recipe.patient(patient)))

    def rename(self, patient: str, name: str) -> Answer:
        """A08 with another name (a DICOM PN)."""
        return self.send(self.messages.update(replace(self.recipe.patient(patient), name=name)))

    def merge(self, survivor: str, subsumed: str) -> Answer:
        """A40: the second patient of the recipe was the first one all along."""
        subsumed_id = self.recipe.patient(subsumed).id
        return self.send(self.messages.merge(self.recipe.patient(survivor), subsumed_id))

    def order(self, exam: str | DemoExam, today: date, control: str = "NW", reason: str = "") -> Answer:
        """ORM^O01 for an exam of the recipe (by key), or for any other."""
        found = self.recipe.exam(exam) if isinstance(exam, str) else exam
        return self.send(self.messages.order(found, today, control, reason))

    def admit(self, today: date, keys: tuple[str, ...] = ()) -> tuple[Answer, ...]:
        """Every patient of the recipe, then every order (or only the exams named), in that order."""
        exams = [e for e in self.recipe.exams if not keys or e.key in keys]
        people = list(dict.fromkeys(e.patient for e in exams))
        return (*(self.register(p) for p in people), *(self.order(e, today) for e in exams))

    def close(self) -> None:
        """Hang up and stop hearing."""
        self._client.close()
        self.receiver.stop()


def _field(raw: bytes, place: str) -> str:
    try:
        return Message.parse(raw).text(place) or ""
    except ReadingRoomError:
        return ""


def commands(ris: Ris) -> dict[str, Command]:
    """What the process can be told on its standard input, ``{"do": name, …}``."""

    def behave(name: str, times: int = 1, delay_s: float = 0.0) -> object:
        ris.receiver.behave(*[Behaviour.named(name, delay_s)] * times)
        return {"behaves": name, "times": times}

    def default(name: str, delay_s: float = 0.0) -> object:
        ris.receiver.default = Behaviour.named(name, delay_s)
        return {"default": name}

    def received(accession: str = "") -> object:
        rows = [asdict(r) | {"content": r.content.decode(errors="replace")} for r in ris.receiver.received]
        return [row for row in rows if accession in ("", row["accession"])]

    answers: dict[str, Callable[..., object]] = {
        "admit": lambda today, exams=(): [
            asdict(a) for a in ris.admit(date.fromisoformat(today), tuple(exams))
        ],
        "register": lambda patient: asdict(ris.register(patient)),
        "rename": lambda patient, name: asdict(ris.rename(patient, name)),
        "merge": lambda survivor, subsumed: asdict(ris.merge(survivor, subsumed)),
        "order": lambda exam, today, control="NW", reason="": asdict(
            ris.order(exam, date.fromisoformat(today), control, reason)
        ),
        "behave": behave,
        "default": default,
        "received": received,
    }
    return answers


def main(arguments: list[str] | None = None) -> int:
    """The process: hear results, say READY, obey until standard input ends."""
    parser = argparse.ArgumentParser(prog="ris", description="The simulated RIS.")
    parser.add_argument("--node", required=True, metavar="HOST:PORT", help="the node's HL7 port")
    parser.add_argument(
        "--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="where results are heard"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep every received message here")
    parser.add_argument("--recipe", type=Path, metavar="DIR", help="another recipe than the shipped one")
    parser.add_argument("--processing-id", default="P", choices=("P", "T", "D"), help="MSH-11")
    chosen = parser.parse_args(arguments)
    node, listen = (text.rsplit(":", 1) for text in (chosen.node, chosen.listen))
    ris = Ris(
        (node[0], int(node[1])),
        load_recipe(chosen.recipe),
        keep=chosen.keep,
        processing_id=chosen.processing_id,
    )
    host, port = ris.receiver.start(listen[0], int(listen[1]))
    try:
        serve({"hl7": f"{host}:{port}", "node": chosen.node}, commands(ris))
    finally:
        ris.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
