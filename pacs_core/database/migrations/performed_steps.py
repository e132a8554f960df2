"""The tables of performed procedure steps, as version 0006 made them."""

from __future__ import annotations

_TEXT = "VARCHAR NOT NULL DEFAULT ''"

STATEMENTS = (
    f"""CREATE TABLE performed_procedure_step (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        sop_instance_uid {_TEXT} UNIQUE, state {_TEXT}, performed_id {_TEXT},
        station_aet {_TEXT}, station_name {_TEXT}, start_date {_TEXT}, start_time {_TEXT},
        end_date {_TEXT}, end_time {_TEXT}, modality {_TEXT}, patient_value {_TEXT},
        patient_issuer {_TEXT}, patient_name {_TEXT}, description {_TEXT}, reason_value {_TEXT},
        reason_scheme {_TEXT}, reason_meaning {_TEXT}, series TEXT NOT NULL DEFAULT '',
        attributes TEXT NOT NULL DEFAULT '', calling_aet {_TEXT}, created_at {_TEXT}, changed_at {_TEXT}
    )""",
    f"""CREATE TABLE performed_request (
        id INTEGER NOT NULL PRIMARY KEY,
        performed_id INTEGER NOT NULL REFERENCES performed_procedure_step (id),
        study_uid {_TEXT}, accession {_TEXT}, procedure_id {_TEXT}, step_id {_TEXT},
        order_id INTEGER REFERENCES imaging_order (id)
    )""",
    *(
        f"CREATE INDEX ix_performed_request_{column} ON performed_request ({column})"
        for column in ("performed_id", "study_uid", "accession", "order_id")
    ),
)
