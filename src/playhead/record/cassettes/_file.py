"""A cassette as a file: JSON to be reviewed, where a conversation that goes on is written once."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from playhead.errors import CassetteError
from playhead.record.cassettes._calls import Call, Members, Place
from playhead.tape import Json

_LARGEST = 256 * 1024 * 1024  # bytes


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Place(_Part):
    session: int
    frame: int
    node: str | None = None
    ordinal: int


class _Messages(_Part):
    """`first` messages of the call with number `of_call`, then these."""

    of_call: int | None = None
    first: int = 0
    then: list[JsonValue] = Field(default_factory=list)


class _ModelCall(_Part):
    call: _Place | None = None
    model: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    tools: str | None = None
    messages: _Messages
    answer: dict[str, JsonValue]


class _ToolCall(_Part):
    call: _Place | None = None
    environment: str
    action: dict[str, JsonValue]
    answer: dict[str, JsonValue]


class _HttpCall(_Part):
    request: str
    body: dict[str, JsonValue] = Field(default_factory=dict)
    tools: str | None = None
    messages: _Messages
    answer: dict[str, JsonValue]


class _File(_Part):
    playhead_cassette: Literal[1]
    test: str = ""
    environments: dict[str, list[JsonValue]] = Field(default_factory=dict)
    toolsets: dict[str, list[JsonValue]] = Field(default_factory=dict)
    calls: list[_ModelCall | _ToolCall | _HttpCall]


@dataclass(slots=True)
class Content:
    """What a cassette holds.

    Args:
        calls: Calls, in the order in which they began.
        environments: The tools of each environment, by its name.
    """

    calls: Sequence[Call] = ()
    environments: Mapping[str, list[Json]] = field(default_factory=dict)


def read_cassette(path: Path) -> Content:
    """What a file holds.

    Raises:
        CassetteError: It cannot be read, or is no cassette.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise CassetteError(f"`{path}` is larger than any cassette: record it again")
        file = _File.model_validate(json.loads(path.read_bytes()))
        calls: list[Call] = []
        for entry in file.calls:
            calls.append(_call(entry, calls, file))
    except OSError as error:
        raise CassetteError(f"the cassette `{path}` cannot be read: {error}") from error
    except (ValueError, LookupError, RecursionError) as error:
        first = error.errors()[0]["loc"] if isinstance(error, ValidationError) else error
        raise CassetteError(
            f"`{path}` is no cassette of this version ({type(error).__name__}: {first}): mend it, "
            "or record it again with `pytest --playhead=record`"
        ) from error
    return Content(calls, file.environments)


def _call(entry: _ModelCall | _ToolCall | _HttpCall, before: Sequence[Call], file: _File) -> Call:
    if isinstance(entry, _HttpCall):
        asked: Members = {"request": entry.request, **_conversation(entry, before, file)}
        return Call({**asked, "body": entry.body}, None, entry.answer)
    place = Place(**entry.call.model_dump()) if entry.call is not None else None
    if isinstance(entry, _ToolCall):
        asked = {"environment": entry.environment, "action": entry.action}
    else:
        asked = {"model": entry.model, **_conversation(entry, before, file)}
        asked["settings"] = entry.settings
    return Call(asked, place, entry.answer)


def _conversation(entry: _ModelCall | _HttpCall, before: Sequence[Call], file: _File) -> Members:
    """The messages and tools of a call."""
    shared: list[Json] = []
    if entry.messages.of_call is not None:
        if not 0 <= entry.messages.of_call < len(before):
            raise LookupError(f"of_call {entry.messages.of_call}")
        earlier = before[entry.messages.of_call].asked["messages"]
        assert isinstance(earlier, list)
        shared = earlier[: entry.messages.first]
    tools = file.toolsets[entry.tools] if entry.tools is not None else []
    return {"messages": [*shared, *entry.messages.then], "tools": tools}


def write_cassette(path: Path, content: Content, *, test: str = "") -> None:
    """Write a file in one piece, or not at all; one that says the same already is left alone.

    Raises:
        CassetteError: It cannot be written.
    """
    data = _data(content, test)
    temporary: str | None = None
    try:
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise CassetteError(f"the cassette `{path}` cannot be written: {error}") from error


def _data(content: Content, test: str) -> bytes:
    toolsets: dict[str, Json] = {}
    calls: list[Json] = []
    for number, call in enumerate(content.calls):
        asked = dict(call.asked)
        if "messages" in asked:
            asked["messages"] = _since(content.calls[:number], call)
            asked["tools"] = _toolset(asked["tools"], toolsets)
        place: Members = {"call": asdict(call.place)} if call.place is not None else {}
        said = {name: value for name, value in asked.items() if value not in (None, {})}
        calls.append({**place, **said, "answer": call.answer})
    file: Members = {"playhead_cassette": 1, "test": test}
    file["environments"] = dict(content.environments)
    file["toolsets"] = toolsets
    file["calls"] = calls
    try:
        return (json.dumps(file, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # half of a pair of surrogates stands in it
        return (json.dumps(file, indent=2) + "\n").encode()


def _toolset(tools: Json, toolsets: dict[str, Json]) -> str | None:
    """The name of a list of tools; each list is written once."""
    if not tools:
        return None
    for name, known in toolsets.items():
        if known == tools:
            return name
    name = str(len(toolsets) + 1)
    toolsets[name] = tools
    return name


def _since(before: Sequence[Call], call: Call) -> Json:
    """The messages of a call, as what they add to those of an earlier one."""
    mine = call.asked["messages"]
    assert isinstance(mine, list)
    best, of_call = 0, None
    for number, earlier in enumerate(before):
        theirs = earlier.asked.get("messages")
        if not isinstance(theirs, list):
            continue
        pairs = enumerate(zip(mine, theirs, strict=False))
        common = next((at for at, (a, b) in pairs if a != b), min(len(mine), len(theirs)))
        if common and common >= best:
            best, of_call = common, number
    if of_call is None:
        return {"then": mine}
    return {"of_call": of_call, "first": best, "then": mine[best:]}
