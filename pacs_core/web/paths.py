"""What every DICOMweb resource reads of its request: the path's UIDs, what is accepted, its own address."""

from __future__ import annotations

from starlette.requests import Request

from pacs_core.archive.routes import parse_query
from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.identifiers import is_tolerable_uid
from pacs_core.web.media import MediaType, parse_accept

ROOT = "/dicom-web"


def path_uids(request: Request) -> dict[str, str]:
    """The UIDs of the path by level (study, series, instance); raises InvalidValue for one that is none."""
    found = {
        level: uid for level, uid in request.path_params.items() if level in ("study", "series", "instance")
    }
    for level, uid in found.items():
        if not is_tolerable_uid(uid):
            raise InvalidValue(f"{level}: {uid[:70]!r} is no UID", level)
    return found


def accepted(request: Request) -> tuple[MediaType, ...]:
    """What the caller accepts, best first: the query parameter `accept`, else the header (PS3.18 8.3.3.1)."""
    in_query = [v for name, v in parse_query(request.scope["query_string"]) if name == "accept"]
    text = ",".join(in_query) or ",".join(request.headers.getlist("accept"))
    return tuple(one for one in parse_accept(text) if one.q > 0)


def base_url(request: Request) -> str:
    """The root of DICOMweb as the caller called it; the guard has checked the host."""
    return f"{request.scope['scheme']}://{request.headers['host']}{ROOT}"
