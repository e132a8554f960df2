"""Frozen dataclasses to JSON values and back, by their type hints; one codec for server, OpenAPI and client.

Encoders and decoders are compiled once per type. Reading is strict: a value of the wrong shape raises
InvalidValue whose `where` is its path (``steps[2].start_date``). `bytes` travel as base64; a union of
dataclasses carries its class name under ``type``; a float that is no number travels as ``"NaN"``.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from pacs_core.domain.errors import InvalidValue

type_hints = lru_cache(maxsize=None)(typing.get_type_hints)

TAG = "type"
"""The member that names the class of a value whose hint is a union of dataclasses."""

MAX_INTEGER = 2**63 - 1

Encoder = Callable[[Any], Any]
Decoder = Callable[[Any], Any]


class Misshapen(Exception):
    """A value of the wrong shape, with the path to it growing on the way out; it never leaves this module."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def below(self, step: str) -> Misshapen:
        """The same, seen from one level further out; `step` is ``.name`` or ``[index]``."""
        return Misshapen(self.message, step + self.path)


def to_jsonable(hint: object, value: object) -> Any:
    """Turn a value into what `json` can write, by its hint."""
    return encoder(hint)(value)


def from_jsonable(hint: object, value: object, where: str = "", *, lenient: bool = False) -> Any:
    """Turn what `json` read into a value of the hint; raises InvalidValue naming the path.

    `lenient` passes over members nobody asked for (an answer of a newer node).
    """
    try:
        return decoder(hint, lenient)(value)
    except Misshapen as wrong:
        path = (where + wrong.path).lstrip(".")
        raise InvalidValue(f"{path or 'the value'}: {wrong.message}", path) from None


def dump(value: Any) -> bytes:
    """Write a JSON-able value as UTF-8; numbers that are none, deep in open mappings, become null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_without_nan(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def load(body: bytes, where: str = "body") -> Any:
    """Read JSON from UTF-8; raises InvalidValue saying where it stops being JSON."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise InvalidValue(f"the {where} is not UTF-8 at byte {error.start}", where) from None
    except json.JSONDecodeError as error:
        raise InvalidValue(f"the {where} is not JSON: {error.msg} at character {error.pos}", where) from None
    except (RecursionError, ValueError) as error:
        raise InvalidValue(f"the {where} is not JSON we take: {_short(error)}", where) from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _short(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).split(";", maxsplit=1)[0]


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


# ── out ──────────────────────────────────────────────────────────────────────────────────────────────


@cache
def _cached_encoder(hint: object) -> Encoder | None:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in (str, int, bool, type(None), object):
        return None
    if hint is float:
        return _encode_float
    if hint is bytes:
        return _encode_bytes
    if origin is tuple:
        return _encode_tuple(arguments)
    if origin in (Mapping, dict):
        return _encode_mapping(_cached_encoder(arguments[1]))
    if origin in (typing.Union, types.UnionType):
        return _encode_union(arguments)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _encode_enum
    if isinstance(hint, type) and is_dataclass(hint):
        return _encode_dataclass(hint)
    raise TypeError(f"the codec has no shape for {hint!r}")


def encoder(hint: object) -> Encoder:
    """The compiled encoder of a hint; raises TypeError for a hint that has no shape in JSON."""
    return _cached_encoder(hint) or _same


def _same(value: Any) -> Any:
    return value


def _encode_float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _encode_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _encode_enum(value: Enum) -> Any:
    return value.value


def _encode_tuple(arguments: tuple[object, ...]) -> Encoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        one = _cached_encoder(arguments[0])
        return list if one is None else lambda value: [one(v) for v in value]
    each = tuple(encoder(a) for a in arguments)
    return lambda value: [e(v) for e, v in zip(each, value, strict=True)]


def _encode_mapping(one: Encoder | None) -> Encoder:
    if one is None:
        return dict
    return lambda value: {k: one(v) for k, v in value.items()}


def _encode_union(arguments: tuple[object, ...]) -> Encoder | None:
    optional, rest = _split_union(arguments)
    if len(rest) == 1:
        one = _cached_encoder(rest[0])
        return None if one is None else lambda value: None if value is None else one(value)
    by_class = {c: (c.__name__, encoder(c)) for c in _tagged(rest)}

    def encode(value: Any) -> Any:
        if value is None and optional:
            return None
        name, inner = by_class[type(value)]
        return {TAG: name, **inner(value)}

    return encode


def _encode_dataclass(cls: type) -> Encoder:
    hints = type_hints(cls)
    names = [f.name for f in fields(cls)]
    read = attrgetter(*names) if len(names) > 1 else _one_attribute(names)
    inner = [(name, one) for name in names if (one := _cached_encoder(hints[name])) is not None]

    def encode(value: Any) -> dict[str, Any]:
        members = dict(zip(names, read(value), strict=True))
        for name, one in inner:
            members[name] = one(members[name])
        return members

    return encode


def _one_attribute(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: tuple(getattr(value, name) for name in names)


# ── in ───────────────────────────────────────────────────────────────────────────────────────────────


@cache
def decoder(hint: object, lenient: bool = False) -> Decoder:
    """The compiled decoder of a hint; raises TypeError for a hint that has no shape in JSON."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin is tuple:
        return _decode_tuple(arguments, lenient)
    if origin in (Mapping, dict):
        return _decode_mapping(decoder(arguments[1], lenient))
    if origin in (typing.Union, types.UnionType):
        return _decode_union(arguments, lenient)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _decode_enum(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _decode_dataclass(hint, lenient)
    raise TypeError(f"the codec has no shape for {hint!r}")


_NAMES: dict[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def _says(value: object) -> str:
    if value is None:
        return "null"
    return _NAMES.get(type(value), type(value).__name__)


def _decode_str(value: Any) -> str:
    if type(value) is not str:
        raise Misshapen(f"a text is wanted, not {_says(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misshapen("the text holds half of a surrogate pair") from None
    return value


def _decode_int(value: Any) -> int:
    if type(value) is not int:
        raise Misshapen(f"a whole number is wanted, not {_says(value)}")
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise Misshapen("the number is beyond 64 bits")
    return value


def _decode_float(value: Any) -> float:
    if type(value) in (float, int):
        try:
            return float(value)
        except OverflowError:
            raise Misshapen("the number is too large") from None
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise Misshapen(f"a number is wanted, not {_says(value)}")


def _decode_bool(value: Any) -> bool:
    if type(value) is not bool:
        raise Misshapen(f"true or false is wanted, not {_says(value)}")
    return value


def _decode_none(value: Any) -> None:
    if value is not None:
        raise Misshapen(f"null is wanted, not {_says(value)}")


def _decode_bytes(value: Any) -> bytes:
    if type(value) is not str:
        raise Misshapen(f"a base64 text is wanted, not {_says(value)}")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Misshapen("the text is not base64") from None


_PLAIN: dict[object, Decoder] = {
    str: _decode_str,
    int: _decode_int,
    float: _decode_float,
    bool: _decode_bool,
    type(None): _decode_none,
    bytes: _decode_bytes,
    object: _same,
}


def _decode_tuple(arguments: tuple[object, ...], lenient: bool) -> Decoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _decode_list(decoder(arguments[0], lenient))
    each = tuple(decoder(a, lenient) for a in arguments)

    def decode(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Misshapen(f"a list of {len(each)} is wanted, not {_says(value)}")
        if len(value) != len(each):
            raise Misshapen(f"a list of {len(each)} is wanted, not of {len(value)}")
        return tuple(_at(index, one, v) for index, (one, v) in enumerate(zip(each, value, strict=True)))

    return decode


def _at(index: int, one: Decoder, value: Any) -> Any:
    try:
        return one(value)
    except Misshapen as wrong:
        raise wrong.below(f"[{index}]") from None


def _decode_list(one: Decoder) -> Decoder:
    def decode(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Misshapen(f"a list is wanted, not {_says(value)}")
        got: list[Any] = []
        try:
            got.extend(map(one, value))
        except Misshapen as wrong:
            raise wrong.below(f"[{len(got)}]") from None
        return tuple(got)

    return decode


def _decode_mapping(one: Decoder) -> Decoder:
    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Misshapen(f"an object is wanted, not {_says(value)}")
        if one is _same:
            return value
        got: dict[str, Any] = {}
        for key, member in value.items():
            try:
                got[key] = one(member)
            except Misshapen as wrong:
                raise wrong.below(f".{key}") from None
        return got

    return decode


def _decode_enum(cls: type[Enum]) -> Decoder:
    members = {m.value: m for m in cls}

    def decode(value: Any) -> Enum:
        try:
            return members[value]
        except (KeyError, TypeError):
            raise Misshapen("one of " + ", ".join(map(str, members)) + " is wanted") from None

    return decode


def _split_union(arguments: tuple[object, ...]) -> tuple[bool, tuple[object, ...]]:
    return type(None) in arguments, tuple(a for a in arguments if a is not type(None))


def _tagged(arguments: tuple[object, ...]) -> list[type]:
    classes = [a for a in arguments if isinstance(a, type) and is_dataclass(a)]
    if len(classes) != len(arguments) or any(TAG in {f.name for f in fields(c)} for c in classes):
        raise TypeError(f"a union in JSON is of dataclasses without a field {TAG!r}: {arguments!r}")
    return classes


def _decode_union(arguments: tuple[object, ...], lenient: bool) -> Decoder:
    optional, rest = _split_union(arguments)
    if len(rest) == 1:
        one = decoder(rest[0], lenient)
        return lambda value: None if value is None else one(value)
    by_name = {c.__name__: decoder(c, lenient) for c in _tagged(rest)}

    def decode(value: Any) -> Any:
        if value is None and optional:
            return None
        if type(value) is not dict:
            raise Misshapen(f"an object is wanted, not {_says(value)}")
        tag = value.get(TAG)
        if type(tag) is not str or tag not in by_name:
            raise Misshapen("one of " + ", ".join(by_name) + " is wanted", f".{TAG}")
        return by_name[tag]({k: v for k, v in value.items() if k != TAG})

    return decode


def _decode_dataclass(cls: type, lenient: bool) -> Decoder:
    hints = type_hints(cls)
    required = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    members: dict[str, Decoder] = {f.name: decoder(hints[f.name], lenient) for f in fields(cls)}

    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise Misshapen(f"an object is wanted, not {_says(value)}")
        got: dict[str, Any] = {}
        name = ""
        try:
            for name, member in value.items():
                one = members.get(name)
                if one is not None:
                    got[name] = one(member)
                elif not lenient:
                    raise Misshapen(f"{cls.__name__} has no such field")
        except Misshapen as wrong:
            raise wrong.below(f".{name}") from None
        missing = required - got.keys()
        if missing:
            raise Misshapen("the field is missing", f".{min(missing)}")
        return cls(**got)

    return decode
