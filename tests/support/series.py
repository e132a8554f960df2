"""Series as the archive would hand them over, straight from files: for tests of imaging and rendering."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pacs_core.archive.models import FramePixels, InstanceManifest, LocalFile, SeriesManifest, Url
from pacs_core.dicom.intake import intake_file
from pacs_core.domain.study import InstanceHeader


def locators(path: Path, header: InstanceHeader) -> tuple[LocalFile | Url, ...]:
    """A `LocalFile` for every frame whose place is known, else a `Url`."""
    uid = header.transfer_syntax_uid
    if not header.frames:
        return tuple(Url(header.sop_instance_uid, n, uid) for n in range(1, header.number_of_frames + 1))
    return tuple(LocalFile(str(path), f.offset, f.length, uid, f.fragments) for f in header.frames)


def instance_of(path: Path, header: InstanceHeader | None = None) -> InstanceManifest:
    header = header or intake_file(path).header
    return InstanceManifest(
        sop_instance_uid=header.sop_instance_uid,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax=header.transfer_syntax_uid,
        instance_number=header.instance_number,
        rows=header.rows,
        columns=header.columns,
        number_of_frames=header.number_of_frames,
        attributes=header.attributes,
        frames=locators(path, header) if header.rows else (),
    )


def series_of(paths: Iterable[Path]) -> SeriesManifest:
    """One series of these files, in the order given."""
    read = [(path, intake_file(path).header) for path in paths]
    first = read[0][1]
    return SeriesManifest(
        series_uid=first.series_instance_uid,
        modality=first.modality,
        number=first.series_number,
        description=first.series_description,
        body_part=first.body_part,
        laterality=first.laterality,
        instances=tuple(instance_of(path, header) for path, header in read),
    )


class FileFrames:
    """Answers `studies.frame` from files, as the archive does where there is no LocalFile."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._by_uid = {intake_file(path).header.sop_instance_uid: path for path in paths}
        self.asked: list[tuple[str, int]] = []

    def __call__(self, sop_instance_uid: str, frame: int) -> FramePixels:
        self.asked.append((sop_instance_uid, frame))
        path = self._by_uid[sop_instance_uid]
        header = intake_file(path).header
        place = header.frames[frame - 1]
        data = path.read_bytes()
        parts = place.fragments or ((place.offset, place.length),)
        return FramePixels(header.transfer_syntax_uid, tuple(data[o : o + n] for o, n in parts))
