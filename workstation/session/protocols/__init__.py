"""Hanging protocols (PS3.3 C.23) as data files: read, chosen for a study and explained, laid out, written.

``model``         what a protocol says.
``reading_file``  a TOML file into one, mistakes by line and field; ``writing_file`` the way back.
``library``       the shipped ones and the reader's own.
``choosing``      which one a study is hung by, and why.
``filling``       which series hangs in which cell of a stage.
``hung``          the one a study hangs by, and its stages, for the session.
``seen``          a protocol of what hangs now.
"""
