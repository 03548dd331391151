"""JSON in what a model writes."""

from __future__ import annotations

import json
import re

from playhead.errors import JsonError
from playhead.tape import Json, compact, loads_strict

_FENCE = re.compile(r"```[^\S\n]*+[\w.+-]*+\s*+(?=[\[{])")
_BEGIN = re.compile(r"[\[{]")
_MOST_TRIES = 20  # places where JSON could begin


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member stands twice in one object")
    return dict(pairs)


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_unique)


def json_at(text: str, start: int) -> tuple[Json, int]:
    """The JSON value at a place and where it ends.

    Line breaks are allowed in its strings; it is fit to be stored.

    Raises:
        ValueError, RecursionError, JsonError: There is none.
    """
    value, end = _DECODER.raw_decode(text, start)
    return loads_strict(compact(value)), end


def json_in(text: str) -> Json:
    """The JSON value that a text is, or else that of its first block, or the first one in it.

    Raises:
        ValueError: There is none; the message says why the first candidate is none.
    """
    text = text.strip()
    starts = [0, *(found.end() for found in _FENCE.finditer(text))]
    starts += [found.start() for found in _BEGIN.finditer(text)]
    fault: Exception | None = None
    for start in list(dict.fromkeys(starts))[:_MOST_TRIES]:
        try:
            value, end = json_at(text, start)
        except (ValueError, RecursionError, JsonError) as error:
            fault = fault or (error if text[start : start + 1] in ("{", "[") else None)
            continue
        if start or not text[end:].strip():
            return value
    raise ValueError(f"no JSON can be read in it{f': {fault}' if fault else ''}")
