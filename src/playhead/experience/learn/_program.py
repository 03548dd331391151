"""Programs: the reads and writes of one trace, in terms of parameters and results.

Each trace gives one. Of all the ways to explain a value, those stay that explain the other traces
as well; a program that contradicts a trace is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.experience.learn._atoms import World, world_of
from playhead.experience.learn._conditions import is_time, speaks_of_overdue
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._options import siblings
from playhead.experience.learn._slots import agree, slot
from playhead.experience.routine import PastCall, Term, call_key, const, parameters_in, results_in
from playhead.tape import Json


@dataclass(slots=True)
class ReadStep:
    """A read: its tool and arguments as terms.

    Args:
        state: Its name.
        tool: The tool.
        arguments: The arguments.
        added: Whether the program's own trace lacks it.
        spread: An argument and its values, if it is made once for each; the rows are put together.
    """

    state: str
    tool: Term
    arguments: dict[str, Term]
    added: bool = False
    spread: tuple[str, tuple[str, ...]] | None = None

    @property
    def terms(self) -> list[Term]:
        """All of its terms."""
        return [self.tool, *self.arguments.values()]


@dataclass(slots=True)
class Program:
    """The reads of a program, and what they give on every trace.

    Args:
        of: The number of the trace that it is made from.
        worlds: What is known on each trace after all reads.
        steps: The reads.
        failed: The traces on which a read could not be made.
    """

    of: int
    worlds: list[World]
    steps: list[ReadStep] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)

    def has(self, step: ReadStep) -> bool:
        """Whether it makes the same read already."""
        wanted = (step.tool, step.arguments, step.spread)
        return any((each.tool, each.arguments, each.spread) == wanted for each in self.steps)


def make_program(ground: Ground, of: int, reads: Sequence[PastCall]) -> Program:
    """The reads of one trace as terms, made on every trace."""
    worlds = [
        world_of(example.trace.now, ground.candidates, at)
        for at, example in enumerate(ground.examples)
    ]
    program = Program(of, worlds)
    used: list[set[int]] = [set() for _ in ground.examples]
    for read in reads:
        aligned = [_aligned(ground, read, at, used[at]) for at in range(len(ground.examples))]
        step = read_step(ground, program, read, aligned)
        if step is not None:
            program.steps.append(step)
            for at in range(len(ground.examples)):
                make_read(ground, program, step, at, aligned[at])
    return program


def _aligned(ground: Ground, read: PastCall, at: int, used: set[int]) -> PastCall | None:
    """The read of another trace that stands where this one does."""
    like = siblings(ground.tools[read.tool], ground.tools)
    theirs = ground.examples[at].reads
    for same in (lambda tool: tool == read.tool, lambda tool: tool in like):
        for number, other in enumerate(theirs):
            if number not in used and same(other.tool):
                used.add(number)
                return other
    return None


def read_step(
    ground: Ground, program: Program, read: PastCall, aligned: Sequence[PastCall | None]
) -> ReadStep | None:
    tool = _tool_term(ground, program, read, aligned)
    arguments: dict[str, Term] = {}
    for name, value in read.arguments.items():
        values = {
            at: call.arguments[name]
            for at, call in enumerate(aligned)
            if call is not None and name in call.arguments
        } | {program.of: value}
        terms = slot(ground, program.worlds, values, of=program.of, loosely=True)
        if not terms:
            return None
        arguments[name] = agree(terms)
    days = {
        name for name in arguments if _is_some_day(ground, read.arguments[name], arguments[name])
    }
    if days < set(arguments):
        arguments = {name: term for name, term in arguments.items() if name not in days}
    return ReadStep(f"read_{len(program.steps) + 1}", tool, arguments)


def _is_some_day(ground: Ground, value: Json, term: Term) -> bool:
    """One day that no text mentions, where all that is overdue is meant: it may be due any day."""
    if parameters_in(term) or not is_time([value]):
        return False
    return speaks_of_overdue([text.text for text in ground.texts.texts])


def _tool_term(
    ground: Ground, program: Program, read: PastCall, aligned: Sequence[PastCall | None]
) -> Term:
    """The tool, or the parameter that names it."""
    fixed = const(read.tool)
    if not ground.settings.typed_mentions:
        return fixed
    like = set(siblings(ground.tools[read.tool], ground.tools))
    scores: dict[Term, int] = {}
    for each in ground.candidates:
        if each.kind != "option" or each.values[program.of] != read.tool:
            continue
        if all(value in like for value in each.values if value is not None):
            pairs = zip(each.values, aligned, strict=True)
            agreeing = sum(call is not None and call.tool == value for value, call in pairs)
            scores["param", each.name] = agreeing
    return max(scores, key=lambda term: scores[term]) if scores else fixed


def make_read(
    ground: Ground, program: Program, step: ReadStep, at: int, aligned: PastCall | None
) -> None:
    """Make the read on a trace."""
    world = program.worlds[at]
    tool = world.value(step.tool)
    arguments = {name: world.value(term) for name, term in step.arguments.items()}
    if tool is None or None in arguments.values():
        program.failed.add(at)
        return
    try:
        if step.spread is not None:
            parts = spread_results(ground, step, arguments, at)
            result: Json = [row for part in parts for row in part]
        else:
            result = read_result(ground, str(tool), arguments, at, aligned)
    except LookupError:
        program.failed.add(at)
        return
    world.learn(step.state, result)
    world.asked[step.state] = step.tool, step.arguments


def add_step(ground: Ground, program: Program, step: ReadStep) -> None:
    """Another read, made on every trace."""
    step.state, step.added = f"read_{len(program.steps) + 1}", True
    program.steps.append(step)
    for at in range(len(ground.examples)):
        make_read(ground, program, step, at, None)


def spread_results(
    ground: Ground, step: ReadStep, arguments: Mapping[str, Json], at: int
) -> list[list[Any]]:
    """The rows for each value of an argument."""
    name, values = step.spread or ("", ())
    parts = [
        read_result(ground, str(step.tool[1]), {**arguments, name: value}, at, None)
        for value in values
    ]
    return [part for part in parts if isinstance(part, list)]


def cut_at(ground: Ground, tool: str) -> int | None:
    """How many rows a tool shows at most: as it says, or if several results stop at that many."""
    stated = ground.tools[tool].most if tool in ground.tools else None
    if stated is not None:
        return stated
    sizes = list(ground.sizes.get(tool, {}).values())
    most = max(sizes, default=0)
    return most if most > 1 and sizes.count(most) > 1 else None


def read_result(
    ground: Ground,
    tool: str,
    arguments: Mapping[str, Json],
    at: int,
    aligned: PastCall | None,
) -> Any:  # noqa: ANN401
    """What a read gives: as it was recorded, or made again."""
    found = _read_result(ground, tool, arguments, at, aligned)
    if isinstance(found, list):
        ground.sizes.setdefault(tool, {})[call_key(tool, arguments)] = len(found)
    return found


def _read_result(
    ground: Ground,
    tool: str,
    arguments: Mapping[str, Json],
    at: int,
    aligned: PastCall | None,
) -> Any:  # noqa: ANN401
    key = call_key(tool, arguments)
    for call in ground.examples[at].reads:
        if call_key(call.tool, call.arguments) == key:
            return call.result
    if ground.probe is not None:
        return ground.probe(tool, arguments)
    if aligned is not None and aligned.tool == tool:
        return aligned.result
    raise LookupError(tool)


def needed_steps(program: Program, terms: Sequence[Term]) -> list[ReadStep]:
    """The reads that some terms depend on, in their order."""
    wanted = set().union(*(results_in(term) for term in terms)) if terms else set()
    for step in reversed(program.steps):
        if step.state in wanted:
            for term in step.terms:
                wanted |= results_in(term)
    return [step for step in program.steps if step.state in wanted]
