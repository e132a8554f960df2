"""Reading, checking and handing out DICOM objects: the one way for DIMSE, DICOMweb, import and the viewer.

Nothing heavy is imported here; import the module you need. Dates in headers are civil ``YYYY-MM-DD``,
times ``HH:MM:SS`` with ``.ffffff`` where given; what is no legal date or time is left empty and named
in ``warnings``. Failures are ``domain.errors``: NotDicom, Damaged, NotStorable, each saying what and where.

``intake`` (bytes or a file -> checked header, digest)::

    Intake(header: domain.study.InstanceHeader, digest: str, size: int, prefix: bytes, source_offset: int)
        digest           SHA-256 (hex) of the encoded data set as received, file meta not included
        size             bytes of the encoded data set
        prefix           what has to precede the data set in the stored file (preamble, DICM, group 0002);
                         of a file that is Part 10 already its own bytes
        source_offset    where the data set begins in the source that was read (file or bytes)
        data_set_offset  where it begins in the *stored* file (prefix + data set); offsets in header are
        that file's

    intake_file(path) -> Intake
    intake_bytes(data, name="") -> Intake                        # Part 10, or a bare data set
    intake_data_set(data_set, transfer_syntax_uid, *, sop_class_uid="", sop_instance_uid="",
                    source_aet="", digest=None, prefix=None) -> Intake      # as it came over the wire
    part10_prefix(sop_class_uid, sop_instance_uid, transfer_syntax_uid, source_aet="") -> bytes

``sources`` and ``headers`` (the fast scan below ``intake``)::

    read_data_set(data, start, transfer_syntax_uid) -> DataSet(header, pixels, data, ...)
    Header.text(tag) .texts(tag) .integer(tag) .integers(tag) .numbers(tag) .items(tag) .raw(tag) .place(tag)

``pixels`` (imagecodecs, releases the GIL; pydicom's plugins where it cannot)::

    PixelFormat(rows, columns, samples, bits_allocated, bits_stored, high_bit, pixel_representation,
                photometric, planar, float_kind, words_swapped)
    pixel_format(header: InstanceHeader) -> PixelFormat
    format_of(rows, columns, attributes) -> PixelFormat          # from what the index keeps
    decode_frame(fragments, transfer_syntax_uid, rows, columns, samples=1, bits_allocated=16,
                 bits_stored=None, pixel_representation=0, photometric="MONOCHROME2", planar=0,
                 *, bit_offset=0, float_kind="", words_swapped=False) -> ndarray
        fragments: bytes or a sequence of bytes of one frame; answer (rows, columns) or (rows, columns,
        samples), signed where pixel_representation is 1, stored values (maybe a read-only view); safe on
        many threads at once
    frame_fragments(data, spans, frames, ...) -> list of (offset, length) lists, one list a frame
    read_frame(path, header, index) -> ndarray
    decoded_photometric(transfer_syntax_uid, photometric) -> str # of what decode_frame gives
    to_rgb(frame, photometric, palette=None) -> uint8 (rows, columns, 3); palette: attributes["Palette"]
    transcode(part10, target_uid) -> bytes                       # Part 10 in and out, uncompressed target

``attributes`` of a header: keywords as in ``dicom.attributes``; of multi-frame objects the shared
functional groups stand beside them and ``Frames`` holds what differs per frame: ``frame.get(k,
attributes.get(k))``. ``unpacked(text)`` gives the bytes of a lookup table or palette kept in a header's
attributes.

``json`` (PS3.18 annex F)::

    data_set_to_json(source, bulk_data_uri) -> dict              # source: path or Part-10 bytes
    bulk_data(source, path) -> bytes                             # by the path bulk_data_uri was given
    data_set_from_json(attributes, bulk_data) -> pydicom.Dataset

``coercion`` (overlay of corrected identity on the way out, PS3.3 C.12.1.1.9)::

    Correction(values: Mapping[keyword, str], at: datetime, reason="COERCE", system="READING ROOM", source="")
    overlay(part10, correction) -> bytes                         # the very same bytes where nothing differs
    overlay_head(path, pixel_offset, correction) -> (bytes, int) # new head, where the file's own bytes go on

``media``: find(path) -> Iterator[Found]; expected(path) -> int    # files, folders, zips, DICOMDIR media

``charset`` (PS3.5 6.1): ``decode_text(raw, character_set)``, ``decode_name``, ``encode_text``,
``best_character_set``, ``canonical_name``
"""
