"""What a note has to keep so that an object can be written again: only what would be another.

An importer makes steps of an object, and an exporter an object of steps. Where the two are not
equal, the importer keeps the difference: `{"set": …, "unset": […]}`, members to be put in or left
out.
"""

from __future__ import annotations

from operator import is_

from playhead.record._shape import JsonObject
from playhead.tape import Json


def difference(original: JsonObject, made: JsonObject) -> JsonObject | None:
    """What turns `made` into `original`; None if they are equal."""
    other = {name: value for name, value in original.items() if not _same(made, name, value)}
    gone: list[Json] = [name for name in made if name not in original]
    if not other and not gone:
        return None
    found: JsonObject = {}
    if other:
        found["set"] = other
    if gone:
        found["unset"] = gone
    return found


def applied(made: JsonObject, kept: Json) -> JsonObject:
    """The object, with what a note keeps of it."""
    if not isinstance(kept, dict):
        return made
    gone, other = kept.get("unset"), kept.get("set")
    names = set(map(str, gone)) if isinstance(gone, list) else set()
    left = {name: value for name, value in made.items() if name not in names}
    return {**left, **other} if isinstance(other, dict) else left


def _same(made: JsonObject, name: str, value: Json) -> bool:
    return name in made and alike(made[name], value)


def alike(one: Json, other: Json) -> bool:
    """Whether two values are equal as JSON: in Python, 1, 1.0 and true are, and 0.0 and -0.0."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, str):
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        same = len(one) == len(other)
        return same and (all(map(is_, one, other)) or all(map(alike, one, other)))
    return one == other and (one != 0 or repr(one) == repr(other))
