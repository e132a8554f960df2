"""Frames over the pipes of a child process: whole or refused."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.processes import PATIENCE
from workstation.session.child_pipes import MAGIC, PipeBroken, read_frame, write_frame


@given(st.dictionaries(st.text(), st.text() | st.integers()), st.binary(max_size=400))
def test_frames_come_as_they_went(header: dict[str, object], body: bytes) -> None:
    pipe = io.BytesIO()
    write_frame(pipe, header, body)
    pipe.seek(0)
    assert read_frame(pipe) == (header, body)
    with pytest.raises(EOFError):
        read_frame(pipe)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        MAGIC + struct.pack("<II", 0xFFFFFFFF, 0),
        MAGIC + struct.pack("<II", 2, 0) + b"[]",
        MAGIC + struct.pack("<II", 2, 0) + b"{]",
    ],
)
def test_what_is_no_frame_breaks_the_talk(data: bytes) -> None:
    with pytest.raises(PipeBroken):
        read_frame(io.BytesIO(data))


def test_a_body_above_what_the_reader_takes_is_refused_before_it_is_read() -> None:
    pipe = io.BytesIO(MAGIC + struct.pack("<II", 2, 101) + b"{}")
    with pytest.raises(PipeBroken):
        read_frame(pipe, most=100)
    assert pipe.tell() == 12


def test_a_child_whose_parent_has_gone_leaves_in_the_middle_of_its_work() -> None:
    program = (
        "from workstation.session.child_pipes import own_ends, requests, write_frame\n"
        "asked, answers = own_ends()\n"
        "for header, body in requests(asked):\n"
        "    write_frame(answers, header, body)\n"
        "    while header['endless']: pass\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    for header in ({"endless": False}, {"endless": True}):
        write_frame(child.stdin, header, b"work")
        assert read_frame(child.stdout) == (header, b"work")
    child.stdin.close()
    assert child.wait(PATIENCE) == 0
    child.stdout.close()
