"""JSON as docs/format.md demands it: strict to read, canonical where two parties compute alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from collections import Counter
from typing import TypeAlias

import jiter
import rfc8785
from pydantic import JsonValue

from playhead.errors import JsonError

Json: TypeAlias = JsonValue

MAX_DEPTH = 128
_MAX_DIGITS = 4000  # below Python's own limit for text to integer
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_NEITHER = bytes(set(range(256)) - set(b'[]{}"'))  # neither brackets nor quotes
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_STRIDE = 64
_LONG = b"0" * (_MAX_DIGITS // _STRIDE)
# In text translated so: with none of these, no number is beyond what a float can hold.
_NUMBERS = bytes.maketrans(b"123456789eE", b"000000000\x01\x01")
_LARGE = (b"0" * 200, b"0\x01000", b"0\x01+000")
_NAME = re.compile(r'[ \t\r\n,]*+("(?:[^"\\]++|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+')
_VERBATIM = json.JSONDecoder(parse_int=str, parse_float=str)
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads_strict(data: bytes | str) -> Json:
    """Parse JSON, refusing duplicate names, NaN, infinities, lone surrogates and deep nesting.

    A number that this process cannot hold (too many digits, or beyond the range of a float) is
    refused as well.

    Raises:
        JsonError: The text breaks one of the rules; the message says which.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    numbers = raw.translate(_NUMBERS)
    if not any(numbers.find(large) >= 0 for large in _LARGE):
        with contextlib.suppress(ValueError):  # which rule it breaks is told below
            value: Json = jiter.from_json(raw, catch_duplicate_keys=True, allow_inf_nan=False)
            if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
                _refuse_deep(value)
            return value
    return _slowly(raw)


def _slowly(raw: bytes) -> Json:
    """Parse JSON that has large numbers, or breaks a rule."""
    check_depth(raw)
    try:
        text = raw.decode("utf-8")
        value: Json = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_parse_int,
            parse_float=_parse_float,
        )
    except UnicodeDecodeError as error:
        raise JsonError(f"not valid UTF-8 at byte {error.start}", at=error.start) from None
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} at character {error.pos}", at=error.pos) from None
    if "\\u" in text:
        _check_surrogates(value)
    return value


def check_depth(raw: bytes) -> None:
    """Refuse JSON that is nested too deeply, without parsing it.

    Raises:
        JsonError: It has more than 128 levels.
    """
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    left = brackets = _brackets(raw)
    for _ in range(MAX_DEPTH // 2):  # each time, the innermost ones of both sorts go
        left = left.replace(b"[]", b"").replace(b"{}", b"")
        if not left:
            return
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise JsonError(f"more than {MAX_DEPTH} levels of nesting")


def _refuse_deep(value: Json) -> None:
    """`check_depth` of what was parsed: quicker, because texts are not looked into."""
    level: list[Json] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for each in level
            for inner in (each.values() if type(each) is dict else each)  # type: ignore[union-attr]
            if type(inner) in (dict, list)
        ]
        if not level:
            return
    raise JsonError(f"more than {MAX_DEPTH} levels of nesting")


def _brackets(raw: bytes) -> bytes:
    """The brackets of JSON text that stand in no string."""
    plain = _ESCAPED.sub(b"", raw) if raw.find(b"\\") >= 0 else raw
    # Two quotes that stand side by side change nothing of what is within a string.
    left = plain.translate(None, _NEITHER).replace(b'""', b"")
    return b"".join(left.split(b'"')[::2]) if left.find(b'"') >= 0 else left


def is_suspect(raw: bytes) -> bool:
    """Whether JSON text may hold a constant or a number that `loads_strict` would refuse."""
    # `in` would first take the bytes for a number, and throw the error away.
    if raw.find(b"NaN") >= 0 or raw.find(b"Infinity") >= 0:
        return True
    # Of so many digits, some stand wherever one looks at every 64th byte.
    return len(raw) > _MAX_DIGITS and raw[::_STRIDE].translate(_DIGITS).find(_LONG) >= 0


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise JsonError(f"the member `{twice[:80]}` stands twice in one object")
    return members


def _no_constant(name: str) -> Json:
    raise JsonError(f"`{name}` is not JSON")


def _parse_int(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise JsonError(f"an integer of {len(digits)} characters is too long to read exactly")
    return int(digits)


def _parse_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise JsonError(f"`{text[:80]}` is beyond the range of a floating-point number")
    return value


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
        JsonError: It holds NaN, an infinity, an integer beyond ±(2⁵³ − 1) or a lone surrogate, or
            is nested too deeply.
    """
    try:
        data = rfc8785.dumps(document)  # type: ignore[arg-type]
        check_depth(data)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError, JsonError) as error:
        raise JsonError(f"this has no canonical form: {error}") from None
    return data


def digest(document: object) -> str:
    """Tagged digest of the canonical form: `sha256:` + 64 hexadecimal digits."""
    return digest_of(canonical(document))


def digest_of(content: bytes) -> str:
    """Tagged digest of canonical bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def compact(value: Json) -> str:
    """JSON text without white space, as bodies hold it.

    Raises:
        JsonError: It is no JSON, holds NaN or an infinity, or is nested too deeply.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonError(f"this cannot be written as JSON: {error}") from None


def member_text(data: bytes, name: str) -> str | None:
    """The text of one member of a JSON object, as it stands there; the object must be valid."""
    text = data.decode("utf-8")
    found: str | None = None
    at = text.index("{") + 1
    while start := _NAME.match(text, at):
        _, at = _VERBATIM.raw_decode(text, start.end())
        if json.loads(start[1]) == name:
            found = text[start.end() : at]
    return found
