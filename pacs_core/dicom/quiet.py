"""pydicom without its warnings: they quote values, and a birth date has no place in a log or on stderr."""

from __future__ import annotations

import logging
from functools import lru_cache


@lru_cache(maxsize=1)
def quiet_pydicom() -> None:
    """Read leniently and without a word; what matters of a received object is said in its own `warnings`."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.ERROR)
