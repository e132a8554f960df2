"""A small hospital in a fake archive: rows of every state, names in many scripts, one study with real
pixels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pacs_core.archive import models as m
from pacs_core.domain.report import ReportVersion, Section, VersionKind
from tests.support.fake_archive import FakeArchive, exam, manifest_of, now, order, patient

SLICES = 48
NAMES = (
    ("Doe, Jane", "F", "1961-04-12"),
    ("山田 太郎 (Yamada, Tarou)", "M", "1978-02-03"),
    ("Люкceмбypг", "M", "1950-11-30"),
    ("قباني, لنزار", "M", "1990-06-17"),
    ("שרון, דבורה", "F", "1984-09-09"),
    ("김 희중 (Hong, Gildong)", "M", "2026-09-30"),
    ("Διονυσιος", "M", "1941-01-01"),
    ("王 小东 (Wang, XiaoDong)", "M", "2025-03-02"),
    ("Äneas, Rüdiger", "M", "1969-07-20"),
    ("Montgomery-Featherstonehaugh, Alexandrina Victoria", "F", "1933-12-24"),
    ("Ng, Li", "F", "2001-05-05"),
    ("Okafor, Chidi", "M", "1999-08-15"),
)
STATES = (
    ("arrived", "STAT", "matched", "", "", "", ""),
    ("reading", "HIGH", "matched", "", "", "", "dr.lee"),
    ("arriving", "ROUTINE", "matched", "", "", "", ""),
    ("draft", "ROUTINE", "linked", "", "", "", "reader"),
    ("arrived", "ROUTINE", "held", "patient ID 4711 is not the order's", "", "", ""),
    ("signed", "ROUTINE", "matched", "", "delivered", "AA Message accepted, filed under 20261121-0042", ""),
    ("signed", "ROUTINE", "matched", "", "silent", "no answer since 09:12", ""),
    ("signed", "HIGH", "matched", "", "needs a person", "AE OBR-3 unknown order", ""),
    ("preliminary", "ROUTINE", "matched", "", "waiting", "", ""),
    ("arrived", "ROUTINE", "none", "", "", "", ""),
    ("scheduled", "ROUTINE", "", "", "", "", ""),
    ("cancelled", "ROUTINE", "matched", "", "", "", ""),
)


def world(shared: Path | None = None, role: str = "reader") -> FakeArchive:
    """The hospital; with `shared` the first exam has pixels of a real CT and a prior beside it."""
    archive = FakeArchive("reader" if role == "reader" else role, role)
    for number, ((name, sex, born), state) in enumerate(zip(NAMES, STATES, strict=True), 1):
        _exam(archive, number, name, sex, born, state)
    _inbox(archive)
    _settings(archive)
    if shared is not None:
        _pixels(archive, shared)
    return archive


def _exam(archive: FakeArchive, number: int, name: str, sex: str, born: str, state: tuple[str, ...]) -> None:
    status, priority, reconciliation, reason, delivery, words, locked = state
    who = patient(
        number,
        patient_id=f"P{number:04d}",
        display_name=name,
        name=name.replace(", ", "^"),
        birth_date=born,
        sex=sex,
    )
    of = order(
        number,
        who,
        priority=priority,
        procedure=(
            "CT Chest without contrast",
            "MR Prostate multiparametric",
            "CT Chest, abdomen and pelvis with contrast",
        )[number % 3],
    )
    archive.patients_[number], archive.orders[number] = who, of
    uid = "" if status == "scheduled" else f"2.25.{number}"
    row = exam(
        uid,
        who,
        of,
        status=status,
        priority=priority,
        reconciliation=reconciliation,
        hold_reason=reason,
        delivery=delivery,
        acknowledgement=words,
        locked_by=locked,
        images=0 if not uid else 133,
        series=2,
        expected=133 if status != "arriving" else 180,
        arriving=status == "arriving",
        modality="MR" if number % 3 == 1 else "CT",
        report_state="final" if status == "signed" else "",
        study_date="" if not uid else "2026-11-22",
        study_time=f"09:{number:02d}:00",
        scheduled_start="2026-11-22T14:30:00" if not uid else "",
    )
    archive.rows_.append(replace(row, key=row.key if uid else f"order:{number}"))


def _inbox(archive: FakeArchive) -> None:
    first, second = archive.orders[5], archive.orders[2]
    archive.held_.append(
        m.HeldStudy(
            1,
            "2.25.5",
            "Patient ID 4711 is not the order's P0005",
            "wrong patient",
            now(),
            "4711",
            "SHARON^DEBORAH",
            "1984-09-09",
            "F",
            "ACC00005",
            "CT",
            "Thorax",
            "2026-11-22",
            133,
            (
                m.Suggestion(first, 0.91, ("same accession number", "same birth date", "name sounds alike")),
                m.Suggestion(second, 0.34, ("same modality", "same day")),
            ),
        )
    )
    archive.held_.append(
        m.HeldStudy(
            2,
            "2.25.99",
            "No order has accession number A-77120",
            "no order",
            now(),
            "P0011",
            "NG^LI",
            "2001-05-05",
            "F",
            "A-77120",
            "MR",
            "Knie links",
            "2026-11-21",
            214,
            (),
        )
    )
    archive.resolved_.append(
        m.ResolvedHold(7, "2.25.70", 3, "ACC00003", "Люкceмбypг", "linked by hand", "tech.kim", now())
    )
    archive.messages_.append(
        m.MessageView(
            4,
            now(),
            "RIS",
            "ORM^O01",
            "MSG00417",
            "parked",
            "Order control SC is for a person to decide",
            "MSH|^~\\&|RIS|HOSP|READINGROOM|RAD|20261122091500||ORM^O01|MSG00417|P|2.3.1\r"
            "PID|1||P0003^^^HOSPITAL||Luxemburg^R\rORC|SC|PL3|FL3",
        )
    )
    archive.deliveries_.append(
        m.DeliveryView(
            9,
            8,
            1,
            "RIS",
            "RR-000009",
            "needs a person",
            3,
            now(),
            "",
            now(),
            "AE",
            "OBR-3 unknown order",
            "ACC00008",
            "王, 小东 (Wang, XiaoDong)",
            "2.25.8",
        )
    )
    archive.deliveries_.append(
        m.DeliveryView(
            10,
            7,
            1,
            "RIS",
            "RR-000010",
            "silent",
            14,
            now(),
            now(),
            now(),
            "",
            "",
            "ACC00007",
            "Διονυσιος",
            "2.25.7",
        )
    )


def _settings(archive: FakeArchive) -> None:
    archive.peers_["CT1"] = m.Peer(
        "CT1", "192.0.2.21", 104, "CT", "CT 1", last_seen=now(), last_did="C-STORE"
    )
    archive.peers_["MR1"] = m.Peer("MR1", "192.0.2.22", 104, "MR", "MR 1", may_retrieve=False)
    archive.sources_["RIS"] = m.Hl7Source("RIS", "192.0.2.10", 'accession = "OBR-18"', last_seen=now())
    archive.destinations_["RIS"] = m.Destination("RIS", "192.0.2.10", 2576)
    for name, role, full in (
        ("reader", "reader", "Dr. Robin Vale"),
        ("tech.kim", "technologist", "Kim Park"),
        ("admin", "admin", "Sasha Reyes"),
    ):
        archive.users_[name] = m.Account(name, role, full, False, now(), now())


@lru_cache(maxsize=1)
def _read(folder: Path) -> tuple[m.StudyManifest, dict[tuple[str, int], bytes]]:
    """The middle images of a real CT, once for all tests."""
    return manifest_of(folder, patient(1), date="2026-11-22", between=(40, 40 + SLICES))


def _pixels(archive: FakeArchive, shared: Path) -> None:
    studies = shared / "studies"
    ct = studies / "petct-acrin-nsclc-042" / "CT-0002-CT-IMAGES"
    current, frames = _read(ct)
    current = replace(current, study_uid="2.25.1", accession="ACC00001")
    archive.manifests["2.25.1"] = current
    archive.frames |= frames
    older = replace(current, study_uid="2.25.1001", accession="ACC90001", study_date="2026-03-02")
    tilted = replace(
        older,
        series=tuple(
            replace(
                s,
                series_uid=s.series_uid + ".9",
                instances=tuple(
                    replace(
                        i,
                        sop_instance_uid=i.sop_instance_uid + ".9",
                        frames=tuple(
                            replace(f, sop_instance_uid=f.sop_instance_uid + ".9") for f in i.frames
                        ),
                        attributes={**i.attributes, "FrameOfReferenceUID": "2.25.31337"},
                    )
                    for i in s.instances[8:]
                ),
            )
            for s in older.series
        ),
    )
    archive.manifests["2.25.1001"] = tilted
    archive.frames |= {(uid + ".9", n): data for (uid, n), data in frames.items()}
    archive.priors_["2.25.1"] = (
        m.Prior(
            "2.25.1001",
            "2026-03-02",
            "10:12:00",
            "CT",
            "CT Chest",
            "CHEST",
            "ACC90001",
            127,
            0.92,
            "same modality and body part, 8 months earlier",
            "final",
        ),
        m.Prior(
            "2.25.1002",
            "2024-01-15",
            "08:00:00",
            "CR",
            "Chest PA",
            "CHEST",
            "ACC80001",
            2,
            0.41,
            "same body part",
            "final",
        ),
    )
    version = ReportVersion(
        1,
        VersionKind.FINAL,
        (
            Section("Indication", "Cough."),
            Section("Findings", "Solid nodule in the right upper lobe, 6 mm. No effusion."),
            Section("Impression", "Small nodule, follow-up CT in 6 months recommended."),
        ),
        "dr.lee",
        "Dr. Sam Lee",
        "2026-03-02T11:02:00Z",
        "0" * 64,
    )
    archive.reports_["2.25.1001"] = [
        m.ReportView(50, "2.25.1001", "ACC90001", 1, "CT Chest", "2026-03-02", "final", (version,), None, ())
    ]
    archive.rows_[0] = replace(
        archive.rows_[0], images=135, expected=135, modality="CT", indication=archive.orders[1].indication
    )
