"""From a stored series to numbers in patient space. No Qt, no VTK; LPS millimetres everywhere.

How the rooms above use it::

    from workstation.imaging.display_sets import display_sets
    from workstation.imaging.loader import Loader, Urgency

    sets = display_sets(series_manifest)            # tuple[DisplaySet], sorted, split, problems in words
    loader = Loader(fetch=archive_fetch)            # one per workstation; fetch(locator) -> bytes of one frame
    request = loader.load(sets[0], first=12, on_slice=tell, urgency=Urgency.INTERACTION)
    request.volume                                  # Volume, allocated at once, filled as slices arrive
    request.cancel()                                # at once; nothing of it is called back afterwards

``geometry``       `Vector`, `PlaneGeometry` (one image), `VolumeGeometry` (a stack, sheared or unequal ones too),
                   `orientation_letters(direction)`; index <-> patient.
``spacing``        `Calibration`: may millimetres be believed, from which attribute, and why not.
``headers``        `FrameHeader`: what the imaging needs of one frame, read from the archive's headers.
``display_sets``   `DisplaySet(uid, frames, geometry, kind, problems, ...)`, `display_sets(series)`.
``volume``         `Volume`: native array (slices, rows, columns[, 3]), geometry, rescale per slice, `loaded` mask,
                   `value_at(point)`, `slice_pixels(index)`.
``luts``           `VoiWindow`, `GreyChain`, `grey_table(chain)`, `to_grey(stored, chain)`, `presets(modality)`,
                   `auto_window(values)`.
``colour``         RGB, YBR and palette frames to (rows, columns, 3) uint8.
``cache``          `ByteCache`: least recently used out first, by bytes, pinned entries stay.
``loader``         `Loader`, `LoadRequest`, `SliceLoaded`, `Urgency`.
``anchors``        `Link`: prior and current tied by position in mm (`exact` or approximate), `anchor(current, prior)`,
                   `slice_at(display_set, point)`.
``view_frame``     `ViewFrame`: viewport pixels <-> patient millimetres of one painted picture.
``kernels``        the compiled kernels as found (`kernels.loaded`, `kernels.processor`), None where not built.
"""
