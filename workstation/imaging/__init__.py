"""From a stored series to numbers in patient space. No Qt, no VTK; LPS millimetres everywhere.

How the rooms above use it::

    from workstation.imaging.display_sets import display_sets
    from workstation.imaging.loader import Loader, Urgency

    sets = display_sets(series_manifest)        # tuple[DisplaySet], sorted, split, problems in words
    loader = Loader(fetch=archive.studies.frame, cache_bytes=2 << 30)      # one per workstation
    request = loader.load(sets[0], first=12, on_slice=tell, urgency=Urgency.INTERACTION)
    request.volume                              # Volume: allocated at once, filled as slices arrive
    request.done                                # Future[Volume], resolved when each slice came or failed
    loader.focus(request, index); loader.promote(request, Urgency.INTERACTION)
    request.cancel()                            # at once; nothing of it is called back afterwards
    loader.close()                              # joins its threads

``on_slice`` gets `SliceLoaded(request_id, index, loaded, total, words)` on a worker thread. A display
set that grows keeps its `uid`; loading it again takes over what its smaller self had.

``geometry``      `Vector`, `PlaneGeometry` (one image), `VolumeGeometry` (a stack, also sheared, left-handed
                  or unequal), `orientation_letters(direction)`, `plane_name(normal)`.
``spacing``       `Calibration`: may millimetres be believed, from which attribute, and why not.
``headers``       `FrameHeader`: what the imaging needs of one frame, read from the archive's manifest.
``display_sets``  `DisplaySet(uid, frames, geometry, kind, findings, problems, badges, reformat_refusal,
                  label, rank, of, ...)`.
``dimensions``    what images at one place are told apart by: `dimensions_of`, `split(frames) -> list[Part]`.
``ordering``      sorted frames, and what is found on the way. ``findings``: `Finding(kind, words, count)`.
``documents``     what is no image: `documents(series)`, `present(ref, content) -> Document` of blocks.
``files``         `series_of_files(paths) -> SeriesManifest`: without an archive, headers by the fast scan.
``volume``        `Volume`: native array (slices, rows, columns[, 3]), `loaded` mask, `failures` in words,
                  `values(index)`, `value_at(index, column, row)`, `value_in_patient(point)`.
``luts``          `VoiWindow`, `GreyChain`, `to_grey`, `grey_table`, `presets(modality)`, `auto_window`.
``frame_reader``  one frame from its locator into the volume; colour comes as 8-bit RGB.
``cache``         `ByteCache`: least recently used out first, by bytes. ``pages``: memory
                  whose parts go back to the system one by one.
``loader``        `Loader`, `LoadRequest`, `SliceLoaded`, `Urgency`, `slice_order`.
``anchors``       `link(current, prior, volume, volume) -> Link | None`, `anchored(point, point)`,
                  `slice_at(display_set, point)`: prior and current tied in mm, exact or approximate.
``view_frame``    `ViewFrame`: viewport pixels <-> patient millimetres of one painted picture.
``greyscale``     `greyscale_of(...)`: LUTs, windows, polarity, padding of an image, and what is unusable.
``presentation``  `present(pixels, chain, cover)`: the whole chain; `cover(volume, index)`: what lies over it.
``suv``           `suv_scale(header, kind, series) -> SuvScale | SuvRefusal`: uptake, or which tag is missing.
``registration``  `register(current, prior) -> Registration | NoRegistration`, with its confidence.
``subtraction``   `subtracted(pixels, frame, operation)`; ``cine``: `timing(attributes, frames)`.
``gsdf``          `display_table(characteristic)`; ``display_qa``: `QaLog`; ``qa_patterns``: `pattern(...)`.
``kernels``       the compiled kernels as found: `loaded`, `processor`.
``centreline``    `centreline(points, step) -> Centreline`: a spline by length, and directions across it.
``colour_maps``   `colours(name)`, `laid_over(name, opacity)`; the names are in `MAPS`.
"""
