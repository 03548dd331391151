"""A world that answers as it was recorded, but for a change, and the changes there are."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from benchmarks.drift.sessions import Call, Row, Session, mapped, names_in
from playhead.environment import Environment, Tool, ToolContext, ToolFailure
from playhead.experience.play import tool_digest
from playhead.llm import ToolSchema
from playhead.tape import Json, compact

Change = Callable[[str, Json], Json]  # of a tool's answer


def schema_of(tool: str) -> ToolSchema:
    """What a tool says of itself; the recording does not tell."""
    return ToolSchema(tool, f"The tool {tool}.", {"type": "object"})


def digest_of(tool: str) -> str:
    """The digest of that."""
    return tool_digest(schema_of(tool))


class Recorded(Environment):
    """Answers as recorded, but for a change; notes what would be written."""

    def __init__(self, session: Session, change: Change, changed_tool: str | None = None) -> None:
        self._answers = {call.key: call.result for call in session.calls}
        self._tools = {call.tool: call.effect for call in session.calls}
        self._change, self._changed_tool = change, changed_tool
        self.written: list[str] = []

    def tools(self) -> Sequence[Tool]:
        """The tools of the session."""
        return [self._tool(name) for name in self._tools]

    def _tool(self, name: str) -> Tool:
        async def answer(arguments: Json, context: ToolContext) -> object:
            given = arguments if isinstance(arguments, dict) else {}
            call = Call(name, given, None)
            if call.effect == "write":
                self.written.append(call.key)
            if call.key not in self._answers:
                if call.effect == "write":
                    return "done"
                raise ToolFailure("raised", "not found")
            return self._change(name, self._answers[call.key])

        schema = schema_of(name)
        if name == self._changed_tool:
            schema = ToolSchema(name, "It takes other arguments.", schema.parameters)
        return Tool(schema, self._tools[name], answer)


def renamed(old: str, new: str) -> Change:
    """A member has another name."""

    def rename(row: Row) -> Row:
        return {new if name == old else name: each for name, each in row.items()}

    return lambda tool, answer: mapped(answer, rename)


def unchanged(session: Session, chance: random.Random) -> Change:
    """All is as it was."""
    return lambda tool, answer: answer


def province(session: Session, chance: random.Random) -> Change:
    """What today's data has."""
    return renamed("province", "state")


def rename(session: Session, chance: random.Random) -> Change:
    """Some member has another name."""
    name = chance.choice(names_in(session))
    return renamed(name, f"{name}_v2")


def swap(session: Session, chance: random.Random) -> Change:
    """Two members change their names: what is read under a name is another thing."""
    one, other = chance.sample(names_in(session), 2)
    names = {one: other, other: one}
    return lambda tool, answer: mapped(
        answer, lambda row: {names.get(name, name): each for name, each in row.items()}
    )


def drop(session: Session, chance: random.Random) -> Change:
    """Some member is gone."""
    name = chance.choice(names_in(session))
    return lambda tool, answer: mapped(
        answer, lambda row: {n: each for n, each in row.items() if n != name}
    )


def retype(session: Session, chance: random.Random) -> Change:
    """Texts become objects, numbers become texts."""
    name = chance.choice(names_in(session))

    def change(row: Row) -> Row:
        if name not in row:
            return row
        old = row[name]
        return {**row, name: {"value": old} if isinstance(old, str) else compact(old)}

    return lambda tool, answer: mapped(answer, change)


def wrap(session: Session, chance: random.Random) -> Change:
    """Answers stand in an envelope."""
    return lambda tool, answer: {"data": answer} if isinstance(answer, dict | list) else answer


def dates(session: Session, chance: random.Random) -> Change:
    """Dates are written in another way."""

    def change(row: Row) -> Row:
        return {name: day(each) for name, each in row.items()}

    def day(found: Json) -> Json:
        parts = found.split("-") if isinstance(found, str) else []
        return (
            f"{parts[1]}/{parts[2]}/{parts[0]}" if [len(p) for p in parts] == [4, 2, 2] else found
        )

    return lambda tool, answer: mapped(answer, change)


def ids(session: Session, chance: random.Random) -> Change:
    """What identifies things gets a prefix in answers."""

    def change(row: Row) -> Row:
        return {
            n: f"v2:{each}" if n.endswith("_id") and isinstance(each, str) else each
            for n, each in row.items()
        }

    return lambda tool, answer: mapped(answer, change)


def reorder(session: Session, chance: random.Random) -> Change:
    """Lists come in another order."""

    def change(found: Json) -> Json:
        if isinstance(found, dict):
            return {name: change(each) for name, each in found.items()}
        return [change(each) for each in reversed(found)] if isinstance(found, list) else found

    return lambda tool, answer: change(answer)


CHANGES = (unchanged, province, rename, swap, drop, retype, wrap, dates, ids, reorder)
THROWN = (rename, swap, drop, retype)  # by chance
