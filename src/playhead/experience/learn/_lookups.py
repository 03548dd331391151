"""Reads that a trace lacks: those of other traces, and those that nobody made.

Somebody who knows an address by heart need not look it up; an experience must.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from playhead.experience.learn._conditions import NOW, is_identity
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._program import Program, ReadStep, add_step, read_result, read_step
from playhead.experience.learn._searches import leaves
from playhead.experience.learn._trace import ToolSpec
from playhead.experience.routine import Term, const, fn

_MOST_TRIES = 1500
_MOST_ADDED = 3


def add_reads_of_others(ground: Ground, program: Program) -> None:
    """The reads of other traces, as far as they can be put in the terms of all."""
    for other, example in enumerate(ground.examples):
        if other == program.of or example.wrong:
            continue
        theirs = Program(other, program.worlds, program.steps, program.failed)
        for read in example.reads:
            alone = [read if at == other else None for at in range(len(ground.examples))]
            step = read_step(ground, theirs, read, alone)
            if step is not None and not program.has(step):
                add_step(ground, program, step)


def add_directories(ground: Ground, program: Program) -> None:
    """Reads that turn what the text mentions into what was written, as a directory does."""
    if ground.probe is not None:
        _add_lookups(ground, program, plain=True)


def add_lookups(ground: Ground, program: Program) -> None:
    """Reads with one argument that the text mentions, and that find what was written.

    They are made in a fresh environment, and kept if they find something in every trace that
    wrote which nothing else explains.
    """
    if ground.probe is not None:
        _add_lookups(ground, program, plain=False)


def _add_lookups(ground: Ground, program: Program, *, plain: bool) -> None:
    right = [at for at, example in enumerate(ground.examples) if not example.wrong]
    wanted = {at: _unexplained(ground, program, at) for at in right}
    wanted = {at: values for at, values in wanted.items() if values}
    added = 0
    for tries, (tool, arguments) in enumerate(_lookups(ground)):
        if not wanted or tries == _MOST_TRIES or added == _MOST_ADDED:
            return
        step = ReadStep("", const(tool.name), arguments)
        if program.has(step) or (plain and len(arguments) > 1):
            continue
        if all(
            _finds(ground, program, step, at, values, plain=plain) for at, values in wanted.items()
        ):
            add_step(ground, program, step)
            added += 1


def _lookups(ground: Ground) -> Iterator[tuple[ToolSpec, dict[str, Term]]]:
    """Reads to try: with one mention, the tools with fewest arguments first; then within a time."""
    reads = [tool for tool in ground.tools.values() if tool.effect == "read"]
    reads.sort(key=lambda each: len(each.arguments))
    said = [c for c in ground.candidates if None not in c.values]
    texts: list[Term] = [
        ("param", each.name) for each in said if each.kind in ("name", "quoted", "address")
    ]
    days: list[Term] = [("param", each.name) for each in said if each.kind == "date"]
    for tool in reads:
        yield from ((tool, {name: text}) for text in texts for name in tool.arguments)
    for tool in reads:
        for one, other in permutations(tool.arguments, 2):
            yield from ((tool, {one: text, other: NOW}) for text in texts)
            yield from ((tool, {one: day, other: day}) for day in days)
            yield from ((tool, {one: _begin(day), other: _end(day)}) for day in days)


def _begin(day: Term) -> Term:
    return fn("at", day, const("00:00:00"))


def _end(day: Term) -> Term:
    return fn("at", day, const("23:59:59"))


def _unexplained(ground: Ground, program: Program, at: int) -> set[str]:
    """What a trace wrote that names one thing, and that no result so far holds."""
    known = leaves(list(program.worlds[at].scope.results.values()))
    known |= {str(value) for value in program.worlds[at].scope.params.values()}
    return {
        str(value)
        for call in ground.examples[at].writes
        for value in call.arguments.values()
        if is_identity(value) and str(value) not in known
    }


def _finds(
    ground: Ground, program: Program, step: ReadStep, at: int, values: set[str], *, plain: bool
) -> bool:
    world = program.worlds[at]
    arguments = {name: world.value(term) for name, term in step.arguments.items()}
    if None in arguments.values():
        return False
    try:
        result = read_result(ground, str(step.tool[1]), arguments, at, None)
    except LookupError:
        return False
    if not isinstance(result, list) or (plain and any(isinstance(row, dict) for row in result)):
        return False
    return not values.isdisjoint(leaves(result))
