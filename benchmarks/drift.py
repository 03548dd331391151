"""Experiences of one world, played while that world drifts: stopped or adapted, never wrong?

    python -m benchmarks.drift DIR [--seeds N] [--limit N] [--json]

The world is the tool traffic of recorded sessions of τ-bench's airline; DIR has their files. Of
each session whose writes succeeded, an experience is written down: its calls in their order, each
argument bound to what the customer said or to a path into an earlier answer, as a person who
records it once would do, with checks mined from this session and those others that fit. Then it is
played on the recorded answers, changed in one way: `province` is called `state` (as in today's
release of the data), and other changes thrown by seed. A write is right if the session has it.

The two columns of figures are with checks and with the routine alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import playhead as ph
from playhead.environment import Environment, Tool, ToolContext, ToolFailure
from playhead.experience.checks import Case, SeenCall, mine
from playhead.experience.document import Experience, experience_of
from playhead.experience.play import Played, play, tool_digest
from playhead.llm import ToolSchema
from playhead.tape import Json, compact
from playhead.tape.kinds import Effect

SKIPPED = ("think", "calculate", "transfer_to_human_agents")  # they change nothing in the world
NOW = "2024-05-15 15:00:00"
OUTCOMES = ("adapted", "stopped", "stopped_late", "wrong")
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
        return f"{self.tool} {compact(dict(sorted(self.arguments.items())))}"


@dataclass(frozen=True)
class Session:
    """A recorded session: what the customer wants, and the calls that succeeded."""

    name: str
    said: str
    calls: tuple[Call, ...]

    @property
    def writes(self) -> list[Call]:
        """The calls that changed something."""
        return [call for call in self.calls if call.effect == "write"]


def sessions(folder: Path) -> list[Session]:
    """The sessions of a folder that read and wrote something."""
    found: list[Session] = []
    for file in sorted(folder.glob("*.json")):
        for number, each in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            said = str(each["info"]["task"]["instruction"])
            found.append(Session(f"session {number}", said, tuple(calls_of(each["traj"]))))
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


# --- Writing an experience down ------------------------------------------------------------------


@dataclass
class Draft:
    """An experience of one session, and the parameters that it is played with."""

    session: Session
    experience: Experience
    given: dict[str, Json]
    case: Case


def drafted(session: Session) -> Draft:
    """The experience of a session: its calls up to its last write, each read once."""
    states: dict[str, Any] = {}
    given: dict[str, Json] = {}
    known: list[tuple[str, Call]] = []
    seen: set[str] = set()
    for call in up_to_last_write(session.calls):
        if call.effect == "read" and call.key in seen:
            continue
        seen.add(call.key)
        name = f"s{len(states) + 1}"
        arguments = {n: bound(v, n, session, known, given) for n, v in call.arguments.items()}
        states[name] = {"call": {"tool": call.tool, "arguments": arguments}}
        known.append((name, call))
    names = [*states, "done"]
    for name, following in pairwise(names):
        states[name]["next"] = [{"to": following}]
    states["done"] = {"finish": {}}
    tools = {
        call.tool: {"effect": call.effect, "digest": digest_of(call.tool)} for _, call in known
    }
    document: dict[str, Any] = {
        "experience": 1,
        "name": session.name.replace(" ", "-"),
        "parameters": {name: {"sources": [{"given": True}]} for name in given},
        "tools": tools,
        "routine": {"start": "s1", "states": states},
    }
    calls = [SeenCall(c.tool, c.effect, c.arguments, c.result, state=n) for n, c in known]
    case = Case(session.name, "", calls, given, NOW, noop=False)
    return Draft(session, experience_of(document), given, case)


def up_to_last_write(calls: Sequence[Call]) -> Sequence[Call]:
    """What is read after it belongs to nothing."""
    last = max(at for at, call in enumerate(calls) if call.effect == "write")
    return calls[: last + 1]


def bound(
    found: Json,
    name: str,
    session: Session,
    known: Sequence[tuple[str, Call]],
    given: dict[str, Json],
) -> dict[str, Json]:
    """Where an argument comes from: an earlier answer, if the customer did not say it."""
    said = isinstance(found, str) and found.lower() in session.said.lower()
    if isinstance(found, str) and len(found) > 2 and not said:
        for state, call in reversed(known):
            path = next(paths(call.result, found), None)
            if path is not None:
                return {"result": state, "at": list(path)}
    if isinstance(found, list | dict) and found:
        for state, call in reversed(known):
            path = next(paths(call.result, found), None)
            if path is not None:
                return {"result": state, "at": list(path)}
    label = next((n for n, v in given.items() if v == found), None)
    label = label or free(name, given)
    given[label] = found
    return {"param": label}


def free(name: str, taken: Mapping[str, object]) -> str:
    """A name that is not taken."""
    labels = [name, *(f"{name}_{number}" for number in range(2, 100))]
    return next(label for label in labels if label not in taken)


def paths(
    within: Json, found: Json, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """Where a value stands.

    A member that is called like it does not count, nor does a place in a list of several: that it
    stood third is no reason.
    """
    if isinstance(within, list) and len(within) > 1:
        return
    if within == found and type(within) is type(found):
        yield at
    elif isinstance(within, dict):
        for name, each in within.items():
            if name != found:
                yield from paths(each, found, (*at, name))
    elif isinstance(within, list):
        for number, each in enumerate(within):
            yield from paths(each, found, (*at, number))


# --- The world, and how it drifts ----------------------------------------------------------------

Change = Callable[[str, Json], Json]  # of a tool's answer
Row = dict[str, Json]


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


def mapped(value: Json, change: Callable[[Row], Row]) -> Json:
    """A value with a change of all its objects."""
    if isinstance(value, dict):
        return change({name: mapped(each, change) for name, each in value.items()})
    return [mapped(each, change) for each in value] if isinstance(value, list) else value


def renamed(old: str, new: str) -> Change:
    """A member has another name."""

    def rename(row: Row) -> Row:
        return {new if name == old else name: each for name, each in row.items()}

    return lambda tool, answer: mapped(answer, rename)


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


# --- Playing -------------------------------------------------------------------------------------


async def outcome(draft: Draft, change: Change, *, checks: bool, tool: str | None = None) -> str:
    """What becomes of a play in the changed world."""
    world = Recorded(draft.session, change, tool)
    experience = draft.experience
    if not checks:
        experience = experience.model_copy(update={"checks": ()})
    done: Played = await play(
        experience,
        parameters=draft.given,
        task=None if draft.given else "Go on",
        environment=world,
        store=ph.MemoryStore(),
        limited=False,
        now=NOW,
    )
    right = [call.key for call in draft.session.writes]
    if world.written != right[: len(world.written)]:
        return "wrong"
    if done.outcome == "done":
        return "adapted" if len(world.written) == len(right) else "stopped_late"
    return "stopped_late" if world.written else "stopped"


def checked(drafts: Sequence[Draft]) -> list[Draft]:
    """Each with the checks that its own session teaches, and others of the same calls."""
    made: list[Draft] = []
    for draft in drafts:
        shape = [call.tool for call in draft.case.calls]
        alike = [d.case for d in drafts if [c.tool for c in d.case.calls] == shape]
        alike = [case for case in alike if set(case.parameters) == set(draft.given)]
        checks = mine(draft.experience, alike) if alike else ()
        experience = draft.experience.model_copy(update={"checks": checks})
        made.append(Draft(draft.session, experience, draft.given, draft.case))
    return made


async def table(drafts: Sequence[Draft], seeds: int) -> list[dict[str, Any]]:
    """A row for each kind of change."""
    rows: list[dict[str, Any]] = []
    for kind in CHANGES:
        thrown = kind in (rename, swap, drop, retype)
        counts = {True: Counter[str](), False: Counter[str]()}
        for seed in range(seeds if thrown else 1):
            for draft in drafts:
                for checks in (True, False):
                    chance = random.Random(f"{seed} {kind.__name__} {draft.session.name}")
                    change = kind(draft.session, chance)
                    counts[checks][await outcome(draft, change, checks=checks)] += 1
        rows.append(row(kind.__name__, counts))
    counts = {True: Counter[str](), False: Counter[str]()}
    for draft in drafts:
        for checks in (True, False):
            tool = random.Random(draft.session.name).choice(list(draft.experience.tools))
            change = unchanged(draft.session, random.Random())
            counts[checks][await outcome(draft, change, checks=checks, tool=tool)] += 1
    return [*rows, row("tool_schema", counts)]


def row(name: str, counts: Mapping[bool, Counter[str]]) -> dict[str, Any]:
    """The counts of a change."""
    return {
        "change": name,
        "plays": counts[True].total(),
        **{each: counts[True][each] for each in OUTCOMES},
        **{f"{each}_without_checks": counts[False][each] for each in OUTCOMES},
    }


def drafts_of(folder: Path) -> list[Draft]:
    """The experiences of a folder of sessions, with their checks."""
    return checked([drafted(session) for session in sessions(folder)])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="with τ-bench's results")
    parser.add_argument("--limit", type=int, help="play so many experiences")
    parser.add_argument("--seeds", type=int, default=3, help="throws of each change by chance")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    drafts = drafts_of(wanted.folder)[: wanted.limit]
    if not drafts:
        print(f"no sessions of τ-bench in {wanted.folder}", file=sys.stderr)
        return 2
    rows = asyncio.run(table(drafts, wanted.seeds))
    if wanted.json:
        print(json.dumps({"experiences": len(drafts), "rows": rows}, indent=2))
        return 0
    print(f"{len(drafts)} experiences; with checks | the routine alone\n")
    print(f"{'change':<12} {'plays':>6} " + " ".join(f"{each:>12}" for each in OUTCOMES) + "  |")
    for each in rows:
        with_checks = " ".join(f"{each[name]:>12}" for name in OUTCOMES)
        alone = " ".join(f"{each[f'{name}_without_checks']:>12}" for name in OUTCOMES)
        print(f"{each['change']:<12} {each['plays']:>6} {with_checks}  | {alone}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
