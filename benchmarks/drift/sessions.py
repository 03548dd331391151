"""Recorded sessions of τ-bench's airline: what the customer wants, and the calls that succeeded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playhead.tape import Json, canonical
from playhead.tape.kinds import Effect

NOW = "2024-05-15 15:00:00"
Row = dict[str, Json]
SKIPPED = ("think", "calculate", "transfer_to_human_agents")  # they change nothing in the world
WRITING = ("book", "cancel", "send", "update")


@dataclass(frozen=True)
class Call:
    """A recorded call that succeeded."""

    tool: str
    arguments: dict[str, Any]
    result: Json

    @property
    def effect(self) -> Effect:
        """What it does to the world."""
        return "write" if self.tool.startswith(WRITING) else "read"

    @property
    def key(self) -> str:
        """Equal for equal calls."""
        return f"{self.tool} {canonical(self.arguments).decode()}"


@dataclass(frozen=True)
class Session:
    """A recorded session.

    Args:
        name: Which one.
        wants: What the customer wants, as whoever plays the customer was told.
        says: What the customer said, all of it.
        calls: The calls that succeeded.
    """

    name: str
    wants: str
    says: str
    calls: tuple[Call, ...]

    @property
    def work(self) -> Sequence[Call]:
        """The calls up to the last write: what is read after it belongs to nothing."""
        last = max(at for at, call in enumerate(self.calls) if call.effect == "write")
        return self.calls[: last + 1]

    @property
    def writes(self) -> list[Call]:
        """The calls that changed something."""
        return [call for call in self.calls if call.effect == "write"]


def sessions(folder: Path) -> list[Session]:
    """The sessions of a folder that read and wrote something."""
    found: list[Session] = []
    for file in sorted(folder.glob("*.json")):
        for number, each in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            wants = str(each["info"]["task"]["instruction"])
            says = "\n".join(m["content"] for m in each["traj"] if m["role"] == "user")
            calls = tuple(calls_of(each["traj"]))
            found.append(Session(f"session {number}", wants, says, calls))
    return [each for each in found if each.writes and names_in(each)]


def calls_of(messages: Sequence[dict[str, Any]]) -> Iterator[Call]:
    """The calls of a session that succeeded."""
    asked: dict[str, dict[str, Any]] = {}
    for message in messages:
        for each in message.get("tool_calls") or ():
            asked[each["id"]] = each["function"]
        call = asked.get(message.get("tool_call_id", ""))
        if message["role"] != "tool" or call is None or call["name"] in SKIPPED:
            continue
        if not message["content"].startswith("Error"):
            yield Call(call["name"], json.loads(call["arguments"]), value(message["content"]))


def value(text: str) -> Json:
    """An answer, read as JSON where it is some."""
    try:
        return cast("Json", json.loads(text))
    except ValueError:
        return text


def mapped(value: Json, change: Callable[[Row], Row]) -> Json:
    """A value with a change of all its objects."""
    if isinstance(value, dict):
        return change({name: mapped(each, change) for name, each in value.items()})
    return [mapped(each, change) for each in value] if isinstance(value, list) else value


def names_in(session: Session) -> list[str]:
    """The names of all members of the answers that a session read."""
    found: Counter[str] = Counter()

    def count(row: Row) -> Row:
        found.update(list(row))
        return row

    for call in session.calls:
        if call.effect == "read":
            mapped(call.result, count)
    return sorted(found)
