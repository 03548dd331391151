"""Searches that nobody made as they should be: with several arguments, and where rows are cut off.

Of a search with too few rows the right one is found by trying, in a fresh environment: it has the
arguments that the task mentions, and it shows every row that was written.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, TypeAlias

from playhead.experience.learn._conditions import NOW, TODAY, is_identity
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._options import listed_values
from playhead.experience.learn._program import (
    Program,
    ReadStep,
    add_step,
    cut_at,
    needed_steps,
    read_result,
    spread_results,
)
from playhead.experience.learn._trace import ToolSpec
from playhead.experience.routine import Term, const

_MOST_TRIES = 600
_MOST_ARGUMENTS = 3
_MOST_SPREAD = 16  # values for each of which a search is made
_TEXTS = ("name", "quoted", "address", "words")
_COMING = re.compile(r"\b(next|upcoming|coming|soonest|future)\b", re.IGNORECASE)

Wanted: TypeAlias = Mapping[int, set[str]]
Pair: TypeAlias = tuple[str, Term]


def add_searches(ground: Ground, program: Program) -> None:
    """Searches that show what was written and no read shows, narrowed as far as the text does."""
    if ground.probe is None:
        return
    for wanted in _missing(ground, program):
        trial = _Trial(ground, program, wanted)
        tools = [tool for tool in ground.tools.values() if tool.effect == "read"]
        for tool in sorted(tools, key=lambda each: not _is_used(ground, each)):
            step = trial.search(tool)
            if step is not None:
                add_step(ground, program, step)
                break


def add_narrower(ground: Ground, program: Program, terms: Sequence[Term]) -> bool:
    """Where rows were cut off, searches that leave fewer; whether there are any."""
    if ground.probe is None:
        return False
    added = False
    for step in needed_steps(program, terms) if terms else list(program.steps):
        if step.tool[0] != "const" or step.spread:
            continue
        _widen(ground, program, step)
        if cut_at(ground, step.tool[1]) is None:
            continue
        if not (_asks_for_coming(ground) or is_cut(ground, program, step)):
            continue
        for wanted in _written(ground):
            narrower = _Trial(ground, program, wanted).narrowed(step)
            if narrower is not None and not program.has(narrower):
                add_step(ground, program, narrower)
                added = True
    return added


def is_cut(ground: Ground, program: Program, step: ReadStep) -> bool:
    """Whether a search shows as many rows in a trace as its tool ever shows."""
    limit = cut_at(ground, str(step.tool[1]))
    results = [world.scope.results.get(step.state) for world in program.worlds]
    return any(isinstance(each, list) and len(each) == limit for each in results)


def _asks_for_coming(ground: Ground) -> bool:
    return all(_COMING.search(text.text) for text in ground.texts.texts)


def _widen(ground: Ground, program: Program, step: ReadStep) -> None:
    """Searches for less of a text: whether they show more rows tells if any are cut off."""
    world = program.worlds[program.of]
    values = {name: world.value(term) for name, term in step.arguments.items()}
    for name, value in values.items():
        if isinstance(value, str) and not listed_values(ground.tools[step.tool[1]], name):
            for less in {value.split()[0], value[0]} if value.strip() else ():
                with contextlib.suppress(LookupError):
                    read_result(ground, step.tool[1], values | {name: less}, program.of, None)


def _is_used(ground: Ground, tool: ToolSpec) -> bool:
    return any(read.tool == tool.name for each in ground.examples for read in each.reads)


def _written(ground: Ground) -> list[Wanted]:
    """What was written that names things of the world, by tool and argument."""
    found: dict[tuple[str, str], dict[int, set[str]]] = {}
    for at, example in enumerate(ground.examples):
        for call in example.writes:
            for name, value in call.arguments.items():
                if is_identity(value):
                    values = found.setdefault((call.tool, name), {}).setdefault(at, set())
                    values.add(str(value))
    return list(found.values())


def _missing(ground: Ground, program: Program) -> Iterator[Wanted]:
    """The same, as far as no read shows all of it."""
    for wanted in _written(ground):
        if not any(
            all(
                values <= leaves(w.scope.results.get(step.state))
                for at, values in wanted.items()
                for w in (program.worlds[at],)
            )
            for step in program.steps
        ) and not any(
            each <= {str(v) for v in program.worlds[at].scope.params.values()}
            for at, each in wanted.items()
        ):
            yield wanted


def leaves(value: Any) -> set[str]:  # noqa: ANN401
    """All texts in a result."""
    found: set[str] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Mapping):
            stack += each.values()
        elif isinstance(each, list):
            stack += each
        elif isinstance(each, str):
            found.add(each)
    return found


@dataclass(slots=True)
class _Trial:
    """Tries searches for what some traces wrote."""

    ground: Ground
    program: Program
    wanted: Wanted
    tries: int = 0

    def search(self, tool: ToolSpec) -> ReadStep | None:
        """The search with fewest arguments that shows all that was written, made narrower."""
        pairs = [pair for pair in self._pairs(tool) if self._rows(tool, dict([pair]))]
        widest: list[dict[str, Term]] = []
        for size in range(1, _MOST_ARGUMENTS + 1):
            for chosen in combinations(pairs, size):
                arguments = dict(chosen)
                if len(arguments) < size or len(set(arguments.values())) < size:
                    continue
                rows = self._rows(tool, arguments)
                if rows is None:
                    continue
                if self._shows(rows):
                    return self._narrow(ReadStep("", const(tool.name), arguments), tool)
                if all(self.wanted[at] & leaves(found) for at, found in rows.items()):
                    widest.append(arguments)
        return self._spread(tool, widest)

    def narrowed(self, step: ReadStep) -> ReadStep | None:
        """The same search with more arguments, if it shows fewer rows and none too few."""
        found = self._narrow(step, self.ground.tools[step.tool[1]])
        return None if found.arguments == step.arguments else found

    def _narrow(self, step: ReadStep, tool: ToolSpec) -> ReadStep:
        arguments = dict(step.arguments)
        rows = self._rows(tool, arguments)
        if rows is None:
            return step
        for name, term in (*self._pairs(tool), *self._moments(tool)):
            if name in arguments or term in arguments.values():
                continue
            fewer = self._rows(tool, arguments | {name: term})
            if fewer is not None and fewer != rows and self._shows(fewer):
                arguments, rows = arguments | {name: term}, fewer
        return replace(step, arguments=arguments)

    def _spread(self, tool: ToolSpec, widest: Sequence[dict[str, Term]]) -> ReadStep | None:
        """One search for each value that an argument may have, as each shows but some rows."""
        limit = cut_at(self.ground, tool.name)
        for arguments in reversed(widest) if limit else ():
            for name in tool.arguments:
                values = listed_values(tool, name)
                if name in arguments or not 1 < len(values) <= _MOST_SPREAD:
                    continue
                step = ReadStep("", const(tool.name), arguments, spread=(name, values))
                if self._spreads(step, limit):
                    return step
        return None

    def _spreads(self, step: ReadStep, limit: int | None) -> bool:
        for at, values in self.wanted.items():
            fixed = self._values(step.arguments, at)
            parts = [] if fixed is None else spread_results(self.ground, step, fixed, at)
            if not values <= leaves(parts) or any(len(part) == limit for part in parts):
                return False
        return True

    def _pairs(self, tool: ToolSpec) -> Iterator[Pair]:
        """Arguments with what the text mentions: values that they list, or any text."""
        for each in self.ground.candidates:
            if any(each.values[at] is None for at in self.wanted):
                continue
            for name in tool.arguments:
                listed = {value.casefold() for value in listed_values(tool, name)}
                said = {str(each.values[at]).casefold() for at in self.wanted}
                if (each.kind == "option" and listed and said <= listed) or (
                    each.kind in _TEXTS and not listed
                ):
                    yield name, ("param", each.name)

    def _moments(self, tool: ToolSpec) -> Iterator[Pair]:
        """Only what is still to come, where all texts ask for that."""
        if _asks_for_coming(self.ground):
            for name in tool.arguments:
                yield name, NOW
                yield name, TODAY

    def _rows(self, tool: ToolSpec, arguments: Mapping[str, Term]) -> dict[int, list[Any]] | None:
        """What a search shows in the traces that wrote; None if it shows nothing in one."""
        found: dict[int, list[Any]] = {}
        for at in self.wanted:
            self.tries += 1
            values = self._values(arguments, at)
            if values is None or self.tries > _MOST_TRIES:
                return None
            try:
                rows = read_result(self.ground, tool.name, values, at, None)
            except LookupError:
                return None
            if not isinstance(rows, list) or not any(isinstance(row, dict) for row in rows):
                return None
            found[at] = rows
        return found

    def _values(self, arguments: Mapping[str, Term], at: int) -> dict[str, Any] | None:
        values = {name: self.program.worlds[at].value(term) for name, term in arguments.items()}
        return None if None in values.values() else values

    def _shows(self, rows: Mapping[int, list[Any]]) -> bool:
        return all(self.wanted[at] <= leaves(found) for at, found in rows.items())
