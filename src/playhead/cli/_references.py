"""Documents and blobs that the entries of a tape refer to (docs/format.md, sections 2, 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playhead.cli._steps import body_json
from playhead.tape import Json, Step

_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_ADDRESS = re.compile("[0-9a-f]{64}")
_DOCUMENTS = ("config", "prompt tools", "environment tools")
_PARTS = ("parts *", "message parts *", "raw", "prompt items * m parts *")


def references(steps: Iterable[Step]) -> tuple[list[str], list[str]]:
    """Digests of documents and addresses of blobs, each once, in the order of the entries."""
    documents: dict[str, None] = {}
    blobs: dict[str, None] = {}
    for step in steps:
        body = body_json(step)
        names = [step.by.config, *(name for path in _DOCUMENTS for name in _at(body, path))]
        documents.update({n: None for n in names if isinstance(n, str) and _DIGEST.fullmatch(n)})
        for part in (part for path in _PARTS for part in _at(body, path)):
            address = part.get("address") if isinstance(part, dict) else None
            if isinstance(address, str) and _ADDRESS.fullmatch(address):
                blobs[address] = None
        step.forget_body()
    return list(documents), list(blobs)


def _at(value: Json, path: str) -> list[Json]:
    """The values at the end of a path of names; `*` stands for each element of an array."""
    found = [value]
    for name in path.split():
        if name == "*":
            found = [part for old in found if isinstance(old, list) for part in old]
        else:
            found = [old[name] for old in found if isinstance(old, dict) and name in old]
    return found
