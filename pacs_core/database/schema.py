"""The tables of the index: real, typed columns for every search key (architecture §5)."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = "0007"

metadata = MetaData()


def _key() -> Column[int]:
    """The row id; `sqlite_autoincrement` where journal or audit name rows: a removed one's id is never
    another's.
    """
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _text(name: str, *, index: bool = False, unique: bool = False) -> Column[str]:
    return Column(name, String, nullable=False, server_default="", index=index, unique=unique)


def _number(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=str(default))


def _flag(name: str, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default="1" if default else "0")


patient = Table(
    "patient",
    metadata,
    _key(),
    _text("name"),
    _text("name_folded", index=True),
    _text("birth_date"),
    _text("sex"),
    _text("address"),
    _text("phone"),
    Column("weight_kg", Float),
    Column("height_m", Float),
    _text("allergies"),
    _text("alerts"),
    _text("pregnancy"),
    Column("merged_into", ForeignKey("patient.id"), index=True),
    _text("scope"),
    sqlite_autoincrement=True,
)

patient_identifier = Table(
    "patient_identifier",
    metadata,
    _key(),
    Column("patient_id", ForeignKey("patient.id"), nullable=False, index=True),
    _text("value", index=True),
    _text("issuer"),
    _text("scope"),
    _flag("main"),
    UniqueConstraint("value", "issuer", "scope"),
)

visit = Table(
    "visit",
    metadata,
    _key(),
    Column("patient_id", ForeignKey("patient.id"), nullable=False, index=True),
    _text("number"),
    _text("patient_class"),
    _text("location"),
    _text("changed_at"),
)

imaging_order = Table(
    "imaging_order",
    metadata,
    _key(),
    Column("patient_id", ForeignKey("patient.id"), nullable=False, index=True),
    _text("placer_number", index=True),
    _text("filler_number", index=True),
    _text("accession", index=True),
    _text("accession_issuer"),
    _flag("accession_is_ours"),
    _text("state", index=True),
    _text("priority"),
    _text("indication"),
    _text("question"),
    _text("referring_physician"),
    _text("referring_phone"),
    _text("requesting_physician"),
    _text("contrast"),
    _text("allergies"),
    _text("alerts"),
    _text("pregnancy"),
    _text("technologist_note"),
    _text("admission_id"),
    _text("transport"),
    _text("patient_state"),
    _text("source"),
    _text("created_at"),
    _text("changed_at"),
    _text("placer_issuer"),
    _text("filler_issuer"),
    sqlite_autoincrement=True,
)

requested_procedure = Table(
    "requested_procedure",
    metadata,
    _key(),
    Column("order_id", ForeignKey("imaging_order.id"), nullable=False, index=True, unique=True),
    _text("procedure_id", index=True),
    _text("study_uid", index=True),
    _text("description"),
    _text("code_value"),
    _text("code_scheme"),
    _text("code_meaning"),
    _text("body_part"),
    _text("laterality"),
)

scheduled_procedure_step = Table(
    "scheduled_procedure_step",
    metadata,
    _key(),
    Column("order_id", ForeignKey("imaging_order.id"), nullable=False, index=True),
    _text("step_id", index=True),
    _text("modality"),
    _text("start_date", index=True),
    _text("start_time"),
    _text("station_aet"),
    _text("station_name"),
    _text("location"),
    _text("description"),
    _text("code_value"),
    _text("code_scheme"),
    _text("code_meaning"),
    _text("performing_physician"),
    _text("state"),
    Index("ix_step_day", "start_date", "start_time"),
    sqlite_autoincrement=True,
)

performed_procedure_step = Table(
    "performed_procedure_step",
    metadata,
    _key(),
    _text("sop_instance_uid", unique=True),
    _text("state"),
    _text("performed_id"),
    _text("station_aet"),
    _text("station_name"),
    _text("start_date"),
    _text("start_time"),
    _text("end_date"),
    _text("end_time"),
    _text("modality"),
    _text("patient_value"),
    _text("patient_issuer"),
    _text("patient_name"),
    _text("description"),
    _text("reason_value"),
    _text("reason_scheme"),
    _text("reason_meaning"),
    Column("series", Text, nullable=False, server_default=""),
    Column("attributes", Text, nullable=False, server_default=""),
    _text("calling_aet"),
    _text("created_at"),
    _text("changed_at"),
    sqlite_autoincrement=True,
)

performed_request = Table(
    "performed_request",
    metadata,
    _key(),
    Column("performed_id", ForeignKey("performed_procedure_step.id"), nullable=False, index=True),
    _text("study_uid", index=True),
    _text("accession", index=True),
    _text("procedure_id"),
    _text("step_id"),
    Column("order_id", ForeignKey("imaging_order.id"), index=True),
)

commitment = Table(
    "commitment",
    metadata,
    _key(),
    _text("transaction_uid"),
    _text("peer"),
    _flag("ours"),
    Column("objects", Text, nullable=False, server_default=""),
    _text("state"),
    _text("created_at"),
    _text("due_at", index=True),
    _flag("checked"),
    _number("attempts"),
    Column("answer", Text, nullable=False, server_default=""),
    UniqueConstraint("peer", "transaction_uid", "ours"),
    sqlite_autoincrement=True,
)

counter = Table("counter", metadata, Column("name", String, primary_key=True), _number("value"))

study = Table(
    "study",
    metadata,
    _key(),
    _text("study_uid", unique=True),
    Column("patient_id", ForeignKey("patient.id"), nullable=False, index=True),
    _text("received_patient_id", index=True),
    _text("received_issuer"),
    _text("received_name"),
    _text("received_birth_date"),
    _text("received_sex"),
    _text("received_accession", index=True),
    _text("study_id"),
    _text("study_date"),
    _text("study_time"),
    _text("description"),
    _text("referring_physician"),
    _text("modalities"),
    _text("body_part"),
    _text("institution"),
    _text("station"),
    _number("series_count"),
    _number("instance_count"),
    _text("reconciliation", index=True),
    Column("order_id", ForeignKey("imaging_order.id"), index=True),
    _text("first_received_at"),
    _text("last_received_at"),
    _number("revision"),
    _text("calling_aet"),
    _text("door"),
    _text("locked_by"),
    _text("locked_at"),
    _text("received_accession_issuer"),
    _text("further_accessions", index=True),
    _text("received_steps"),
    Index("ix_study_date", "study_date", "id"),
)

series = Table(
    "series",
    metadata,
    _key(),
    _text("series_uid", index=True),
    Column("study_id", ForeignKey("study.id"), nullable=False, index=True),
    _text("modality"),
    Column("series_number", Integer),
    _text("description"),
    _text("series_date"),
    _text("series_time"),
    _text("body_part"),
    _text("laterality"),
    _text("station"),
    _text("manufacturer"),
    _number("instance_count"),
    _number("expected_count"),
    UniqueConstraint("study_id", "series_uid"),
)

series_request = Table(
    "series_request",
    metadata,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("order_id", ForeignKey("imaging_order.id"), primary_key=True, index=True),
)

instance = Table(
    "instance",
    metadata,
    _key(),
    _text("sop_instance_uid", index=True),
    Column("series_id", ForeignKey("series.id"), nullable=False, index=True),
    Column("study_id", ForeignKey("study.id"), nullable=False, index=True),
    _text("sop_class_uid"),
    _text("transfer_syntax_uid"),
    Column("instance_number", Integer),
    _number("rows"),
    _number("columns"),
    _number("number_of_frames", 1),
    _text("blob_key", unique=True),
    _number("size"),
    _text("digest"),
    _number("dataset_offset"),
    Column("pixel_offset", Integer),
    Column("pixel_length", Integer),
    Column("frames", Text, nullable=False, server_default=""),
    Column("attributes", Text, nullable=False, server_default=""),
    _text("received_at"),
    _flag("current", True),
    Column("identity", Text, nullable=False, server_default=""),
)

hold = Table(
    "hold",
    metadata,
    _key(),
    _text("study_uid", index=True),
    _text("kind"),
    Column("reason", Text, nullable=False, server_default=""),
    _text("since"),
    _text("resolved_at", index=True),
    _text("resolved_by"),
    _text("how"),
    Column("order_id", Integer),
    Column("previous_patient_id", Integer),
    _text("undone_at"),
)

report = Table(
    "report",
    metadata,
    _key(),
    _text("study_uid", index=True),
    Column("patient_id", ForeignKey("patient.id"), nullable=False, index=True),
    Column("order_id", Integer, index=True),
    _text("state"),
    _text("created_at"),
    _text("changed_at"),
    sqlite_autoincrement=True,
)

report_version = Table(
    "report_version",
    metadata,
    _key(),
    Column("report_id", ForeignKey("report.id"), nullable=False, index=True),
    _number("version"),
    _text("kind"),
    Column("content", Text, nullable=False, server_default=""),
    _text("signer"),
    _text("signer_name"),
    _text("signed_at"),
    _text("digest"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("measurements", Text, nullable=False, server_default=""),
    UniqueConstraint("report_id", "version"),
)

draft = Table(
    "draft",
    metadata,
    _key(),
    _text("study_uid"),
    _text("author"),
    Column("report_id", ForeignKey("report.id"), nullable=False),
    _text("template"),
    Column("content", Text, nullable=False, server_default=""),
    _number("revision"),
    _text("saved_at"),
    UniqueConstraint("study_uid", "author"),
)

measurement = Table(
    "measurement",
    metadata,
    Column("tracking_uid", String, primary_key=True),
    _text("study_uid", index=True),
    _text("series_uid"),
    _text("instance_uid"),
    _text("author"),
    _text("made_at"),
    _text("changed_at"),
    _flag("deleted"),
    Column("content", Text, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    _key(),
    Column("version_id", ForeignKey("report_version.id"), nullable=False, index=True),
    Column("report_id", ForeignKey("report.id"), nullable=False, index=True),
    _text("destination"),
    _text("stream", index=True),
    _text("control_id"),
    Column("payload", LargeBinary, nullable=False, server_default=""),
    _text("state", index=True),
    _number("attempts"),
    _number("silent_attempts"),
    _number("refused_attempts"),
    _text("created_at"),
    _text("due_at"),
    _text("last_attempt_at"),
    _text("answer_code"),
    Column("answer", Text, nullable=False, server_default=""),
    _flag("alerted"),
    _number("takes_back"),
    sqlite_autoincrement=True,
)

message_log = Table(
    "message_log",
    metadata,
    _key(),
    _text("received_at"),
    _text("source"),
    _text("address"),
    _text("control_id"),
    _text("sender"),
    _text("digest"),
    _text("message_type"),
    Column("raw", LargeBinary, nullable=False),
    _text("state", index=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("ack", LargeBinary, nullable=False, server_default=""),
    _text("handled_by"),
    Index("ix_message_identity", "sender", "control_id"),
    sqlite_autoincrement=True,
)

application_entity = Table(
    "application_entity",
    metadata,
    Column("title", String, primary_key=True),
    _text("host"),
    _number("port"),
    _text("modality"),
    _text("station"),
    _flag("may_store", True),
    _flag("may_query", True),
    _flag("may_retrieve", True),
    _flag("may_worklist", True),
    _text("last_seen"),
    _text("last_did"),
)

hl7_source = Table(
    "hl7_source",
    metadata,
    Column("name", String, primary_key=True),
    _text("host"),
    _text("facility"),
    _text("character_set"),
    Column("field_map", Text, nullable=False, server_default=""),
    _text("last_seen"),
    _text("last_did"),
)

destination = Table(
    "destination",
    metadata,
    Column("name", String, primary_key=True),
    _text("host"),
    _number("port"),
    _number("refused_tries", 3),
    _number("hold_seconds"),
    _text("addendum_status"),
    _flag("reserved_for_tests"),
    _flag("paused"),
)

account = Table(
    "account",
    metadata,
    Column("name", String, primary_key=True),
    _text("role"),
    _text("full_name"),
    _text("secret"),
    _flag("disabled"),
    _text("created_at"),
    _text("last_sign_in"),
    _number("failures"),
    _text("locked_until"),
)

token = Table(
    "token",
    metadata,
    Column("digest", String, primary_key=True),
    _text("name", index=True),
    _text("role"),
    _text("account", index=True),
    _text("created_at"),
    _text("expires_at"),
    _text("last_used_at"),
)

audit = Table(
    "audit",
    metadata,
    _key(),
    _text("at"),
    _text("actor"),
    _text("role"),
    _text("verb"),
    _text("subject"),
    _text("outcome"),
    Column("detail", Text, nullable=False, server_default=""),
    _text("address"),
    _text("chain"),
)

journal = Table(
    "journal",
    metadata,
    Column("sequence", Integer, primary_key=True),
    _text("at"),
    _text("kind"),
    _number("stage"),
    Column("patient_id", Integer, index=True),
    Column("order_id", Integer, index=True),
    _text("study_uid", index=True),
    _text("subject"),
    _text("actor"),
    Column("detail", Text, nullable=False, server_default=""),
    Index("ix_journal_fact", "kind", "subject"),
)

schema_version = Table("schema_version", metadata, Column("version", String, primary_key=True))
