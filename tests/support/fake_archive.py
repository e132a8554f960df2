"""An archive in memory, for tests of the window alone: the whole `Archive` protocol over a few
dictionaries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom

from pacs_core.archive import models as m
from pacs_core.domain import errors
from pacs_core.domain.events import Change
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.report import ReportVersion, VersionKind
from pacs_core.runtime.changing import listed
from pacs_core.runtime.settings import Settings

PASSWORD = "a good password"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def patient(key: int = 1, **changes: Any) -> m.PatientView:
    base = m.PatientView(
        key,
        f"P{key:04d}",
        "HOSPITAL",
        "Doe^Jane",
        "Doe, Jane",
        "1961-04-12",
        "F",
        phone="+1 555 0100",
        allergies="Iodinated contrast (urticaria, 2019)",
    )
    return replace(base, **changes)


def order(number: int, who: m.PatientView, **changes: Any) -> m.OrderView:
    step = m.StepView(
        number,
        f"SPS{number}",
        "CT",
        datetime.now(UTC).astimezone().date().isoformat(),
        "09:30:00",
        "CT1",
        "CT 1",
        "Room 2",
        "CT Chest",
        "",
        "scheduled",
    )
    base = m.OrderView(
        number,
        who,
        f"ACC{number:05d}",
        "HOSPITAL",
        False,
        f"PL{number}",
        f"FL{number}",
        "scheduled",
        "ROUTINE",
        f"RP{number}",
        "CT Chest without contrast",
        "CTCHWO",
        "CHEST",
        "",
        f"2.25.{number}",
        "Persistent cough for six weeks, 30 pack-years",
        "New nodule? Compare with March",
        "Hill, Morgan",
        "+1 555 0142",
        "Hill, Morgan",
        "None planned",
        who.allergies,
        "",
        "",
        "Patient could not hold breath fully on the second run",
        "RIS",
        (step,),
    )
    return replace(base, **changes)


def exam(uid: str, who: m.PatientView, of: m.OrderView | None = None, **changes: Any) -> m.ExamRow:
    base = m.ExamRow(
        f"study:{uid}",
        uid,
        of.id if of else None,
        who.key,
        who.patient_id,
        who.issuer,
        who.name,
        who.display_name,
        who.birth_date,
        who.sex,
        of.accession if of else "",
        "CT",
        of.procedure if of else "CT Chest",
        "CHEST",
        of.priority if of else "ROUTINE",
        of.indication if of else "",
        datetime.now(UTC).astimezone().date().isoformat(),
        "09:41:00",
        "",
        1,
        0,
        None,
        False,
        now(),
        "arrived",
        "matched" if of else "none",
        "",
        "",
        "",
        "",
        "",
        of.referring_physician if of else "",
        "CT1",
        1,
    )
    return replace(base, **changes)


def manifest_of(
    folder: Path,
    who: m.PatientView,
    uid: str = "",
    accession: str = "",
    date: str = "",
    between: tuple[int | None, int | None] = (None, None),
) -> tuple[m.StudyManifest, dict[tuple[str, int], bytes]]:
    """A manifest with `Url` locators of the DICOM files below a folder, and the bytes of their frames."""
    series: dict[str, list[m.InstanceManifest]] = {}
    heads: dict[str, pydicom.Dataset] = {}
    frames: dict[tuple[str, int], bytes] = {}
    for path in sorted(folder.rglob("*.dcm"))[slice(*between)]:
        ds = pydicom.dcmread(path)
        if "PixelData" not in ds:
            continue
        syntax = str(ds.file_meta.TransferSyntaxUID)
        count = int(ds.get("NumberOfFrames", 1))
        for number, data in enumerate(_frames(ds, count, syntax), 1):
            frames[(ds.SOPInstanceUID, number)] = data
        places = tuple(m.Url(ds.SOPInstanceUID, n, syntax) for n in range(1, count + 1))
        one = m.InstanceManifest(
            ds.SOPInstanceUID,
            ds.SOPClassUID,
            syntax,
            ds.get("InstanceNumber"),
            ds.Rows,
            ds.Columns,
            count,
            _attributes(ds),
            places,
        )
        series.setdefault(ds.SeriesInstanceUID, []).append(one)
        heads[ds.SeriesInstanceUID] = ds
    first = next(iter(heads.values()))
    groups = tuple(
        m.SeriesManifest(
            u,
            h.Modality,
            h.get("SeriesNumber"),
            h.get("SeriesDescription", ""),
            h.get("BodyPartExamined", ""),
            "",
            tuple(series[u]),
        )
        for u, h in heads.items()
    )
    return m.StudyManifest(
        uid or first.StudyInstanceUID,
        who.key,
        who.patient_id,
        who.name,
        date or "2026-11-21",
        "09:41:00",
        first.get("StudyDescription", "CT Chest"),
        accession,
        groups,
        1,
    ), frames


def _frames(ds: pydicom.Dataset, count: int, syntax: str) -> list[bytes]:
    if pydicom.uid.UID(syntax).is_compressed:
        return [bytes(f) for f in pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=count)]
    size = len(ds.PixelData) // count
    return [ds.PixelData[n * size : (n + 1) * size] for n in range(count)]


def _attributes(ds: pydicom.Dataset) -> dict[str, object]:
    answer: dict[str, object] = {}
    for element in ds:
        if element.VR in ("OW", "OB", "SQ", "UN", "OF", "OD") or not element.keyword:
            continue
        answer[element.keyword] = _plain(element.value)
    return answer


def _plain(value: Any) -> object:
    if isinstance(value, pydicom.multival.MultiValue):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value)
    return int(value) if isinstance(value, int) else str(value)


class FakeArchive:
    """Everything in one object: each part of the protocol is the object itself or a small view of it."""

    def __init__(self, name: str = "reader", role: str = "reader", full_name: str = "Dr. Robin Vale") -> None:
        self.who = m.WhoAmI(name, role, full_name)
        self.rows_: list[m.ExamRow] = []
        self.orders: dict[int, m.OrderView] = {}
        self.patients_: dict[int, m.PatientView] = {}
        self.manifests: dict[str, m.StudyManifest] = {}
        self.frames: dict[tuple[str, int], bytes] = {}
        self.files: dict[str, bytes] = {}
        self.priors_: dict[str, tuple[m.Prior, ...]] = {}
        self.strokes: dict[str, Measurement] = {}
        self.kept_: dict[str, frozenset[Measurement]] = {}
        self.reports_: dict[str, list[m.ReportView]] = {}
        self.brought: list[bytes] = []
        self.storing: threading.Event | None = None
        self.drafts: dict[str, m.DraftView] = {}
        self.held_: list[m.HeldStudy] = []
        self.resolved_: list[m.ResolvedHold] = []
        self.messages_: list[m.MessageView] = []
        self.mended = False
        self.node_changes: dict[str, Any] = {}
        self.deliveries_: list[m.DeliveryView] = []
        self.merged: list[tuple[int, int]] = []
        self.peers_: dict[str, m.Peer] = {}
        self.sources_: dict[str, m.Hl7Source] = {}
        self.destinations_: dict[str, m.Destination] = {}
        self.users_: dict[str, m.Account] = {}
        self.tokens_: dict[str, m.TokenView] = {}
        self.settings_: dict[str, m.Setting] = {s.key: s for s in listed(Settings(Path("nowhere")))}
        self.journal: list[Change] = []
        self.failing: dict[str, Exception] = {}
        self.calls: list[str] = []
        self._news = threading.Condition()
        self.worklist = _Part(self, rows="list_rows", row="row_of", claim="claim", release="release")
        self.studies = _Part(
            self,
            open="open_study",
            renew="open_study",
            manifest="manifest",
            priors="priors",
            frame="frame",
            file="file",
            store="store",
        )
        self.measurements = _Part(
            self, of="strokes_of", save="save_stroke", remove="remove_stroke", keep="keep_strokes"
        )
        self.reports = _Part(
            self,
            of="reports_of",
            of_patient="reports_of_patient",
            save_draft="save_draft",
            discard_draft="discard_draft",
            sign="sign",
        )
        self.schedule = _Part(
            self,
            day="day",
            patients="find_patients",
            save_patient="save_patient",
            merge_patients="merge",
            place_order="place_order",
            order="order_of",
            reschedule="reschedule",
            cancel="cancel",
            note="note",
        )
        self.inbox = _Part(
            self,
            counts="counts",
            held="held",
            resolved="resolved",
            link="link",
            accept="accept",
            undo="undo",
            messages="messages",
            message_done="message_done",
            process_again="process_again",
            deliveries="deliveries",
            retry="retry",
        )
        self.trace = _Part(self, of="trace_of")
        self.administration = _Part(
            self,
            node="node",
            settings="settings",
            save_settings="save_settings",
            peers="peers",
            save_peer="save_peer",
            remove_peer="remove_peer",
            echo="echo",
            hl7_sources="sources",
            save_hl7_source="save_source",
            remove_hl7_source="remove_source",
            destinations="destinations",
            save_destination="save_destination",
            remove_destination="remove_destination",
            users="users",
            add_user="add_user",
            set_password="set_password",
            disable_user="disable_user",
            tokens="tokens",
            add_token="add_token",
            revoke_token="revoke_token",
            audit="audit",
        )
        self.changes = _Part(self, since="since")

    def sign_out(self) -> None:
        self.calls.append("sign_out")

    def tell(
        self,
        kind: str,
        stage: int = 0,
        study_uid: str = "",
        order_id: int | None = None,
        patient_id: int | None = None,
        subject: str = "",
        **detail: object,
    ) -> None:
        """Put a change on the feed."""
        with self._news:
            self.journal.append(
                Change(
                    len(self.journal) + 1,
                    now(),
                    kind,
                    stage,
                    patient_id,
                    order_id,
                    study_uid,
                    subject,
                    self.who.name,
                    detail,
                )
            )
            self._news.notify_all()

    def since(self, sequence: int, wait_s: float = 0.0, limit: int = 500) -> m.ChangesPage:
        with self._news:
            self._news.wait_for(lambda: len(self.journal) > sequence, min(wait_s, 0.2))
            return m.ChangesPage(tuple(self.journal[sequence : sequence + limit]), len(self.journal))

    # worklist
    def list_rows(self, query: m.WorklistQuery, offset: int = 0, limit: int = 200) -> m.WorklistPage:
        text = query.text.casefold()
        rows = [
            r
            for r in self.rows_
            if text
            in f"{r.patient_name} {r.patient_display} {r.patient_id} {r.accession} {r.procedure}".casefold()
            and (not query.status or r.status in query.status)
            and (not query.modality or r.modality == query.modality)
        ]
        if query.sort != "priority":
            rows.sort(key=lambda r: str(getattr(r, query.sort, "")), reverse=query.descending)
        return m.WorklistPage(tuple(rows[offset : offset + limit]), len(rows), len(self.journal))

    def row_of(self, key: str) -> m.ExamRow:
        return next((r for r in self.rows_ if r.key == key), None) or self._none("no such exam")

    def _none(self, words: str) -> Any:
        raise errors.NotFound(words)

    def change_row(self, uid: str, **changes: Any) -> m.ExamRow:
        number = next(n for n, r in enumerate(self.rows_) if r.study_uid == uid)
        self.rows_[number] = replace(self.rows_[number], revision=self.rows_[number].revision + 1, **changes)
        self.tell("exam.changed", 6, uid)
        return self.rows_[number]

    def claim(self, study_uid: str, take_over: bool = False) -> m.ExamRow:
        row = self.row_of(f"study:{study_uid}")
        if row.locked_by and row.locked_by != self.who.name and not take_over:
            raise errors.Conflict(f"{row.locked_by} is reading this exam")
        return self.change_row(study_uid, locked_by=self.who.name)

    def release(self, study_uid: str) -> m.ExamRow:
        return self.change_row(study_uid, locked_by="")

    # studies
    def open_study(self, study_uid: str) -> m.Dossier:
        row = self.row_of(f"study:{study_uid}")
        who = self.patients_[row.patient_key]
        of = self.orders.get(row.order_id) if row.order_id else None
        prior_reports = [
            r for p in self.priors_.get(study_uid, ()) for r in self.reports_.get(p.study_uid, [])
        ]
        return m.Dossier(
            row,
            who,
            of,
            (),
            self.manifest(study_uid),
            self.priors(study_uid),
            self.strokes_of(study_uid),
            self.reports_of(study_uid),
            tuple(prior_reports),
            row.locked_by,
            len(self.journal),
        )

    def manifest(self, study_uid: str) -> m.StudyManifest:
        return self.manifests.get(study_uid) or self._none("no such study")

    def priors(self, study_uid: str) -> tuple[m.Prior, ...]:
        return self.priors_.get(study_uid, ())

    def frame(self, sop_instance_uid: str, frame: int) -> m.FramePixels:
        syntax = next(
            (
                i.transfer_syntax
                for s in self.manifests.values()
                for x in s.series
                for i in x.instances
                if i.sop_instance_uid == sop_instance_uid
            ),
            "",
        )
        return m.FramePixels(syntax, (self.frames[(sop_instance_uid, frame)],))

    def file(self, sop_instance_uid: str, original: bool = False) -> bytes:
        return self.files.get(sop_instance_uid, b"")

    def store(self, name: str, content: bytes) -> m.ImportLine:
        """What begins with DICM is stored, once; with `storing` set each waits for it."""
        if self.storing is not None:
            self.storing.wait(30)
        if not content.startswith(b"DICM"):
            return m.ImportLine(name, "not DICOM", "no DICM prefix")
        outcome = "already there" if content in self.brought else "stored"
        self.brought.append(content)
        return m.ImportLine(name, outcome, "", "2.25.77")

    # strokes
    def strokes_of(self, study_uid: str) -> tuple[Measurement, ...]:
        return tuple(s for s in self.strokes.values() if s.study_uid == study_uid and not s.deleted)

    def save_stroke(self, measurement: Measurement) -> Measurement:
        self.strokes[measurement.tracking_uid] = replace(measurement, deleted=False)
        self.tell("measurement.saved", 6, measurement.study_uid)
        return measurement

    def remove_stroke(self, tracking_uid: str) -> Measurement:
        gone = replace(self.strokes.get(tracking_uid) or self._none("no such measurement"), deleted=True)
        self.strokes[tracking_uid] = gone
        self.tell("measurement.removed", 6, gone.study_uid)
        return gone

    def keep_strokes(self, study_uid: str) -> tuple[m.ImportLine, ...]:
        """What would become objects; a house in memory has no files to lay them beside."""
        if study_uid not in self.manifests:
            self._none("no such study")
        strokes = self.strokes_of(study_uid)
        names = ["key images"] if any(s.kind == "key_image" for s in strokes) else []
        names += ["measurements"] if any(s.points for s in strokes) else []
        said = frozenset(strokes)
        outcome = "already there" if self.kept_.get(study_uid) == said else "stored"
        self.kept_[study_uid] = said
        return tuple(m.ImportLine(name, outcome, "", study_uid) for name in names)

    # reports
    def reports_of(self, study_uid: str) -> tuple[m.ReportView, ...]:
        views = list(self.reports_.get(study_uid, []))
        draft = self.drafts.get(study_uid)
        if draft and views:
            views[-1] = replace(views[-1], draft=draft)
        elif draft:
            row = self.row_of(f"study:{study_uid}")
            views = [
                m.ReportView(
                    0,
                    study_uid,
                    row.accession,
                    row.patient_key,
                    row.procedure,
                    row.study_date,
                    "draft",
                    (),
                    draft,
                    (),
                )
            ]
        return tuple(views)

    def reports_of_patient(self, patient_key: int) -> tuple[m.ReportView, ...]:
        return tuple(r for views in self.reports_.values() for r in views if r.patient_key == patient_key)

    def save_draft(
        self, study_uid: str, template: str, content: str, addendum_to: int | None = None
    ) -> m.DraftView:
        before = self.drafts.get(study_uid)
        self.drafts[study_uid] = m.DraftView(
            0, study_uid, self.who.name, template, content, before.revision + 1 if before else 1, now()
        )
        return self.drafts[study_uid]

    def discard_draft(self, study_uid: str) -> None:
        self.drafts.pop(study_uid, None)

    def sign(self, request: m.SignRequest) -> m.ReportView:
        if request.password != PASSWORD:
            raise errors.NotSignedIn("the password is wrong")
        row = self.row_of(f"study:{request.study_uid}")
        views = self.reports_.setdefault(request.study_uid, [])
        version = ReportVersion(
            len(views[-1].versions) + 1 if views else 1,
            VersionKind(request.kind),
            request.sections,
            self.who.name,
            self.who.full_name,
            now(),
            "0" * 64,
            request.reason,
        )
        older = views.pop().versions if views else ()
        views.append(
            m.ReportView(
                1,
                request.study_uid,
                row.accession,
                row.patient_key,
                row.procedure,
                row.study_date,
                "addended" if request.kind == "addendum" else request.kind,
                (*older, version),
                None,
                (),
            )
        )
        self.drafts.pop(request.study_uid, None)
        self.change_row(request.study_uid, status="signed", report_state="final", delivery="waiting")
        return views[-1]

    # schedule
    def day(self, date: str = "", station: str = "") -> m.DayView:
        today = datetime.now(UTC).astimezone().date().isoformat()
        found = tuple(
            o
            for o in self.orders.values()
            if any(
                s.start_date == (date or today) and (not station or s.station_aet == station) for s in o.steps
            )
        )
        stations = tuple(sorted({s.station_aet for o in self.orders.values() for s in o.steps}))
        return m.DayView(date or today, today, "Europe/Zurich", found, stations)

    def find_patients(self, text: str, limit: int = 50) -> tuple[m.PatientView, ...]:
        return tuple(
            p for p in self.patients_.values() if text.casefold() in f"{p.name} {p.patient_id}".casefold()
        )[:limit]

    def save_patient(self, form: m.PatientForm) -> m.PatientView:
        if not form.name:
            raise errors.InvalidValue("a patient needs a name", "name")
        key = next(
            (p.key for p in self.patients_.values() if p.patient_id == form.patient_id),
            len(self.patients_) + 1,
        )
        self.patients_[key] = patient(
            key,
            patient_id=form.patient_id or f"P{key:04d}",
            issuer=form.issuer,
            name=form.name,
            display_name=form.name.replace("^", ", "),
            birth_date=form.birth_date,
            sex=form.sex,
        )
        return self.patients_[key]

    def merge(self, survivor_key: int, subsumed_key: int) -> m.PatientView:
        self.merged.append((survivor_key, subsumed_key))
        return self.patients_[survivor_key]

    def place_order(self, form: m.OrderForm) -> m.OrderView:
        who = next(
            (p for p in self.patients_.values() if p.patient_id == form.patient_id), None
        ) or self._none("no patient")
        if not form.procedure:
            raise errors.InvalidValue("an order needs a procedure", "procedure")
        number = len(self.orders) + 1
        step = m.StepView(
            number,
            f"SPS{number}",
            form.modality,
            form.start_date,
            form.start_time,
            form.station_aet,
            "",
            "",
            form.procedure,
            "",
            "scheduled",
        )
        self.orders[number] = order(
            number,
            who,
            procedure=form.procedure,
            priority=form.priority,
            steps=(step,),
            accession=form.accession or f"RR{number:06d}",
            accession_is_ours=not form.accession,
        )
        self.tell("order.placed", 2, order_id=number)
        return self.orders[number]

    def order_of(self, order_id: int) -> m.OrderView:
        return self.orders[order_id]

    def reschedule(
        self, order_id: int, start_date: str, start_time: str, station_aet: str = ""
    ) -> m.OrderView:
        old = self.orders[order_id]
        steps = tuple(
            replace(s, start_date=start_date, start_time=start_time, station_aet=station_aet or s.station_aet)
            for s in old.steps
        )
        self.orders[order_id] = replace(old, steps=steps)
        self.tell("order.changed", 2, order_id=order_id)
        return self.orders[order_id]

    def cancel(self, order_id: int, reason: str = "") -> m.OrderView:
        old = self.orders[order_id]
        self.orders[order_id] = replace(
            old, state="cancelled", steps=tuple(replace(s, state="cancelled") for s in old.steps)
        )
        self.tell("order.cancelled", 2, order_id=order_id)
        return self.orders[order_id]

    def note(self, order_id: int, technologist_note: str) -> m.OrderView:
        self.orders[order_id] = replace(self.orders[order_id], technologist_note=technologist_note)
        return self.orders[order_id]

    # inbox
    def counts(self) -> m.InboxCounts:
        return m.InboxCounts(len(self.held_), len(self.messages_), len(self.deliveries_))

    def held(self) -> tuple[m.HeldStudy, ...]:
        return tuple(self.held_)

    def resolved(self, limit: int = 50) -> tuple[m.ResolvedHold, ...]:
        return tuple(self.resolved_[:limit])

    def link(self, study_uid: str, order_id: int) -> m.ExamRow:
        held = next(h for h in self.held_ if h.study_uid == study_uid)
        self.held_.remove(held)
        of = self.orders[order_id]
        self.resolved_.insert(
            0,
            m.ResolvedHold(
                held.hold_id,
                study_uid,
                order_id,
                of.accession,
                of.patient.display_name,
                "linked by hand",
                self.who.name,
                now(),
            ),
        )
        self.undone = held
        self.tell("hold.resolved", 5, study_uid)
        return self.rows_[0]

    def accept(self, study_uid: str) -> m.ExamRow:
        held = next(h for h in self.held_ if h.study_uid == study_uid)
        self.held_.remove(held)
        self.tell("hold.resolved", 5, study_uid)
        return self.rows_[0]

    def undo(self, hold_id: int) -> m.ExamRow:
        self.resolved_ = [r for r in self.resolved_ if r.hold_id != hold_id]
        self.held_.append(self.undone)
        self.tell("hold.undone", 5)
        return self.rows_[0]

    def messages(self) -> tuple[m.MessageView, ...]:
        return tuple(self.messages_)

    def message_done(self, message_id: int, note: str = "") -> None:
        self.messages_ = [x for x in self.messages_ if x.id != message_id]
        self.tell("message.done", 2)

    def process_again(self, message_id: int) -> m.MessageView:
        chosen = next(x for x in self.messages_ if x.id == message_id)
        if not self.mended:
            return chosen
        self.messages_ = [x for x in self.messages_ if x.id != message_id]
        self.tell("message.retried", 2)
        return replace(chosen, state="processed", reason="")

    def deliveries(self) -> tuple[m.DeliveryView, ...]:
        return tuple(self.deliveries_)

    def retry(self, delivery_id: int) -> m.DeliveryView:
        number = next(n for n, d in enumerate(self.deliveries_) if d.id == delivery_id)
        self.deliveries_[number] = replace(self.deliveries_[number], state="waiting", attempts=0)
        self.tell("delivery.retried", 7)
        return self.deliveries_[number]

    # trace
    def trace_of(self, accession: str) -> m.ExamTrace:
        names = ("Patient", "Order", "Worklist", "Acquisition", "Reconciliation", "Reading", "Result")
        states = ("done",) * 5 + ("waiting", "missing")
        return m.ExamTrace(
            accession,
            None,
            tuple(
                m.StageView(n, name, state, now() if state == "done" else "", f"{name} evidence")
                for n, (name, state) in enumerate(zip(names, states, strict=True), 1)
            ),
            "Result",
            (),
        )

    # administration
    def node(self) -> m.NodeInfo:
        info = m.NodeInfo(
            "0.1.0",
            "127.0.0.1:11112",
            "READINGROOM",
            "127.0.0.1:2575",
            "http://127.0.0.1:8080",
            "the data folder",
            "Europe/Zurich",
            datetime.now(UTC).astimezone().date().isoformat(),
            ("192.0.2.17",),
            (),
            True,
            412 << 30,
            1812,
            14,
            (
                m.Check("disk", "ok", "412 GiB free"),
                m.Check("clock", "warn", "no time server", "Switch NTP on"),
            ),
        )
        return replace(info, **self.node_changes)

    def settings(self) -> tuple[m.Setting, ...]:
        return tuple(self.settings_.values())

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        if len(str(values.get("dicom.ae", ""))) > 16:
            raise errors.InvalidValue("an AE title has 1 to 16 ASCII characters", "dicom.ae")
        for key, value in values.items():
            old = self.settings_[key]
            self.settings_[key] = replace(old, value=value, running=old.running if old.restart else value)
        self.tell("settings.saved", 0)
        return self.settings()

    def peers(self) -> tuple[m.Peer, ...]:
        return tuple(self.peers_.values())

    def save_peer(self, peer: m.Peer) -> m.Peer:
        self.peers_[peer.title] = peer
        return peer

    def remove_peer(self, title: str) -> None:
        del self.peers_[title]

    def echo(self, title: str) -> m.Check:
        return m.Check(title, "ok", "answered in 12 ms")

    def sources(self) -> tuple[m.Hl7Source, ...]:
        return tuple(self.sources_.values())

    def save_source(self, source: m.Hl7Source) -> m.Hl7Source:
        self.sources_[source.name] = source
        return source

    def remove_source(self, name: str) -> None:
        del self.sources_[name]

    def destinations(self) -> tuple[m.Destination, ...]:
        return tuple(self.destinations_.values())

    def save_destination(self, destination: m.Destination) -> m.Destination:
        self.destinations_[destination.name] = destination
        return destination

    def remove_destination(self, name: str) -> None:
        del self.destinations_[name]

    def users(self) -> tuple[m.Account, ...]:
        return tuple(self.users_.values())

    def add_user(self, name: str, role: str, password: str, full_name: str = "") -> m.Account:
        if len(password) < 8:
            raise errors.InvalidValue("a password needs at least 8 characters", "password")
        self.users_[name] = m.Account(name, role, full_name, False, now())
        return self.users_[name]

    def set_password(self, name: str, password: str) -> None:
        self.calls.append(f"set_password {name}")

    def disable_user(self, name: str, disabled: bool = True) -> m.Account:
        self.users_[name] = replace(self.users_[name], disabled=disabled)
        return self.users_[name]

    def tokens(self) -> tuple[m.TokenView, ...]:
        return tuple(self.tokens_.values())

    def add_token(self, name: str, role: str) -> m.TokenView:
        self.tokens_[name] = m.TokenView(name, role, now())
        return replace(self.tokens_[name], secret="shown once")

    def revoke_token(self, name: str) -> None:
        del self.tokens_[name]

    def audit(self, before: int = 0, limit: int = 200) -> tuple[m.AuditRow, ...]:
        return ()


class _Part:
    """One part of the protocol: its method names, each done by a method of the archive."""

    def __init__(self, archive: FakeArchive, **names: str) -> None:
        self._archive, self._names = archive, names

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._names:
            raise AttributeError(name)
        archive, method = self._archive, getattr(self._archive, self._names[name])

        def call(*args: Any, **kwargs: Any) -> Any:
            archive.calls.append(self._names[name])
            failure = archive.failing.get(self._names[name])
            if failure is not None:
                raise failure
            return method(*args, **kwargs)

        return call


class FakeDoor:
    """Opens fake archives by name; the password is always the same."""

    def __init__(self, archives: Sequence[FakeArchive], demo: bool = True) -> None:
        self.archives = {a.who.name: a for a in archives}
        self.demo = demo
        self.wrong = 0

    def sign_in_facts(self) -> m.SignIn:
        if not self.demo:
            return m.SignIn("READINGROOM on this machine")
        others = (m.DemoUser("tech", "technologist", PASSWORD), m.DemoUser("admin", "admin", PASSWORD))
        return m.SignIn("READINGROOM on this machine", "reader", PASSWORD, others)

    def sign_in(self, name: str, password: str) -> FakeArchive:
        if name not in self.archives or password != PASSWORD:
            self.wrong += 1
            if self.wrong >= 5:
                raise errors.LockedOut("too many wrong passwords", 30.0)
            raise errors.NotSignedIn("wrong name or password")
        return self.archives[name]
