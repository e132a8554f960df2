"""Peers, accounts, the node, and what happened on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pacs_core.domain.events import Change


@dataclass(frozen=True, slots=True)
class Peer:
    """A DICOM application entity that may talk to us, and what it may do."""

    title: str
    host: str
    port: int
    modality: str = ""
    station: str = ""
    may_store: bool = True
    may_query: bool = True
    may_retrieve: bool = True
    may_worklist: bool = True
    last_seen: str = ""
    last_did: str = ""


@dataclass(frozen=True, slots=True)
class Hl7Source:
    """Who may send HL7: MSH-3 (and MSH-4) name, address, and its field map as TOML text."""

    name: str
    host: str
    field_map: str = ""
    facility: str = ""
    character_set: str = ""
    last_seen: str = ""
    last_did: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where results go over MLLP, and how it answers refusals."""

    name: str
    host: str
    port: int
    refused_tries: int = 3
    hold_seconds: int = 0
    addendum_status: str = "C"
    reserved_for_tests: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the product; never its password."""

    name: str
    role: str
    full_name: str
    disabled: bool
    created_at: str
    last_sign_in: str = ""


@dataclass(frozen=True, slots=True)
class TokenView:
    """A bearer token for HTTP; `secret` is there only in the answer that made it."""

    name: str
    role: str
    created_at: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor` or the health page: ok, warn or fail, and what to do."""

    name: str
    state: str
    words: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The running node: its addresses to copy, its data folder, site zone and versions."""

    version: str
    dicom: str
    ae: str
    hl7: str
    http: str
    data: str
    zone: str
    today: str
    lan_addresses: tuple[str, ...]
    warnings: tuple[str, ...]
    demo: bool = False
    free_bytes: int = 0
    images: int = 0
    studies: int = 0
    checks: tuple[Check, ...] = ()
    idle_lock_min: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration file, in words; `kind` is text, number, yes or no, or list.

    `value` is what the file (or its default) says and the next start will read, `running` what is in effect
    now: it differs where the command line said otherwise, or a change waits for a `restart`.
    """

    key: str
    words: str
    kind: str
    value: object
    default: object
    running: object
    restart: bool = True


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rehearsal begun on a live node: one name for its reader, HL7 source (MSH-3) and scanner (AE title).

    `password` is the reader's; `issuer` the one that marks its patient as no patient.
    """

    name: str
    password: str
    issuer: str


@dataclass(frozen=True, slots=True)
class RehearsalRemoved:
    """What was taken away after a rehearsal: how many, by what they were."""

    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the append-only audit."""

    sequence: int
    at: str
    actor: str
    role: str
    verb: str
    subject: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """The signed-in person as the archive knows them."""

    name: str
    role: str
    full_name: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was opened: the bearer of later calls, and who it is."""

    token: str
    who: WhoAmI


@dataclass(frozen=True, slots=True)
class DemoUser:
    """An account of the demo, whose password is no secret."""

    name: str
    role: str
    password: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the sign-in page may know before anybody signed in; `demo_others` are the accounts of the demo
    beside the reader's.
    """

    node: str
    demo_user: str = ""
    demo_password: str = ""
    demo_others: tuple[DemoUser, ...] = ()
    has_accounts: bool = True
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Journal rows after a sequence number, and the newest number there is."""

    changes: tuple[Change, ...]
    sequence: int


@dataclass(frozen=True, slots=True)
class ImportLine:
    """What became of one imported file: stored, already there, not DICOM or not storable, and why."""

    path: str
    outcome: str
    words: str
    study_uid: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A small open mapping for answers that have no fixed shape."""

    values: Mapping[str, object] = field(default_factory=dict)
