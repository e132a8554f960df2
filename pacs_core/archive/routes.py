"""The table of routes, derived from the parts of the archive: server, OpenAPI and remote client read it.

Arguments of GET and DELETE travel in the query; those of POST and PUT as one JSON object by name, unless one
of them is `bytes`: then it is the body, and the others are in the query. An answer of `bytes` is
``application/octet-stream``, of None 204 without a body, of anything else JSON.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from pacs_core.archive import codec
from pacs_core.archive.protocol import PARTS, Route
from pacs_core.domain.errors import InvalidValue, MissingValue

API = "/api/v1"
SESSION = f"{API}/session"
SIGN_IN = f"{API}/sign-in"
CHANGES_STREAM = f"{API}/changes/stream"
OPENAPI = f"{API}/openapi.json"
SECRET_HEADER = "X-Reading-Room-Secret"

JSON = "application/json"
OCTETS = "application/octet-stream"

SCALARS = (str, int, float, bool)
MAX_QUERY_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a method; `default` counts only where it is not `required`."""

    name: str
    hint: object
    required: bool
    default: object = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A call on its way: what goes into the query, and the body with its media type."""

    query: tuple[tuple[str, str], ...]
    body: bytes = b""
    media_type: str = ""


@dataclass(frozen=True)
class Call:
    """One method of one part: its route, its parameters and the hint of its answer."""

    part: str
    name: str
    route: Route
    parameters: tuple[Parameter, ...]
    returns: object
    words: str
    signature: inspect.Signature

    @property
    def path(self) -> str:
        """The whole path of the route."""
        return API + self.route.path

    @cached_property
    def octets(self) -> Parameter | None:
        """The parameter that is the body as it stands, if one is `bytes`."""
        return next((p for p in self.parameters if p.hint is bytes), None)

    @cached_property
    def in_query(self) -> tuple[Parameter, ...]:
        """The parameters that travel in the query."""
        if self.route.method in ("GET", "DELETE") or self.octets is not None:
            return tuple(p for p in self.parameters if p is not self.octets)
        return ()

    @cached_property
    def in_body(self) -> tuple[Parameter, ...]:
        """The parameters that travel in a JSON body."""
        return () if self.in_query or self.octets is not None else self.parameters

    @property
    def answer_type(self) -> str:
        """The media type of the answer, empty for none."""
        if self.returns is type(None):
            return ""
        return OCTETS if self.returns is bytes else JSON

    def ask(self, arguments: Mapping[str, object]) -> Asked:
        """Put arguments (by name, defaults left out or not) into a request."""
        query = tuple(
            (p.name, _scalar_text(arguments[p.name]))
            for p in self.in_query
            if arguments.get(p.name) is not None
        )
        if self.octets is not None:
            body = arguments[self.octets.name]
            return Asked(query, bytes(typing.cast("bytes", body)), OCTETS)
        if not self.in_body:
            return Asked(query)
        members = {
            p.name: codec.to_jsonable(p.hint, arguments[p.name]) for p in self.in_body if p.name in arguments
        }
        return Asked(query, codec.dump(members), JSON)

    def heard(self, query: Sequence[tuple[str, str]], body: bytes) -> dict[str, object]:
        """Read the arguments of a request; raises InvalidValue or MissingValue naming the wrong one."""
        arguments = self._from_query(query)
        if self.octets is not None:
            arguments[self.octets.name] = body
        elif self.in_body:
            arguments |= self._from_body(body)
        elif body:
            raise InvalidValue("this request takes no body", "body")
        return arguments

    def answer(self, value: object) -> bytes:
        """Write the answer's body."""
        if self.returns is type(None):
            return b""
        if self.returns is bytes:
            return typing.cast("bytes", value)
        return codec.dump(codec.to_jsonable(self.returns, value))

    def answered(self, body: bytes) -> object:
        """Read the answer's body; raises InvalidValue where it is not what the hint says."""
        if self.returns is type(None):
            return None
        if self.returns is bytes:
            return body
        return codec.from_jsonable(self.returns, codec.load(body, "answer"), "answer", lenient=True)

    def _from_query(self, query: Sequence[tuple[str, str]]) -> dict[str, object]:
        known = {p.name: p for p in self.in_query}
        arguments: dict[str, object] = {}
        for name, text in query:
            if name not in known:
                raise InvalidValue(f"{name}: {self.part}.{self.name} has no such parameter", name)
            if name in arguments:
                raise InvalidValue(f"{name}: given twice", name)
            arguments[name] = _scalar(known[name], text)
        _require(self.in_query, arguments)
        return arguments

    def _from_body(self, body: bytes) -> dict[str, object]:
        members = codec.load(body or b"{}")
        if not isinstance(members, dict):
            raise InvalidValue("the body is to be one JSON object of the arguments by name", "body")
        known = {p.name: p for p in self.in_body}
        for name in members:
            if name not in known:
                raise InvalidValue(f"{name}: {self.part}.{self.name} has no such parameter", name)
        _require(self.in_body, members)
        return {name: codec.from_jsonable(known[name].hint, v, name) for name, v in members.items()}


def _require(parameters: Iterable[Parameter], given: Mapping[str, object]) -> None:
    for parameter in parameters:
        if parameter.required and parameter.name not in given:
            raise MissingValue(f"{parameter.name}: the parameter is missing", parameter.name)


def bare(hint: object) -> object:
    """The hint without its ``| None``."""
    rest = [a for a in typing.get_args(hint) if a is not type(None)]
    if typing.get_origin(hint) in (typing.Union, types.UnionType) and len(rest) == 1:
        return rest[0]
    return hint


def _scalar_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _scalar(parameter: Parameter, text: str) -> object:
    read = _SCALAR_READERS[typing.cast("type", bare(parameter.hint))]
    try:
        value = read(text)
    except ValueError:
        raise InvalidValue(
            f"{parameter.name}: {text[:40]!r} is not {_WANTED[read]}", parameter.name
        ) from None
    return codec.from_jsonable(bare(parameter.hint), value, parameter.name)


def _truth(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise ValueError(text) from None


_SCALAR_READERS: dict[type, Callable[[str], object]] = {str: str, int: int, float: float, bool: _truth}
_WANTED: dict[Callable[[str], object], str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    _truth: "true or false",
}


def parse_query(raw: bytes | str) -> list[tuple[str, str]]:
    """Split a query string; raises InvalidValue where it is not UTF-8 or has too many fields."""
    text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except UnicodeDecodeError:
        raise InvalidValue("the query is not UTF-8 behind its percent signs", "query") from None
    except ValueError:
        raise InvalidValue(f"the query has more than {MAX_QUERY_FIELDS} fields", "query") from None


def table(parts: Mapping[str, type] = PARTS) -> tuple[Call, ...]:
    """Every method of every part with its route, in the order of their declaration.

    Raises TypeError for a declaration that HTTP cannot carry: a route twice, a parameter of a GET that is no
    scalar, two bodies, a hint the codec has no shape for.
    """
    calls = tuple(_call(part, name, f) for part, cls in parts.items() for name, f in _marked(cls))
    taken: dict[tuple[str, str], Call] = {}
    for call in calls:
        _check(call)
        other = taken.setdefault((call.route.method, call.path), call)
        if other is not call:
            raise TypeError(f"{call.part}.{call.name} and {other.part}.{other.name} share {call.path}")
    return calls


def _marked(cls: type) -> list[tuple[str, Callable[..., object]]]:
    found: dict[str, Callable[..., object]] = {}
    for base in reversed(cls.__mro__):
        found |= {
            name: f for name, f in vars(base).items() if isinstance(getattr(f, "__route__", None), Route)
        }
    return list(found.items())


def _call(part: str, name: str, function: Callable[..., object]) -> Call:
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    parameters = tuple(
        Parameter(p.name, hints[p.name], p.default is p.empty, None if p.default is p.empty else p.default)
        for p in signature.parameters.values()
    )
    route: Route = typing.cast("typing.Any", function).__route__
    return Call(part, name, route, parameters, hints["return"], inspect.getdoc(function) or "", signature)


def _check(call: Call) -> None:
    if sum(p.hint is bytes for p in call.parameters) > 1:
        raise TypeError(f"{call.part}.{call.name} has two bodies")
    for parameter in call.in_query:
        if bare(parameter.hint) not in SCALARS:
            raise TypeError(
                f"{call.part}.{call.name}: {parameter.name} is no scalar, its route is no POST or PUT"
            )
    for hint in (*(p.hint for p in call.parameters), call.returns):
        codec.encoder(hint)
        codec.decoder(hint)
