"""Writes as terms: a fixed number of calls, or one loop over rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playhead.experience.learn._atoms import World
from playhead.experience.learn._conditions import (
    fields_of,
    is_identity,
    joined_conditions,
    overdue_conditions,
    plainest,
    row_conditions,
    speaks_of_overdue,
)
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._slots import agree, slot
from playhead.experience.learn._trace import Example
from playhead.experience.routine import PastCall, Scope, Term, evaluate, fn
from playhead.experience.values import Absent, Unclear

_ALL = re.compile(r"\b(all|every|each|any of)\b", re.IGNORECASE)


@dataclass(slots=True)
class Block:
    """A call, or a loop of calls if there are `rows`."""

    tool: str
    arguments: dict[str, Term]
    rows: Term | None = None

    @property
    def terms(self) -> list[Term]:
        """All of its terms."""
        return [*self.arguments.values(), *([] if self.rows is None else [self.rows])]


def write_blocks(
    ground: Ground, worlds: Sequence[World], members: Sequence[int]
) -> list[Block] | None:
    """The writes of traces that wrote with the same tools; None if they cannot be explained."""
    runs = {at: _runs(ground.examples[at]) for at in members}
    blocks: list[Block] = []
    for place in range(len(runs[members[0]])):
        here = {at: runs[at][place] for at in members}
        several = any(len(run) > 1 for run in here.values())
        loops = ground.settings.loops and (several or _speaks_of_all(ground, members))
        made = _loop(ground, worlds, here) if loops else None
        made = made or _fixed(ground, worlds, here)
        if made is None:
            return None
        blocks += made
    return blocks


def _speaks_of_all(ground: Ground, members: Sequence[int]) -> bool:
    """Whether the texts of traces are about all things of a sort, however many there were."""
    return all(_ALL.search(ground.texts.texts[at].text) for at in members)


def _runs(example: Example) -> list[list[PastCall]]:
    runs: list[list[PastCall]] = []
    for call in example.writes:
        if runs and runs[-1][0].tool == call.tool:
            runs[-1].append(call)
        else:
            runs.append([call])
    return runs


def _fixed(
    ground: Ground, worlds: Sequence[World], runs: Mapping[int, list[PastCall]]
) -> list[Block] | None:
    """As many calls as every trace made, each explained by itself."""
    if len({len(run) for run in runs.values()}) > 1:
        return None
    blocks: list[Block] = []
    for place in range(len(next(iter(runs.values())))):
        calls = {at: run[place] for at, run in runs.items()}
        arguments = _arguments(ground, worlds, calls)
        if arguments is None:
            return None
        blocks.append(Block(next(iter(calls.values())).tool, arguments))
    return blocks


def _arguments(
    ground: Ground, worlds: Sequence[World], calls: Mapping[int, PastCall]
) -> dict[str, Term] | None:
    first = min(calls)
    names = {name for call in calls.values() for name in call.arguments}
    arguments: dict[str, Term] = {}
    for name in [n for n in calls[first].arguments if n in names]:
        values = {at: call.arguments[name] for at, call in calls.items() if name in call.arguments}
        terms = slot(ground, worlds, values, of=first)
        if not terms or len(values) < len(calls):
            return None
        arguments[name] = agree(terms)
    return arguments if set(arguments) == names else None


def _loop(
    ground: Ground, worlds: Sequence[World], runs: Mapping[int, list[PastCall]]
) -> list[Block] | None:
    """One loop over the rows of a result, some of whose members are the arguments that vary."""
    names = {name for run in runs.values() for call in run for name in call.arguments}
    varying = {name for name in names if _varies(name, runs)}
    if all(len(run) == 1 for run in runs.values()):
        varying = {name for name in names if _names_one(name, runs)}
    fixed = _arguments(
        ground,
        worlds,
        {at: _without(run[0], varying) for at, run in runs.items()},
    )
    if fixed is None or not varying:
        return None
    first = min(runs)
    for state in reversed(worlds[first].reads):
        fields = _fields(worlds, runs, state=state, varying=varying)
        if fields is None:
            continue
        rows = list(_row_sets(ground, worlds, runs, state=state, fields=fields))
        if rows:
            items: dict[str, Term] = {name: ("item", (field,)) for name, field in fields.items()}
            tool = runs[first][0].tool
            return [
                Block(tool, fixed | items, agree(plainest(rows)[: ground.settings.explanations]))
            ]
    return None


def _varies(name: str, runs: Mapping[int, list[PastCall]]) -> bool:
    return any(
        call.arguments.get(name) != run[0].arguments.get(name)
        for run in runs.values()
        for call in run
    )


def _names_one(name: str, runs: Mapping[int, list[PastCall]]) -> bool:
    """Whether an argument names another thing of the world in each trace."""
    values = [run[0].arguments.get(name) for run in runs.values()]
    return all(map(is_identity, values)) and len(set(map(str, values))) == len(values)


def _without(call: PastCall, names: set[str]) -> PastCall:
    kept = {name: value for name, value in call.arguments.items() if name not in names}
    return PastCall(call.tool, kept)


def _fields(
    worlds: Sequence[World],
    runs: Mapping[int, list[PastCall]],
    *,
    state: str,
    varying: set[str],
) -> dict[str, str] | None:
    """The member of the rows that each varying argument is, if there is one."""
    found: dict[str, str] = {}
    tables = {at: rows_of(worlds[at].scope.results.get(state)) for at in runs}
    for name in varying:
        for field in fields_of(tables[min(runs)]):
            columns = {at: {_text(row, field) for row in tables[at]} for at in runs}
            if all(
                str(call.arguments.get(name)) in columns[at] for at in runs for call in runs[at]
            ):
                found[name] = field
                break
        else:
            return None
    return found


def rows_of(result: Any) -> list[Any]:  # noqa: ANN401
    """The rows of a result; none if it is something else."""
    return result if isinstance(result, list) else []


def _text(row: Any, field: str) -> str | None:  # noqa: ANN401
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, str) else None


def _row_sets(
    ground: Ground,
    worlds: Sequence[World],
    runs: Mapping[int, list[PastCall]],
    *,
    state: str,
    fields: Mapping[str, str],
) -> Iterator[Term]:
    """Conditions that choose just the rows that were written, in every trace."""
    tables = {at: rows_of(worlds[at].scope.results.get(state)) for at in runs}
    everything = [row for rows in tables.values() for row in rows]
    name, field = next(iter(fields.items()))
    wanted = {at: sorted(str(call.arguments[name]) for call in run) for at, run in runs.items()}
    source: Term = ("result", state, None, None, ())
    for tier in _tiers(ground, everything):
        found = False
        for where in tier:
            chosen = {at: _chosen(worlds[at].scope, tables[at], where) for at in runs}
            if all(
                sorted(str(_text(row, field)) for row in chosen[at]) == wanted[at] for at in runs
            ):
                found = True
                yield source if where is None else ("over", "rows", source, where)
        if found:
            return  # the plain ones are enough


def _tiers(ground: Ground, rows: Sequence[Any]) -> Iterator[Iterable[Term | None]]:
    """Conditions on rows, those that the texts speak of first."""
    shared = (rows, ground.candidates, ground.settings)
    plain = list(row_conditions(*shared))
    if speaks_of_overdue([text.text for text in ground.texts.texts]):
        over = list(overdue_conditions(rows))
        yield [*over, *(fn("both", each, also) for each in over for also in plain if also)]
    yield plain
    yield joined_conditions(*shared)


def _chosen(scope: Scope, rows: list[Any], where: Term | None) -> list[Any]:
    if where is None:
        return rows
    return [row for row in rows if holds(scope, where, row)]


def holds(scope: Scope, where: Term, row: Any) -> bool:  # noqa: ANN401
    """Whether a row fulfils a condition."""
    try:
        return evaluate(where, scope, row) is True
    except (Absent, Unclear):
        return False
