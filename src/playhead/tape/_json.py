"""JSON as docs/format.md demands it: strict to read, canonical where two parties compute alone."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TypeAlias

import orjson
import rfc8785
from pydantic import JsonValue

from playhead.errors import JsonError

Json: TypeAlias = JsonValue

MAX_DEPTH = 128
_MAX_DIGITS = 4000  # below Python's own limit for text to integer
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads_strict(data: bytes | str) -> Json:
    """Parse JSON, refusing duplicate names, NaN, infinities, lone surrogates and deep nesting.

    Raises:
        JsonError: The text breaks one of the rules; the message says which.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    _check_depth(raw)
    try:
        text = raw.decode("utf-8")
        value: Json = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_parse_int
        )
    except UnicodeDecodeError as error:
        raise JsonError(f"not valid UTF-8 at byte {error.start}", at=error.start) from None
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} at character {error.pos}", at=error.pos) from None
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _check_depth(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for byte in _STRINGS.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonError(f"more than {MAX_DEPTH} levels of nesting")
        elif byte in b"]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonError(f"the member `{twice[:80]}` stands twice in one object")
    return members


def _no_constant(name: str) -> Json:
    raise JsonError(f"`{name}` is not JSON")


def _parse_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise JsonError(f"an integer of {len(digits)} digits is too long to read exactly")
    return int(digits)


def _check_surrogates(value: Json) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise JsonError("half of a surrogate pair in a string")
    elif isinstance(value, list):
        for item in value:
            _check_surrogates(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_surrogates(name)
            _check_surrogates(item)


def escape_surrogates(text: str) -> tuple[str, bool]:
    r"""Write lone surrogates as the six characters `\udXXX`; says whether there were any."""
    if text.isascii() or not _SURROGATE.search(text):
        return text, False
    return text.encode("utf-8", "backslashreplace").decode("utf-8"), True


def canonical(document: object) -> bytes:
    """Canonical bytes (RFC 8785) of a JSON document.

    Raises:
        JsonError: It holds NaN, an infinity, an integer beyond ±(2⁵³ − 1) or a lone surrogate.
    """
    try:
        return rfc8785.dumps(document)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise JsonError(f"this has no canonical form: {error}") from None


def digest(document: object) -> str:
    """Tagged digest of the canonical form: `sha256:` + 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(canonical(document)).hexdigest()


def compact(value: Json) -> str:
    """JSON text without white space, as bodies hold it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dump_header(members: dict[str, object]) -> bytes:
    """Bytes of a header, in the order of its members."""
    return orjson.dumps(members)
