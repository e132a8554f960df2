"""The OpenAPI 3.1 document of the archive's API, derived from the table of routes and the models' hints."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

from pacs_core.archive import codec, models, problems, routes

_SIMPLE: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": ["number", "string"]},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    type(None): {"type": "null"},
    object: {},
}


class Schemas:
    """JSON Schemas of hints; the dataclasses met on the way gather in `named`."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def of(self, hint: object) -> dict[str, Any]:
        """The schema of a hint, by reference where it is a dataclass or an enumeration."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint in _SIMPLE:
            return dict(_SIMPLE[hint])
        if origin is tuple:
            return self._tuple(arguments)
        if origin in (Mapping, dict):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin in (typing.Union, types.UnionType):
            return self._union(arguments)
        assert isinstance(hint, type)
        return self._named(hint)

    def _tuple(self, arguments: tuple[object, ...]) -> dict[str, Any]:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": self.of(arguments[0])}
        size = len(arguments)
        return {
            "type": "array",
            "prefixItems": [self.of(a) for a in arguments],
            "minItems": size,
            "maxItems": size,
        }

    def _union(self, arguments: tuple[object, ...]) -> dict[str, Any]:
        classes = [a for a in arguments if a is not type(None)]
        if len(classes) == 1:
            return {"anyOf": [self.of(a) for a in arguments]}
        tagged = [{"allOf": [self.of(c), _tag(getattr(c, "__name__", ""))]} for c in classes]
        return {"oneOf": tagged + ([{"type": "null"}] if len(classes) < len(arguments) else [])}

    def _named(self, cls: type) -> dict[str, Any]:
        if cls.__name__ not in self.named:
            self.named[cls.__name__] = {}
            self.named[cls.__name__] = self._enumeration(cls) if issubclass(cls, Enum) else self._object(cls)
        return {"$ref": f"#/components/schemas/{cls.__name__}"}

    def _enumeration(self, cls: type[Enum]) -> dict[str, Any]:
        return {"enum": [member.value for member in cls], "description": inspect.getdoc(cls) or ""}

    def _object(self, cls: type) -> dict[str, Any]:
        assert is_dataclass(cls)
        hints = codec.type_hints(cls)
        return {
            "type": "object",
            "description": inspect.getdoc(cls) or "",
            "properties": {f.name: self.of(hints[f.name]) for f in fields(cls)},
            "required": [
                f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING
            ],
        }


def _tag(name: str) -> dict[str, Any]:
    return {"properties": {codec.TAG: {"const": name}}, "required": [codec.TAG]}


def document(version: str, calls: Iterable[routes.Call]) -> dict[str, Any]:
    """The whole document; `version` is the product's."""
    schemas = Schemas()
    paths: dict[str, Any] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.route.method.lower()] = _operation(call, schemas)
    _session_paths(paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Reading Room", "version": version, "description": inspect.getdoc(routes) or ""},
        "paths": paths,
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "secret": {"type": "apiKey", "in": "header", "name": routes.SECRET_HEADER},
            },
            "schemas": {**schemas.named, "Problem": problems.SCHEMA},
        },
    }


def _operation(call: routes.Call, schemas: Schemas) -> dict[str, Any]:
    first, _, rest = call.words.partition("\n")
    operation: dict[str, Any] = {
        "operationId": f"{call.part}.{call.name}",
        "tags": [call.part],
        "summary": first,
        "x-verb": str(call.route.verb),
        "responses": {**_answer(call, schemas), "default": _problem()},
    }
    if rest.strip():
        operation["description"] = rest.strip()
    if call.in_query:
        operation["parameters"] = [_parameter(p, schemas) for p in call.in_query]
    if call.octets is not None:
        content: dict[str, Any] = {routes.OCTETS: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": content}
    elif call.in_body:
        operation["requestBody"] = {
            "required": True,
            "content": {routes.JSON: {"schema": _body(call, schemas)}},
        }
    return operation


def _answer(call: routes.Call, schemas: Schemas) -> dict[str, Any]:
    if call.answer_type == routes.OCTETS:
        schema: dict[str, Any] = {"type": "string", "format": "binary"}
    elif call.answer_type:
        schema = schemas.of(call.returns)
    else:
        return {"204": {"description": "done"}}
    return {"200": {"description": "the answer", "content": {call.answer_type: {"schema": schema}}}}


def _parameter(parameter: routes.Parameter, schemas: Schemas) -> dict[str, Any]:
    schema = schemas.of(routes.bare(parameter.hint))
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {"name": parameter.name, "in": "query", "required": parameter.required, "schema": schema}


def _body(call: routes.Call, schemas: Schemas) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {p.name: schemas.of(p.hint) for p in call.in_body},
        "required": [p.name for p in call.in_body if p.required],
        "additionalProperties": False,
    }


def _problem() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "why not, and where", "content": {problems.MEDIA_TYPE: {"schema": schema}}}


def _session_paths(paths: dict[str, Any], schemas: Schemas) -> None:
    """What comes before an archive is open: sign-in, sign-out and the stream of changes."""

    def answers(hint: object, **more: Any) -> dict[str, Any]:
        ok = {"description": "the answer", "content": {routes.JSON: {"schema": schemas.of(hint)}}}
        return {"tags": ["session"], "responses": {"200": ok, "default": _problem()}, **more}

    texts = {"name": {"type": "string"}, "password": {"type": "string"}}
    body = {"type": "object", "properties": texts, "required": list(texts)}
    paths[routes.SESSION] = {
        "post": answers(
            models.Session,
            summary="Sign in with name and password; the token is the bearer of later calls.",
            security=[],
            requestBody={"required": True, "content": {routes.JSON: {"schema": body}}},
        ),
        "get": answers(models.WhoAmI, summary="Who the bearer is."),
        "delete": {
            "tags": ["session"],
            "summary": "Sign out.",
            "responses": {"204": {"description": "done"}},
        },
    }
    paths[routes.SIGN_IN] = {
        "get": answers(models.SignIn, summary="What the sign-in page may show.", security=[{"secret": []}])
    }
    stream = {
        "description": "one event per change",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    paths[routes.CHANGES_STREAM] = {
        "get": {
            "tags": ["changes"],
            "summary": "Changes after `sequence` (or the header Last-Event-ID) as server-sent events.",
            "parameters": [{"name": "sequence", "in": "query", "schema": {"type": "integer", "default": 0}}],
            "responses": {"200": stream, "default": _problem()},
        }
    }
