"""Which form of an object or frame an Accept header gets (PS3.18 8.7.3; pacs-standards §2.3).

``transfer-syntax=*`` is as stored; a multipart of application/dicom without one is Explicit VR Little Endian;
``*/*`` is as stored. A part always says the transfer syntax it really has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacs_core.dicom.transfer_syntaxes import EXPLICIT, IMPLICIT, NATIVE, VIDEO
from pacs_core.web.media import MULTIPART, MediaType

DICOM = "application/dicom"
OCTETS = "application/octet-stream"
AS_STORED = "*"
_ANY = frozenset({"*/*"})
_UNCOMPRESSED = (EXPLICIT, IMPLICIT)

FRAME_TYPES: dict[str, str] = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.110": "image/jxl",
    "1.2.840.10008.1.2.4.111": "image/jxl",
    "1.2.840.10008.1.2.4.112": "image/jxl",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
"""Media type of a compressed frame by its transfer syntax (PS3.18 table 8.7.3-5)."""


@dataclass(frozen=True, slots=True)
class Form:
    """How something goes out: in a multipart or alone, and in which transfer syntax (``*``: as stored)."""

    multipart: bool
    transfer_syntax: str
    media_type: str = DICOM


def object_forms(accepted: Sequence[MediaType], *, single: bool) -> list[Form]:
    """The forms of application/dicom an Accept header allows, best first; alone only for one instance."""
    forms: list[Form] = []
    for one in accepted:
        if one.full in _ANY or (one.full in (MULTIPART, "multipart/*") and one.related in ("", "*/*")):
            forms.append(Form(True, one.transfer_syntax or AS_STORED))
        elif one.full == MULTIPART and one.related in (DICOM, "application/*"):
            forms.append(Form(True, one.transfer_syntax))
        elif single and one.full in (DICOM, "application/*"):
            forms.append(Form(False, one.transfer_syntax))
    return forms


def object_syntax(form: Form, stored: str) -> str | None:
    """The transfer syntax an object stored so goes out in by this form; None where it cannot.

    Video cannot be unpacked: where no transfer syntax was named it goes as it is.
    """
    wanted = form.transfer_syntax or EXPLICIT
    if wanted in (AS_STORED, stored):
        return stored
    if wanted in _UNCOMPRESSED and stored not in VIDEO:
        return wanted
    return stored if not form.transfer_syntax else None


def frame_form(accepted: Sequence[MediaType], stored: str, *, single: bool) -> Form | None:
    """The form a frame stored so goes out in; None where nothing acceptable can be made of it.

    Octet streams are uncompressed always: Explicit VR Little Endian's values.
    """
    for one in accepted:
        multipart = one.full in (MULTIPART, "multipart/*")
        wanted = one.related if multipart else one.full
        if one.full in _ANY or (multipart and wanted in ("", "*/*")):
            return _as_stored(stored)
        if not multipart and not single:
            continue
        if wanted in (OCTETS, "application/*") and _octets_fit(one.transfer_syntax) and stored not in VIDEO:
            return Form(multipart, EXPLICIT, OCTETS)
        if _is_its_type(wanted, stored) and one.transfer_syntax in ("", AS_STORED, stored):
            return Form(multipart, stored, FRAME_TYPES[stored])
    return None


def _as_stored(stored: str) -> Form | None:
    if stored in NATIVE:
        return Form(True, EXPLICIT, OCTETS)
    return Form(True, stored, FRAME_TYPES[stored]) if stored in FRAME_TYPES else None


def _octets_fit(transfer_syntax: str) -> bool:
    return transfer_syntax in ("", AS_STORED, EXPLICIT)


def _is_its_type(wanted: str, stored: str) -> bool:
    own = FRAME_TYPES.get(stored, "")
    return bool(own) and wanted in (own, "image/*")
