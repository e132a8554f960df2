"""Every failure as an RFC 9457 problem, naming what was wrong and where; no patient gets into a log."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.responses import Response

from pacs_core.archive import codec, problems
from pacs_core.domain import errors as e

log = logging.getLogger("reading_room.web")

CHALLENGE = 'Bearer realm="Reading Room"'
BUSY_SECONDS = 1.0


class HttpProblem(Exception):
    """A failure that only HTTP has (406, 413, 415, 421 …), with its words and place."""

    def __init__(self, status: int, title: str, detail: str, where: str = "", **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.where = where
        self.headers = {name.replace("_", "-").title(): value for name, value in headers.items()}

    def members(self) -> dict[str, Any]:
        """The problem's members."""
        slug = self.title.lower().replace(" ", "-")
        found = {
            "type": problems.PREFIX + slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return found | ({"where": self.where} if self.where else {})


def not_acceptable(detail: str) -> HttpProblem:
    """406: nothing the Accept header allows can be given."""
    return HttpProblem(406, "Not acceptable", detail, "Accept")


def unsupported(detail: str) -> HttpProblem:
    """415: a body of a media type that is not read here."""
    return HttpProblem(415, "Unsupported media type", detail, "Content-Type")


def too_large(limit: int) -> HttpProblem:
    """413: more body than this path takes; the connection is closed."""
    return HttpProblem(
        413, "Body too large", f"the body is larger than {limit} bytes", "body", connection="close"
    )


def answer(error: Exception) -> Response:
    """The response for any failure; one that is no error of ours is logged and told without its inside."""
    if isinstance(error, HttpProblem):
        return respond(error.members(), error.headers)
    if isinstance(error, e.ReadingRoomError):
        return respond(problems.document(error), _headers(error))
    log.error("unexpected %s at %s", type(error).__name__, where_in_code(error))
    log.debug("unexpected failure", exc_info=error)
    return respond(problems.document(e.StorageFailure("an unexpected failure, named in the node's log")))


def respond(members: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A problem as a response."""
    body = codec.dump(dict(members))
    return Response(body, int(members["status"]), dict(headers or {}), problems.MEDIA_TYPE)


def _headers(error: e.ReadingRoomError) -> dict[str, str]:
    if isinstance(error, e.LockedOut):
        return {"Retry-After": str(math.ceil(error.retry_after))}
    if isinstance(error, e.NotSignedIn):
        return {"WWW-Authenticate": CHALLENGE}
    if isinstance(error, e.Busy):
        return {"Retry-After": str(math.ceil(BUSY_SECONDS))}
    return {}


def where_in_code(error: BaseException) -> str:
    """File and line of each frame, innermost last: what a log may hold, since a message may hold a name."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-6:])
