"""The tables of `docs/conformance.md`, from the code that serves what they say (PS3.2).

``python -m pacs_core.dimse.conformance docs/conformance.md`` renews them; a test says when that is due.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pacs_core.dicom import charset
from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from pacs_core.dicom.transfer_syntaxes import LOSSY, NAMES
from pacs_core.dimse import commitment, find_scp, mpps_scp, mwl_scp, pdu, status
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.acceptance import Rights, accept
from pacs_core.dimse.application_entity import ARTIM_S
from pacs_core.dimse.association import LARGEST_COMMAND, LARGEST_IDENTIFIER, LONGEST_PDU, MAX_PDU
from pacs_core.dimse.client import MOST_CONTEXTS
from pacs_core.dimse.pdu import Associate, Context
from pacs_core.domain import commitment as reasons

ASKED_OF_OTHERS = frozenset({sop.VERIFICATION, sop.STORAGE_COMMITMENT}) | sop.QUERY_RETRIEVE
"""SOP classes of which we are an SCU as well, storage beside them; not the simulated scanner's."""

_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Row = Sequence[object]


def filled(text: str) -> str:
    """The document with every table as the code has it now; raises KeyError for a table it does not know."""
    return _MARK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n\n{found[3]}", text)


def _table(heads: Row, rows: Iterable[Row]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def services() -> str:
    """SOP classes but storage: who we are for each, and the transfer syntaxes accepted."""
    return _table(
        ("SOP class", "UID", "SCU", "SCP"),
        [(name, uid, _yes(uid in ASKED_OF_OTHERS), _yes(_served(uid))) for uid, name in sop.NAMES.items()],
    )


def storage() -> str:
    """The storage SOP classes of PS3.6 that are accepted, retired ones too."""
    from pydicom._uid_dict import UID_dictionary

    known = sorted(
        (words[0], uid, words[3])
        for uid, words in UID_dictionary.items()
        if words[1] == "SOP Class" and sop.is_storage(uid) and uid.startswith(sop.DICOM_ROOT) and _served(uid)
    )
    return _table(("SOP class", "UID", ""), [(name, uid, retired.lower()) for name, uid, retired in known])


def syntaxes() -> str:
    """Transfer syntaxes by UID."""
    rows = [(name, uid, "may be lossy" if uid in LOSSY else "") for uid, name in NAMES.items()]
    return _table(("Transfer syntax", "UID", ""), rows)


def limits() -> str:
    """Association policies in figures."""
    return _table(
        ("What", "Value"),
        (
            ("Implementation Class UID", IMPLEMENTATION_CLASS_UID),
            ("Implementation Version Name", IMPLEMENTATION_VERSION),
            ("Application Context", pdu.APPLICATION_CONTEXT),
            ("Maximum length we ask for", f"{MAX_PDU} bytes"),
            ("Longest P-DATA-TF PDU taken", f"{LONGEST_PDU} bytes"),
            ("Longest command set", f"{LARGEST_COMMAND} bytes"),
            ("Longest identifier", f"{LARGEST_IDENTIFIER} bytes"),
            ("Presentation contexts proposed at most", MOST_CONTEXTS),
            ("Asynchronous operations", "none: one operation at a time"),
            ("Wait for an association request (ARTIM)", f"{ARTIM_S:.0f} s"),
        ),
    )


def query_keys() -> str:
    """Keys that C-FIND matches."""
    return _table(("Key",), [(name_of(tag),) for tag in sorted(find_scp.MATCHED)])


def worklist_keys() -> str:
    """Keys that the modality worklist matches."""
    outer = [(name_of(TAG[keyword]), "") for keyword in mwl_scp.MATCHED]
    step = [(name_of(TAG[keyword]), "in the step's sequence") for keyword in mwl_scp.MATCHED_IN_STEP]
    return _table(("Key", "Where"), outer + step)


def performed_fixed() -> str:
    """Attributes of a performed procedure step that only N-CREATE may say."""
    return _table(("Attribute",), [(name_of(TAG[keyword]),) for keyword in mpps_scp.ONLY_CREATED])


def commitment_reasons() -> str:
    """Failure reasons in a storage commitment result."""
    rows = (
        (reasons.NO_SUCH_OBJECT, "the object is not here, or its file is missing"),
        (reasons.CLASS_INSTANCE_CONFLICT, "the object is of another SOP class"),
        (reasons.PROCESSING_FAILURE, "the bytes are not those that were received, or cannot be read"),
    )
    words = [(f"{code:04X}H", what) for code, what in rows]
    return _table(("Failure Reason (0008,1197)", "Means"), words) + (
        f"\n\nEvent types: {commitment.ALL_SAFE} all safe, {commitment.SOME_FAILED} some failed. "
        f"A report is tried for {reasons.LASTS_DAYS} days."
    )


def character_sets() -> str:
    """Specific Character Set terms that are read, and written where they can hold the answer."""
    single = sorted({f"ISO_IR {n}" for n in charset.UPPER_HALVES} | {"ISO_IR 6", "ISO_IR 13"})
    multi = sorted({f"ISO 2022 IR {n}" for n in (*charset.UPPER_HALVES, *charset.ESCAPE_OF, "6", "13")})
    rows = (("one set", single), ("several, by code extension", multi), ("whole", sorted(charset.WHOLE)))
    return _table(("Use", "Defined terms"), [(use, ", ".join(terms)) for use, terms in rows])


def _statuses(table: status.Table) -> Callable[[], str]:
    def made() -> str:
        told: dict[int, list[str]] = {}
        for kind, code in table:
            words = (kind.__doc__ or "").split("\n")[0].rstrip(".")
            told.setdefault(code, []).append(words[:1].lower() + words[1:])
        return _table(
            ("Status", "When"), [(f"{code:04X}H", "; ".join(words)) for code, words in sorted(told.items())]
        )

    return made


def _served(uid: str) -> bool:
    request = Associate("CALLED", "CALLING", (Context(1, uid, sop.PLAIN_SYNTAXES),))
    return accept(request, Rights()).contexts[0].result == pdu.ACCEPTANCE


def _yes(what: bool) -> str:
    return "yes" if what else "–"


TABLES: dict[str, Callable[[], str]] = {
    "services": services,
    "storage": storage,
    "syntaxes": syntaxes,
    "limits": limits,
    "query_keys": query_keys,
    "worklist_keys": worklist_keys,
    "performed_fixed": performed_fixed,
    "commitment_reasons": commitment_reasons,
    "character_sets": character_sets,
    "store_status": _statuses(status.STORE),
    "query_status": _statuses(status.QUERY),
    "retrieve_status": _statuses(status.RETRIEVE),
    "normalized_status": _statuses(status.NORMALIZED),
}


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(filled(document.read_text("utf-8")), "utf-8")
