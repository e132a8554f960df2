"""PDUs and command sets against pynetdicom's coders, and the table of statuses."""

from __future__ import annotations

import pytest
from pynetdicom import dimse_messages
from pynetdicom.dimse_primitives import C_MOVE, C_STORE
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ

from pacs_core.dimse import commands, pdu, status
from pacs_core.dimse.commands import BadCommand
from pacs_core.dimse.pdu import Associate, BadPdu, Context, Role
from pacs_core.domain import errors

MR = "1.2.840.10008.5.1.4.1.1.4"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
REQUEST = Associate(
    called="READINGROOM",
    calling="CT1",
    contexts=(
        Context(1, MR, ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")),
        Context(3, GET, ("1.2.840.10008.1.2",)),
    ),
    max_length=131072,
    implementation_class="1.2.3.4",
    implementation_version="TEST_1",
    roles=(Role(MR, scu=False, scp=True),),
    extended={GET: b"\1\0"},
)


def test_an_association_request_reads_as_pynetdicoms() -> None:
    theirs = A_ASSOCIATE_RQ()
    theirs.decode(pdu.encode_associate(pdu.ASSOCIATE_RQ, REQUEST))
    primitive = theirs.to_primitive()
    assert (primitive.called_ae_title.strip(), primitive.calling_ae_title.strip()) == ("READINGROOM", "CT1")
    contexts = primitive.presentation_context_definition_list
    assert [(c.context_id, str(c.abstract_syntax), list(map(str, c.transfer_syntax))) for c in contexts] == [
        (c.id, c.abstract_syntax, list(c.transfer_syntaxes)) for c in REQUEST.contexts
    ]
    assert theirs.encode() == pdu.encode_associate(pdu.ASSOCIATE_RQ, REQUEST)


def test_an_association_answer_reads_as_pynetdicoms() -> None:
    answer = Associate(
        "A", "B", (Context(1, "", ("1.2.840.10008.1.2",)), Context(3, "", ("1.2",), pdu.ABSTRACT_UNKNOWN)),
        implementation_class="1.2.3",
    )  # fmt: skip
    theirs = A_ASSOCIATE_AC()
    raw = pdu.encode_associate(pdu.ASSOCIATE_AC, answer)
    theirs.decode(raw)
    results = theirs.to_primitive().presentation_context_definition_results_list
    assert [(c.context_id, c.result) for c in results] == [(1, 0), (3, 3)]
    assert pdu.decode_associate(raw[6:]) == answer


def test_what_is_written_is_read() -> None:
    assert pdu.decode_associate(pdu.encode_associate(pdu.ASSOCIATE_RQ, REQUEST)[6:]) == REQUEST


@pytest.mark.parametrize("length", [0, 10, 67, 80, 90, 150, 200])
def test_cut_requests_are_refused(length: int) -> None:
    raw = pdu.encode_associate(pdu.ASSOCIATE_RQ, REQUEST)[6:]
    with pytest.raises(BadPdu):
        pdu.decode_associate(raw[:length])


def test_rejections_in_words() -> None:
    assert pdu.rejection_words(pdu.reject(1, 1, 3)[6:]) == "our AE title is not known there"
    assert pdu.rejection_words(b"\0\1\3\7") == "source 3, reason 7"
    assert pdu.rejection_words(b"") == "no reason given"


def test_commands_are_those_of_pynetdicom() -> None:
    theirs = C_STORE()
    theirs.MessageID, theirs.AffectedSOPClassUID, theirs.AffectedSOPInstanceUID = 7, MR, "1.2.3"
    theirs.Priority = 0
    theirs.MoveOriginatorApplicationEntityTitle, theirs.MoveOriginatorMessageID = "ORIG", 9
    message = dimse_messages.C_STORE_RQ()
    message.primitive_to_message(theirs)
    message.command_set.CommandDataSetType = 1
    raw = next(message.encode_msg(1, 16384)).presentation_data_value_list[0][1][1:]
    found = commands.decode(raw)
    assert (found.field, found.message_id, found.text(commands.AFFECTED_INSTANCE)) == (1, 7, "1.2.3")
    assert (found.text(commands.ORIGINATOR), found.number(commands.ORIGINATOR_ID)) == ("ORIG", 9)
    assert found.has_data_set
    assert commands.decode(found.encode()).values == found.values


def test_responses_repeat_the_request() -> None:
    request = commands.request(commands.C_MOVE_RQ, 5, GET, data_set=True, destination="SINK")
    response = commands.decode(
        request.response(0xFF00, remaining=3, completed=1, failed=0, warning=0).encode()
    )
    assert (response.field, response.number(commands.RESPONDED_TO)) == (commands.C_MOVE_RSP, 5)
    assert response.text(commands.AFFECTED_CLASS) == GET
    assert (response.status, response.number(commands.REMAINING)) == (0xFF00, 3)
    assert not response.has_data_set
    assert (request.name, response.name) == ("C-MOVE", "C-MOVE")
    assert C_MOVE().STATUS_OPTIONAL_KEYWORDS


@pytest.mark.parametrize(
    "raw", [b"\0", b"\0" * 8, bytes.fromhex("0000000104000000ffffffff"), b"\1\0\0\0\0\0\0\0"]
)
def test_bad_commands_are_refused(raw: bytes) -> None:
    with pytest.raises(BadCommand):
        commands.decode(raw)


ERRORS = {
    errors.OutOfSpace: (0xA700, None, None),
    errors.StorageFailure: (0xA700, 0xA700, 0xA701),
    errors.Busy: (0xA700, None, None),
    errors.NotDicom: (0xC000, None, None),
    errors.Damaged: (0xC000, 0xA900, 0xA900),
    errors.NotStorable: (0xA900, None, None),
    errors.InvalidValue: (None, 0xA900, 0xA900),
    errors.MissingValue: (None, 0xA900, 0xA900),
    errors.Denied: (0x0124, 0x0124, 0x0124),
    errors.Refused: (0x0124, 0x0124, 0x0124),
    errors.NotFound: (None, None, 0xA801),
    errors.Conflict: (0xC000, 0xC000, 0xC000),
}


@pytest.mark.parametrize("kind", sorted(ERRORS, key=lambda k: k.__name__))
def test_every_error_has_its_status(kind: type[errors.ReadingRoomError]) -> None:
    for wanted, table in zip(ERRORS[kind], (status.STORE, status.QUERY, status.RETRIEVE), strict=True):
        found = status.status_of(kind("words"), table)
        assert found == (0xC000 if wanted is None else wanted)


def test_a_failure_names_the_element_and_fits() -> None:
    request = commands.request(commands.C_FIND_RQ, 1, GET, data_set=True)
    error = errors.InvalidValue("ä" + "x" * 100, "StudyDate (0008,0020)")
    response = status.failure(request, error, status.QUERY)
    assert response.values[commands.OFFENDING] == (0x00080020,)
    assert response.text(commands.COMMENT) == "?" + "x" * 60 + "..."
    assert bytes.fromhex("08002000") in response.encode()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x0000, "success"), (0xFF00, "pending"), (0xFF01, "pending"), (0xFE00, "cancel"),
        (0xB000, "warning"), (0xB007, "warning"), (0x0107, "warning"), (0xA700, "failure"),
        (0xA801, "failure"), (0xC001, "failure"), (0x0122, "failure"), (0x0111, "warning"),
    ],
)  # fmt: skip
def test_statuses_are_sorted(code: int, kind: str) -> None:
    assert status.meaning(code).kind == kind
    assert status.meaning(code).words
