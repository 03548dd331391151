"""Programs: the reads and writes of one trace, in terms of parameters and results.

Each trace gives one. Of all the ways to explain a value, those stay that explain the other traces
as well; a program that contradicts a trace is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.experience.learn._atoms import World, constant, explain, world_of
from playhead.experience.learn._conditions import (
    is_identity,
    is_time,
    parameters_in,
    plainest,
    results_in,
    speaks_of_overdue,
)
from playhead.experience.learn._parameters import Candidate, Texts, siblings
from playhead.experience.learn._said import as_said, said_by
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, Probe, ToolSpec
from playhead.experience.routine import PastCall, Term, call_key, const
from playhead.experience.values import equal
from playhead.tape import Json

_TIMES = "seconds?|minutes?|hours?|days?|weeks?|fortnight|months?|quarter|years?|times?|[a-z]+day"
_NO_ROW = rf"(?! (?:\S+ )?(?:{_TIMES}|free|available|slot)\b)"  # `the last 3 days`
_CHOICE_WORDS = said_by(
    (f"latest|newest|most recent|last{_NO_ROW}", ["highest"]),
    (f"(?:earliest|oldest|next|soonest|upcoming|first){_NO_ROW}", ["lowest"]),
    ("most", ["most_common"]),
    ("least|fewest", ["least_common"]),
)


_TIME_WORDS = re.compile(
    r"\b(next|upcoming|soonest|earliest|oldest|latest|newest|(most )?recent|last|first)\b", re.I
)


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
class Ground:
    """What all programs of one set of traces share.

    Args:
        examples: The traces, cleaned.
        texts: Their texts and the parameters.
        tools: The tools by name.
        settings: What may be used.
        probe: Makes reads; None to use the recorded ones alone.
        sizes: How many rows each read gave, by tool and call.
    """

    examples: Sequence[Example]
    texts: Texts
    tools: Mapping[str, ToolSpec]
    settings: LearnSettings
    probe: Probe | None
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def candidates(self) -> list[Candidate]:
        """The parameters."""
        return self.texts.candidates


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


def slot(
    ground: Ground,
    worlds: Sequence[World],
    values: Mapping[int, Json],
    *,
    of: int,
    loosely: bool = False,
) -> list[Term]:
    """The explanations of a value in one trace that hold in the others too.

    Args:
        ground: The traces.
        worlds: What is known on each trace.
        values: The value of this place in each trace that has it.
        of: The trace that is explained.
        loosely: Case does not count, and other traces may have come at it differently.
    """
    value = values[of]
    kept: list[Term] = []
    for joined in (False, *([] if loosely else [True])):
        found = explain(
            worlds[of],
            value,
            loosely=loosely,
            joined=joined,
            candidates=ground.candidates,
            settings=ground.settings,
        )
        if loosely:
            kept = plainest(_as_written(_most_holding(worlds, found, values)))
        else:
            kept = [term for term in found if _holding(worlds, term, values) == len(values)]
            kept = as_said(_CHOICE_WORDS, plainest(kept), ground.texts.texts)
            kept = _in_time(ground, worlds[of], kept)
        if kept:
            break
    kept = _as_mentioned(kept, value)
    if loosely:
        kept = _alike(worlds, kept)
    same = all(_same(value, other, loosely=loosely) for other in values.values())
    if same or (loosely and not kept):
        said = any(parameters_in(term) for term in kept)
        if not said and not is_identity(value):
            kept.append(constant(value))
    return kept[: ground.settings.explanations]


def _in_time(ground: Ground, world: World, terms: list[Term]) -> list[Term]:
    """Of rows chosen by a member, those chosen by a time, where all texts have a word for that."""
    if not all(_TIME_WORDS.search(text.text) for text in ground.texts.texts):
        return terms
    return [term for term in terms if _is_timely(world, term)] or terms


def _is_timely(world: World, term: Term) -> bool:
    if term[0] != "result" or not isinstance(term[3], tuple):
        return False
    rows = world.scope.results.get(term[1])
    return is_time([row.get(term[3][1]) for row in rows or () if isinstance(row, dict)])


def _as_mentioned(terms: Sequence[Term], value: Json) -> list[Term]:
    """What the task says is not a coincidence of some row, unless it names one thing."""
    said = [term for term in terms if parameters_in(term) and not results_in(term)]
    return said if said and not is_identity(value) else list(terms)


def _alike(worlds: Sequence[World], terms: Sequence[Term]) -> list[Term]:
    """The explanation that has a value in most traces, and those that never differ from it."""
    values = {term: [world.value(term) for world in worlds] for term in terms}
    ranked = sorted(terms, key=lambda term: sum(v is None for v in values[term]))
    return [
        term
        for term in ranked
        if all(
            one is None or other is None or _same(one, other, loosely=True)
            for one, other in zip(values[ranked[0]], values[term], strict=True)
        )
    ]


def _as_written(terms: Sequence[Term]) -> list[Term]:
    """Without other spellings of what is there as it was written."""
    spelt = ("lower", "title", "capital")
    return [
        term for term in terms if not (term[0] == "fn" and term[1] in spelt and term[2][0] in terms)
    ]


def _most_holding(
    worlds: Sequence[World], terms: Sequence[Term], values: Mapping[int, Json]
) -> list[Term]:
    """The terms that hold in most traces."""
    counts = {term: _holding(worlds, term, values, loosely=True) for term in terms}
    most = max(counts.values(), default=0)
    return [term for term, count in counts.items() if count == most]


def _holding(
    worlds: Sequence[World], term: Term, values: Mapping[int, Json], *, loosely: bool = False
) -> int:
    """In how many traces a term gives the value."""
    return sum(
        (got := worlds[at].value(term)) is not None and _same(got, value, loosely=loosely)
        for at, value in values.items()
    )


def _same(one: Any, other: Any, *, loosely: bool) -> bool:  # noqa: ANN401
    return equal(one, other) if loosely else type(one) is type(other) and bool(one == other)


def agree(terms: Sequence[Term]) -> Term:
    """Terms that have to agree, as one."""
    return terms[0] if len(terms) == 1 else ("agree", tuple(terms))


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
            world.learn(step.state, [row for part in parts for row in part])
        else:
            world.learn(step.state, read_result(ground, str(tool), arguments, at, aligned))
    except LookupError:
        program.failed.add(at)


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
    """How many rows a tool shows at most, if several of its results stop at that many."""
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
