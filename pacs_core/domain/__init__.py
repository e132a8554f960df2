"""The words of the exam and its rules: frozen values and pure functions, standard library only.

All times of ours are aware ``datetime`` in UTC; civil times received stay strings in the
standard's own form (``YYYY-MM-DD``, ``HH:MM:SS``) with the site's zone kept beside them.
"""
