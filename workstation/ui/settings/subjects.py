"""The subjects of the listing pages: DICOM peers, HL7 sources, destinations, people, tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pacs_core.archive.models import Account, Destination, Hl7Source, Peer, TokenView
from pacs_core.domain.errors import InvalidValue
from workstation.ui import words
from workstation.ui.desk import Desk
from workstation.ui.settings.listing import Subject
from workstation.ui.widgets.form import Form
from workstation.ui.widgets.table import Cell, Column

ROLES = (
    ("reader", "reader"),
    ("technologist", "technologist"),
    ("front-desk", "front desk"),
    ("admin", "admin"),
)
YES_NO = (("yes", "yes"), ("no", "no"))
ADDENDUM_CODES = (("C", "C, corrected"), ("F", "F, final"))
RIGHTS = (
    ("may_store", "Store"),
    ("may_query", "Query"),
    ("may_retrieve", "Retrieve"),
    ("may_worklist", "Worklist"),
)


def reader(desk: Desk, what: str) -> Callable[[], Any]:
    """Asks the archive of whoever is signed in when it is asked."""

    def read() -> Any:
        return getattr(desk.archive.administration, what)()

    return read


def _flag(value: bool) -> str:
    return "yes" if value else "no"


def _port(values: dict[str, str]) -> int:
    text = values["port"]
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise InvalidValue("a port is a number from 1 to 65535", "port")
    return int(text)


def _rights(peer: Peer) -> str:
    return ", ".join(words.t(name) for key, name in RIGHTS if getattr(peer, key))


def _seen(at: str, did: str = "") -> Cell:
    return Cell(
        words.local_moment(at) if at else words.t("never"), token="text" if at else "quiet", trailing=did
    )


def peers(desk: Desk) -> Subject[Peer]:
    """DICOM peers."""

    def form(peer: Peer | None) -> Form:
        answer = Form()
        known = peer or Peer("", "", 104)
        answer.text("title", "AE title", known.title, "CT1").setReadOnly(peer is not None)
        answer.text("station", "Station", known.station)
        answer.text("host", "Address", known.host, "192.0.2.10")
        answer.text("port", "Port", str(known.port))
        answer.text("modality", "Modality", known.modality, "CT")
        for key, name in RIGHTS:
            answer.choice(key, name, YES_NO, _flag(getattr(known, key)))
        return answer

    def save(peer: Peer | None, values: dict[str, str]) -> Peer:
        fresh = Peer(
            title=values["title"],
            host=values["host"],
            port=_port(values),
            modality=values["modality"],
            station=values["station"],
            may_store=values["may_store"] == "yes",
            may_query=values["may_query"] == "yes",
            may_retrieve=values["may_retrieve"] == "yes",
            may_worklist=values["may_worklist"] == "yes",
        )
        kept = replace(fresh, last_seen=peer.last_seen, last_did=peer.last_did) if peer else fresh
        return desk.archive.administration.save_peer(kept)

    columns: tuple[Column[Peer], ...] = (
        Column("title", "AE title", lambda p: Cell(p.title, bold=True), 128),
        Column("host", "Address", lambda p: Cell(f"{p.host}:{p.port}"), 168, stretch=True),
        Column("modality", "Mod.", lambda p: Cell(p.modality), 64),
        Column("station", "Station", lambda p: Cell(p.station), 104, keep=1),
        Column("rights", "May", lambda p: Cell(_rights(p)), 240, stretch=True),
        Column("seen", "Last seen", lambda p: _seen(p.last_seen, p.last_did), 200),
    )
    return Subject(
        words.t("DICOM peers"),
        words.t("DICOM peer"),
        words.t(
            "Scanners, workstations and archives that may talk to this node, and what each may do. Bound "
            "beyond this machine, only these are heard."
        ),
        words.t("No peer is known yet"),
        columns,
        lambda p: p.title,
        reader(desk, "peers"),
        form,
        save,
        lambda p: desk.archive.administration.remove_peer(p.title),
        ((words.t("Echo"), "lan-connect", lambda p: desk.archive.administration.echo(p.title)),),
    )


def sources(desk: Desk) -> Subject[Hl7Source]:
    """HL7 sources."""

    def form(source: Hl7Source | None) -> Form:
        answer = Form()
        known = source or Hl7Source("", "")
        answer.text("name", "Sending application (MSH-3)", known.name, "RIS").setReadOnly(source is not None)
        answer.text("facility", "Sending facility (MSH-4)", known.facility)
        answer.text("host", "Address", known.host)
        answer.text("character_set", "Character set", known.character_set, words.t("as the message says"))
        answer.lines("field_map", "Field map (TOML)", known.field_map, 160)
        return answer

    def save(source: Hl7Source | None, values: dict[str, str]) -> Hl7Source:
        fresh = Hl7Source(**values)
        return desk.archive.administration.save_hl7_source(
            replace(fresh, last_seen=source.last_seen) if source else fresh
        )

    columns: tuple[Column[Hl7Source], ...] = (
        Column("name", "Sender", lambda s: Cell(s.name, trailing=s.facility, bold=True), 180, stretch=True),
        Column("host", "Address", lambda s: Cell(s.host), 168),
        Column(
            "map",
            "Field map",
            lambda s: Cell(words.t("its own") if s.field_map.strip() else words.t("the usual")),
            120,
        ),
        Column("seen", "Last seen", lambda s: _seen(s.last_seen, s.last_did), 200),
    )
    return Subject(
        words.t("HL7 sources"),
        words.t("HL7 source"),
        words.t("Who may send patients and orders over MLLP, and where each puts its fields."),
        words.t("No HL7 source is known yet"),
        columns,
        lambda s: s.name,
        reader(desk, "hl7_sources"),
        form,
        save,
        lambda s: desk.archive.administration.remove_hl7_source(s.name),
    )


def destinations(desk: Desk) -> Subject[Destination]:
    """Where results go."""

    def form(destination: Destination | None) -> Form:
        answer = Form()
        known = destination or Destination("", "", 2575)
        answer.text("name", "Name", known.name, "RIS").setReadOnly(destination is not None)
        answer.text("host", "Address", known.host)
        answer.text("port", "Port", str(known.port))
        answer.text("refused_tries", "Tries when refused", str(known.refused_tries))
        answer.text("hold_seconds", "Seconds held after signing", str(known.hold_seconds))
        answer.choice(
            "addendum_status",
            "Addendum is sent as",
            ADDENDUM_CODES,
            known.addendum_status,
        )
        answer.choice("paused", "Paused", YES_NO, _flag(known.paused))
        tests = answer.choice("for_tests", "Rehearsals alone", YES_NO, _flag(known.reserved_for_tests))
        tests.setToolTip(words.t("It gets what a rehearsal sends, and never the result of a patient"))
        return answer

    def save(destination: Destination | None, values: dict[str, str]) -> Destination:
        port = _port(values)
        for key in ("refused_tries", "hold_seconds"):
            if not values[key].isdigit():
                raise InvalidValue("this has to be a whole number", key)
        return desk.archive.administration.save_destination(
            Destination(
                values["name"],
                values["host"],
                port,
                int(values["refused_tries"]),
                int(values["hold_seconds"]),
                values["addendum_status"],
                values["for_tests"] == "yes",
                values["paused"] == "yes",
            )
        )

    columns: tuple[Column[Destination], ...] = (
        Column("name", "Name", lambda d: Cell(d.name, trailing=_for_tests(d), bold=True), 180),
        Column("host", "Address", lambda d: Cell(f"{d.host}:{d.port}"), 180, stretch=True),
        Column("tries", "Tries when refused", lambda d: Cell(str(d.refused_tries)), 148),
        Column("hold", "Held", lambda d: Cell(f"{d.hold_seconds} s"), 80),
        Column(
            "paused",
            "State",
            lambda d: (
                Cell(words.t("Paused"), "pause-circle-outline", "waiting")
                if d.paused
                else Cell(words.t("Sending"), "check-circle-outline", "good")
            ),
            120,
        ),
    )
    return Subject(
        words.t("Destinations"),
        words.t("destination"),
        words.t(
            "Where signed results go (ORU over MLLP). Silence is retried for ever; a refusal so many "
            "times, then a person decides."
        ),
        words.t("No destination yet: results wait until there is one"),
        columns,
        lambda d: d.name,
        reader(desk, "destinations"),
        form,
        save,
        lambda d: desk.archive.administration.remove_destination(d.name),
    )


def _for_tests(destination: Destination) -> str:
    return words.t("rehearsals alone") if destination.reserved_for_tests else ""


def people(desk: Desk) -> Subject[Account]:
    """Accounts."""

    def form(account: Account | None) -> Form:
        answer = Form()
        if account is None:
            answer.text("name", "User name")
            answer.text("full_name", "Full name")
            answer.choice("role", "Role", ROLES, "reader")
        answer.text("password", "Password" if account is None else "New password", secret=True)
        return answer

    def save(account: Account | None, values: dict[str, str]) -> object:
        administration = desk.archive.administration
        if account is None:
            return administration.add_user(
                values["name"], values["role"], values["password"], values["full_name"]
            )
        return administration.set_password(account.name, values["password"])

    columns: tuple[Column[Account], ...] = (
        Column("name", "User", lambda a: Cell(a.name, bold=True), 140),
        Column("full", "Full name", lambda a: Cell(a.full_name), 200, stretch=True),
        Column("role", "Role", lambda a: Cell(words.role(a.role)), 120),
        Column(
            "state",
            "State",
            lambda a: (
                Cell(words.t("Disabled"), "account-off-outline", "wrong")
                if a.disabled
                else Cell(words.t("Active"), "account-check-outline", "good")
            ),
            120,
        ),
        Column("last", "Last sign-in", lambda a: _seen(a.last_sign_in), 168),
    )
    return Subject(
        words.t("People"),
        words.t("user"),
        words.t("Who may sign in, and as what. Only readers sign reports."),
        words.t("No account yet"),
        columns,
        lambda a: a.name,
        reader(desk, "users"),
        form,
        save,
        None,
        (
            (
                words.t("Disable or enable"),
                "account-off-outline",
                lambda a: desk.archive.administration.disable_user(a.name, not a.disabled),
            ),
        ),
    )


def tokens(desk: Desk) -> Subject[TokenView]:
    """Bearer tokens."""

    def form(_token: TokenView | None) -> Form:
        answer = Form()
        answer.text("name", "Name")
        answer.choice("role", "Role", ROLES, "reader")
        return answer

    columns: tuple[Column[TokenView], ...] = (
        Column("name", "Name", lambda x: Cell(x.name, bold=True), 180, stretch=True),
        Column("role", "Role", lambda x: Cell(words.role(x.role)), 120),
        Column("made", "Made", lambda x: Cell(words.local_moment(x.created_at)), 168),
    )
    return Subject(
        words.t("Tokens"),
        words.t("token"),
        words.t(
            "Bearer tokens for programs that call this node over HTTP. A secret is shown once, when "
            "it is made."
        ),
        words.t("No token yet"),
        columns,
        lambda x: x.name,
        reader(desk, "tokens"),
        form,
        lambda _t, values: desk.archive.administration.add_token(values["name"], values["role"]),
        lambda x: desk.archive.administration.revoke_token(x.name),
        changes=False,
        saved=lambda token: f"{words.t('The secret, shown this once')}: {token.secret}",
    )
