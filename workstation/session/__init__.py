"""What is open on this reader's desk: Qt-free, and the only mutable state of the reading room.

``view_state``       `ViewState`, frozen: what one cell shows (plane, centre, zoom, window, slab).
``signal``           `Signal`, thirty lines: call every listener, refuse re-entry.
``commands``         `History` of `Command`s with do and undo.
``reading_session``  `ReadingSession`: the patient, studies, cells, links, measurements that are open.
``priors``           which earlier studies are relevant, and why (pure).
``protocols``        hanging protocols: chosen, explained, laid out, written (pure); ``stages`` goes through
                     them; ``hanging`` is for what none of them fits.
``child_process``    `Child`, a process of the workstation's own (speech, 3D, registration): started, asked,
                     ended; ``child_pipes`` has the frames they talk in.
``registrar``        `Registrar`: a prior laid upon the current study by such a child.
``comparing``        which prior can be taken from a cell's series (pure).
``carrying``         a prior's measurement where it lies in the current study (pure).
``spool``            strokes and drafts, synced to a small file of the workstation's own and replayed.
"""
