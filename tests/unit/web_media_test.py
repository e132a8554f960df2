"""Accept headers, media types and what is given for them."""

from __future__ import annotations

import pytest

from pacs_core.domain.errors import InvalidValue
from pacs_core.web.media import parse_accept, parse_media_type
from pacs_core.web.representations import (
    AS_STORED,
    DICOM,
    OCTETS,
    Form,
    frame_form,
    object_forms,
    object_syntax,
)

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
JPEG, JLS, J2K, MPEG = (f"1.2.840.10008.1.2.4.{n}" for n in (50, 80, 90, 102))


@pytest.mark.parametrize(
    ("text", "related", "transfer_syntax"),
    [
        ('multipart/related; type="application/dicom"; transfer-syntax=*', DICOM, "*"),
        ("multipart/related;type=application/dicom;transfer-syntax=*", DICOM, "*"),
        ('multipart/related; type="application/dicom; transfer-syntax=1.2"', DICOM, "1.2"),
        ('multipart/related; type="application/dicom"; transfer-syntax="1.2"', DICOM, "1.2"),
        ('MULTIPART/RELATED; TYPE="Application/Dicom"; Transfer-Syntax=1.2', DICOM, "1.2"),
        ("multipart/related;; type=image/jls ;", "image/jls", ""),
        (r'multipart/related; type="image\/jls"', "image/jls", ""),
        ("multipart/related", "", ""),
    ],
)
def test_forms_of_multipart_seen_in_the_field(text: str, related: str, transfer_syntax: str) -> None:
    (one,) = parse_accept(text)
    assert (one.full, one.related, one.transfer_syntax) == ("multipart/related", related, transfer_syntax)


def test_the_heaviest_comes_first_and_equals_stay_in_order() -> None:
    ranges = parse_accept("a/a;q=0.5, b/b, c/c;q=0.9,, d/d ;q=1.0")
    assert [r.full for r in ranges] == ["b/b", "d/d", "c/c", "a/a"]
    assert [r.full for r in parse_accept("")] == ["*/*"]


@pytest.mark.parametrize(
    "text", ["nonsense", "a/b c/d", "a/b;q=2", "a/b;q=x", "/", "a/;", "x" * 10_000, 'a/b; c="d']
)
def test_what_is_no_accept_header(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_accept(text)
    assert caught.value.where == "Accept"


def test_a_content_type_is_one() -> None:
    assert parse_media_type('a/b; boundary="x; y"').parameters == {"boundary": "x; y"}
    for text in ("a/b, c/d", ""):
        if text:
            with pytest.raises(InvalidValue, match="not one media type"):
                parse_media_type(text)


@pytest.mark.parametrize(
    ("accept", "single", "form"),
    [
        ("*/*", True, Form(True, AS_STORED)),
        ("multipart/related", False, Form(True, AS_STORED)),
        ('multipart/related; type="application/dicom"', False, Form(True, "")),
        ('multipart/related; type="application/dicom"; transfer-syntax=1.2', False, Form(True, "1.2")),
        ("application/dicom", True, Form(False, "")),
        ("application/dicom; transfer-syntax=*", True, Form(False, AS_STORED)),
        ("application/dicom", False, None),
        ("image/png", True, None),
    ],
)
def test_forms_of_objects(accept: str, single: bool, form: Form | None) -> None:
    assert object_forms(parse_accept(accept), single=single)[:1] == ([form] if form else [])


@pytest.mark.parametrize(
    ("wanted", "stored", "given"),
    [
        ("", JLS, EXPLICIT),
        ("", EXPLICIT, EXPLICIT),
        ("", MPEG, MPEG),
        ("*", JLS, JLS),
        (EXPLICIT, J2K, EXPLICIT),
        (IMPLICIT, EXPLICIT, IMPLICIT),
        (JLS, JLS, JLS),
        (J2K, JLS, None),
        (EXPLICIT, MPEG, None),
    ],
)
def test_transfer_syntaxes_of_objects(wanted: str, stored: str, given: str | None) -> None:
    assert object_syntax(Form(True, wanted), stored) == given


@pytest.mark.parametrize(
    ("accept", "stored", "given"),
    [
        ("*/*", EXPLICIT, (OCTETS, EXPLICIT)),
        ("*/*", IMPLICIT, (OCTETS, EXPLICIT)),
        ("*/*", JPEG, ("image/jpeg", JPEG)),
        ("*/*", MPEG, None),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=*', JLS, (OCTETS, EXPLICIT)),
        ('multipart/related; type="application/octet-stream"', MPEG, None),
        ('multipart/related; type="image/jls"', JLS, ("image/jls", JLS)),
        ('multipart/related; type="image/*"; transfer-syntax=*', J2K, ("image/jp2", J2K)),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={JLS}', JPEG, None),
        (
            'multipart/related; type="image/jp2", multipart/related; type="application/octet-stream"',
            JLS,
            (OCTETS, EXPLICIT),
        ),
        ("image/jls", JLS, ("image/jls", JLS)),
    ],
)
def test_forms_of_frames(accept: str, stored: str, given: tuple[str, str] | None) -> None:
    form = frame_form(parse_accept(accept), stored, single=True)
    assert (form and (form.media_type, form.transfer_syntax)) == given


def test_frames_alone_only_one_at_a_time() -> None:
    assert frame_form(parse_accept(OCTETS), EXPLICIT, single=False) is None
