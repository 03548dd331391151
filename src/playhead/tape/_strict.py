"""What a header of a foreign tape must look like (docs/format.md, section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from playhead.tape._json import Json

ID = re.compile("[0-9a-f]{32}")
HASH = re.compile("[0-9a-f]{64}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_KIND = re.compile(r"[a-z][a-z0-9_]*+(\.[a-z][a-z0-9_]*+)+")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
)
_ROLES = ("thought", "action", "observation", "note")
_ORIGINS = ("native", "captured", "imported")


def is_like(shape: re.Pattern[str], value: object) -> bool:
    """Whether the value is a text of this shape."""
    return isinstance(value, str) and shape.fullmatch(value) is not None


def is_count(value: object, least: int = 0) -> bool:
    """Whether the value is an integer from `least` on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_maker(value: object) -> bool:
    """Whether the value is a `by`."""
    if not isinstance(value, dict):
        return False
    made_by = value.get("type")
    forms = _MAKERS.get(made_by, {}) if isinstance(made_by, str) else {}
    optional = {"person": {"name"}, "agent": {"config", "call", "span"}}.get(str(made_by), set())
    names = set(value) - {"type"}
    return (
        made_by in _MAKERS
        and names <= set(forms)
        and names >= set(forms) - optional
        and (made_by != "agent" or bool(names & {"config", "call"}))
        and all(forms[name](value[name]) for name in names)
    )


def _is_time(value: object) -> bool:
    try:
        return is_like(_TIME, value) and datetime.fromisoformat(str(value)) is not None
    except ValueError:
        return False


def _is_span(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_count, value))


_MAKERS: dict[str, dict[str, Callable[[object], bool]]] = {
    "agent": {
        "name": _is_text,
        "node": _is_text,
        "config": lambda value: is_like(_DIGEST, value),
        "call": lambda value: is_like(ID, value),
        "span": _is_span,
    },
    "tool": {"name": _is_text},
    "importer": {"name": _is_text},
    "person": {"name": _is_text},
    "player": {"name": _is_text, "version": lambda value: _is_text(value) or is_count(value)},
    "system": {},
}

_MEMBERS: dict[str, Callable[[object], bool]] = {
    "v": lambda value: is_count(value, 1) and value == 1,
    "tape": lambda value: is_like(ID, value),
    "seq": is_count,
    "id": lambda value: is_like(ID, value),
    "prev": lambda value: is_like(HASH, value),
    "time": _is_time,
    "kind": lambda value: is_like(_KIND, value) and len(str(value)) <= 128,
    "kv": lambda value: is_count(value, 1),
    "role": lambda value: value in _ROLES,
    "origin": lambda value: value in _ORIGINS,
    "frame": is_count,
    "re": lambda value: isinstance(value, list) and all(is_like(ID, each) for each in value),
    "by": _is_maker,
    "body_digest": lambda value: is_like(HASH, value),
}


def header_fault(members: Mapping[str, Json]) -> str | None:
    """What is wrong with the members of a header, if anything is."""
    for name, is_right in _MEMBERS.items():
        if name not in members:
            return f"the header has no `{name}`"
        if not is_right(members[name]):
            return f"`{name}` of the header has the wrong form: {members[name]!r:.100}"
    unknown = sorted(set(members) - set(_MEMBERS))
    return f"the header has an unknown member {unknown[0]!r:.100}" if unknown else None
