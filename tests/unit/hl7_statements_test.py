"""What an order message asks of the index: a writer that does little takes many messages."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from pacs_core.hl7.receiver import Receiver
from pacs_core.hl7.server import Peer
from pacs_core.hl7.sources import Sources
from tests.support.spine import spine

MOST = 31
"""One of them looks for performed steps that came before their order."""
ORM = (
    "MSH|^~\\&|RIS|HOSP|RR|HOSP|20260302100000||ORM^O01|C{n}|P|2.3.1\r"
    "PID|1||P1^^^HOSP||DOE^JANE||19700102|F\r"
    "ORC|NW|PL{n}|F{n}|||||^^^20260302110000^^R\r"
    "OBR|1|PL{n}|F{n}|CTCH^CT chest^L||||||||||||||ACC{n}|RP{n}|SP{n}||||CT\r"
)


def test_an_order_of_a_known_patient_takes_few_statements(tmp_path: Path) -> None:
    said: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    with spine(tmp_path, "Europe/Berlin") as house:
        sources = Sources(house.services.configuring.sources, open_door=True)
        receiver = Receiver(house.services.inbound, sources, house.clock)
        event.listen(Engine, "before_cursor_execute", heard)
        try:
            for n in range(3):
                said.clear()
                (answer, *_) = receiver.receive(ORM.format(n=n).encode(), Peer("127.0.0.1")).frames
                assert b"MSA|AA" in answer
        finally:
            event.remove(Engine, "before_cursor_execute", heard)
            receiver.close()
        with house.index.read() as tx:
            assert [len(tx.orders.by_accession(f"ACC{n}")) for n in range(3)] == [1, 1, 1]
    assert 0 < len(said) <= MOST, "\n".join(said)
