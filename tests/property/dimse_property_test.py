"""Any bytes at the DICOM door are read, refused or aborted; messages survive any division into PDUs."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dimse import commands, pdu
from pacs_core.dimse.association import Association, Memory, Released
from pacs_core.dimse.commands import BadCommand
from pacs_core.dimse.connection import Connection, Gone
from pacs_core.dimse.pdu import BadPdu, Context

CONTEXT = Context(1, "1.2.840.10008.5.1.4.1.2.2.1", ("1.2.840.10008.1.2.1",))
uids = st.from_regex(r"[1-9](\.[1-9][0-9]{0,5}){1,8}", fullmatch=True)
titles = st.text(alphabet="ABCDEFGHIJ-_0123456789", max_size=16)
associates = st.builds(
    pdu.Associate,
    called=titles,
    calling=titles,
    contexts=st.lists(
        st.builds(Context, st.integers(1, 255), uids, st.lists(uids, min_size=1, max_size=4).map(tuple)),
        max_size=6,
    ).map(tuple),
    max_length=st.integers(0, 2**32 - 1),
    implementation_class=uids,
    implementation_version=titles,
    roles=st.lists(st.builds(pdu.Role, uids, st.booleans(), st.booleans()), max_size=3).map(tuple),
    extended=st.dictionaries(uids, st.binary(max_size=6), max_size=3),
)


@given(associates)
def test_requests_come_back(request: pdu.Associate) -> None:
    assert pdu.decode_associate(pdu.encode_associate(pdu.ASSOCIATE_RQ, request)[6:]) == request


@given(associates, st.integers(0, 4000), st.binary(max_size=8))
def test_damaged_requests_are_read_or_refused(request: pdu.Associate, at: int, put: bytes) -> None:
    raw = pdu.encode_associate(pdu.ASSOCIATE_RQ, request)[6:]
    at %= len(raw)
    try:
        pdu.decode_associate(raw[:at] + put + raw[at + len(put) :])
    except BadPdu:
        return


@given(st.binary(max_size=300))
def test_any_bytes_as_a_command(raw: bytes) -> None:
    try:
        found = commands.decode(raw)
    except BadCommand:
        return
    assert found.field >= 0


def over_a_socket(data: bytes, read: Callable[[Association], None]) -> None:
    """Feed bytes to an association through a real socket, and close."""
    ours, theirs = socket.socketpair()
    sender = threading.Thread(target=lambda: (theirs.sendall(data), theirs.shutdown(socket.SHUT_WR)))
    sender.start()
    try:
        connection = Connection(ours)
        read(Association(connection, {1: CONTEXT}, 16384, calling="A", called="B", idle_s=5))
    finally:
        sender.join()
        ours.close()
        theirs.close()


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_in_an_association_end_it(data: bytes, framed: bool) -> None:
    raw = pdu.pdu(pdu.DATA, data) if framed else data

    def read(association: Association) -> None:
        try:
            while True:
                association.receive()
        except (Gone, BadPdu, BadCommand, Released):
            return

    over_a_socket(raw, read)


@given(st.binary(max_size=400), st.lists(st.integers(1, 60), min_size=1, max_size=30), st.booleans())
def test_messages_survive_any_division(content: bytes, sizes: list[int], together: bool) -> None:
    """The same message whatever the peer makes of it: values of any length, one or many to a PDU."""
    command = commands.request(commands.C_FIND_RQ, 3, CONTEXT.abstract_syntax, data_set=True)
    values = [*divided(command.encode(), sizes, 1), *divided(content, sizes, 0)]
    stream = (
        pdu.pdu(pdu.DATA, b"".join(values)) if together else b"".join(pdu.pdu(pdu.DATA, v) for v in values)
    )
    got: list[tuple[dict[int, object], bytes]] = []

    def read(association: Association) -> None:
        message = association.receive(lambda *_: Memory())
        got.append((dict(message.command.values), message.data))

    over_a_socket(stream, read)
    assert got == [(command.values, content)]


def divided(data: bytes, sizes: list[int], kind: int) -> list[bytes]:
    pieces: list[bytes] = []
    at = turn = 0
    while at < len(data) or not pieces:
        piece = data[at : at + sizes[turn % len(sizes)]]
        at, turn = at + len(piece), turn + 1
        flags = kind | (2 if at >= len(data) else 0)
        pieces.append(struct.pack(">IBB", len(piece) + 2, 1, flags) + piece)
    return pieces


@given(st.binary(max_size=3000), st.integers(64, 700), st.integers(1, 400))
def test_what_is_sent_is_received(content: bytes, peer_max: int, block: int) -> None:
    ours, theirs = socket.socketpair()
    sender = Association(Connection(ours), {1: CONTEXT}, peer_max, calling="A", called="B", idle_s=5)
    receiver = Association(Connection(theirs), {1: CONTEXT}, 16384, calling="A", called="B", idle_s=5)
    command = commands.request(commands.C_FIND_RQ, 3, CONTEXT.abstract_syntax, data_set=True)
    blocks = (content[i : i + block] for i in range(0, len(content), block))
    thread = threading.Thread(target=lambda: sender.send_blocks(1, command, len(content), blocks))
    thread.start()
    message = receiver.receive()
    thread.join()
    ours.close()
    theirs.close()
    assert (message.command.values, message.data) == (command.values, content)
