"""From traces of one kind of task to one experience, or to the reasons why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from playhead.experience.document import Experience
from playhead.experience.learn._compose import Branch, Plan, compose, validated
from playhead.experience.learn._guards import (
    guards,
    sounds_conditional,
    speaks_of_another_way,
    stated_guards,
    unspent,
)
from playhead.experience.learn._lookups import (
    add_directories,
    add_lookups,
    add_reads_of_others,
)
from playhead.experience.learn._parameters import read_texts
from playhead.experience.learn._program import (
    Ground,
    Program,
    ReadStep,
    agree,
    make_program,
    needed_steps,
)
from playhead.experience.learn._searches import add_narrower, add_searches
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, Probe, ToolSpec
from playhead.experience.learn._validate import Verdict, others, replayed
from playhead.experience.learn._writes import write_blocks
from playhead.experience.routine import Term

Reach: TypeAlias = Literal["own", "others", "stated"]
"""What a program may use: the reads of its own trace alone; those of others and new ones for what
is written; those of others for a condition too, if the texts state it."""

_UNTOLD = ("no condition tells when it writes", "no condition is known")
_REACHES: tuple[Reach, ...] = ("own", "others", "stated")  # the first that explains is enough


@dataclass(slots=True)
class Induced:
    """What came of some traces.

    Args:
        experience: The experience; None if there is none.
        reasons: Why not, or what was left out.
    """

    experience: Experience | None = None
    reasons: list[str] = field(default_factory=list)


def induce(
    examples: Sequence[Example],
    tools: Mapping[str, ToolSpec],
    *,
    name: str,
    settings: LearnSettings,
    probe: Probe | None,
    failed: Sequence[Example] = (),
) -> Induced:
    """One experience that explains all of the traces, and that erred on none of them.

    Args:
        examples: The traces.
        tools: The tools by name.
        name: What it is called.
        settings: What may be used.
        probe: Makes reads in a fresh environment.
        failed: Sessions that were judged wrong: what does as they did is not kept.
    """
    wrong = [replace(each, wrong=True) for each in failed]

    def taught_by(given: Sequence[Example]) -> Induced:
        return _taught(given, wrong, tools, name=name, settings=settings, probe=probe)

    result = taught_by(examples)
    if result.experience is None or not settings.leave_one_out:
        return result
    counts: Counter[Verdict] = Counter()
    for at, example in enumerate(examples):
        rest = others(examples, at)
        taught = taught_by(rest) if rest else None
        learnt = taught.experience if taught else None
        verdict = replayed(learnt, example, probe) if learnt else "refused"
        counts[verdict] += 1
        if verdict == "wrong":
            result.reasons.append(f"trace `{example.trace.id}`: what the others teach does not fit")
    if counts["wrong"]:
        return Induced(None, result.reasons)
    result.experience = validated(result.experience, counts)
    return result


def _taught(
    examples: Sequence[Example],
    failed: Sequence[Example],
    tools: Mapping[str, ToolSpec],
    *,
    name: str,
    settings: LearnSettings,
    probe: Probe | None,
) -> Induced:
    """What traces teach that no failed session contradicts.

    If all that explains them would do as a failed one did, that one has to be told apart by a
    condition.
    """
    result = Induced()
    counter: list[Example] = []
    for _ in range(2):
        given = [*examples, *counter]
        result = _explain(given, tools, name=name, settings=settings, probe=probe, failed=failed)
        repeated = [each for each in failed if _does(result.experience, each, probe)]
        if not repeated:
            return result
        counter = [each for each in repeated if each.writes]
        if not counter:
            break
    result.reasons += [f"it would do as `{each.trace.id}` did, which failed" for each in repeated]
    return Induced(None, result.reasons)


def _does(experience: Experience | None, example: Example, probe: Probe | None) -> bool:
    """Whether an experience does just what a session did."""
    return experience is not None and replayed(experience, example, probe) == "right"


def _explain(
    examples: Sequence[Example],
    tools: Mapping[str, ToolSpec],
    *,
    name: str,
    settings: LearnSettings,
    probe: Probe | None,
    failed: Sequence[Example],
) -> Induced:
    """One experience that explains all of the traces, and does as no failed one if it can."""
    texts = read_texts(examples, tools, settings)
    ground = Ground(examples, texts, tools, settings, probe)
    result = Induced()
    right = [example for example in examples if not example.wrong]
    made: list[Plan | str] = []
    for reach in _REACHES:
        if reach == "stated" and not any(each in _UNTOLD for each in made):
            break
        made = [
            _plan(ground, at, reach=reach) for at, each in enumerate(examples) if not each.wrong
        ]
        plans = [each for each in made if not isinstance(each, str)]
        sound = [each for each in plans if not _fails(ground, each, failed)]
        plans = sound or plans
        if plans and (not settings.refusal_rules or _borne_out(examples, plans)):
            result.experience = compose(ground, plans, name=name)
            break
    result.reasons += [
        f"trace `{example.trace.id}`: {each}"
        for example, each in zip(right, made, strict=True)
        if isinstance(each, str)
    ]
    return result


def _fails(ground: Ground, plan: Plan, failed: Sequence[Example]) -> bool:
    """Whether a program does as a failed session did."""
    if not failed:
        return False
    alone = compose(ground, [plan], name="alone")
    return any(_does(alone, each, ground.probe) for each in failed)


def _borne_out(examples: Sequence[Example], plans: Sequence[Plan]) -> bool:
    """Whether what is left undone has a reason in most traces, if that is all that they show.

    A session that stopped too early looks like one that rightly did nothing.
    """
    right = [example for example in examples if not example.wrong]
    return any(example.writes for example in right) or 3 * len(plans) >= 2 * len(right)


def _plan(ground: Ground, at: int, *, reach: Reach) -> Plan | str:
    """The program of one trace, with a branch for each way in which traces ended."""
    example = ground.examples[at]
    if not example.reads and not example.writes and ground.settings.refusal_rules:
        return "it did nothing, and shows no reason why"
    program = make_program(ground, at, example.reads)
    clusters = _clusters(ground.examples)
    branches = _branches(ground, program, clusters)
    for extend in (add_reads_of_others, add_directories, add_searches, add_lookups):
        if branches is None and reach != "own":
            extend(ground, program)
            branches = _branches(ground, program, clusters)
    if add_narrower(ground, program, _written(branches or [])):
        branches = _branches(ground, program, clusters) or branches
    if branches is None:
        return "it does not explain what is written"
    idle = clusters.get((), [])
    made = _guarded(ground, program, branches, idle)
    if isinstance(made, str) and reach == "stated":
        made = _guarded(ground, program, branches, idle, stated=True)
    if isinstance(made, str) and reach == "stated":
        add_reads_of_others(ground, program)
        made = _guarded(ground, program, branches, idle, stated=True)
    return made


def _branches(
    ground: Ground, program: Program, clusters: Mapping[tuple[str, ...], list[int]]
) -> list[Branch] | None:
    """What is written, in each way in which traces wrote; None if that is not explained."""
    branches: list[Branch] = []
    for signature, members in clusters.items():
        groups = _groups(ground, program, members) if signature else []
        if groups is None:
            return None
        branches += groups
    return branches


def _written(branches: Sequence[Branch]) -> list[Term]:
    """The terms of all that is written."""
    return [term for branch in branches for block in branch.blocks for term in block.terms]


def _clusters(examples: Sequence[Example]) -> dict[tuple[str, ...], list[int]]:
    clusters: dict[tuple[str, ...], list[int]] = {}
    for at, example in enumerate(examples):
        if not example.wrong:
            clusters.setdefault(example.signature, []).append(at)
    return clusters


def _groups(ground: Ground, program: Program, members: Sequence[int]) -> list[Branch] | None:
    """Traces that wrote with the same tools: all alike, or in two ways."""
    blocks = write_blocks(ground, program.worlds, members)
    if blocks is not None:
        return [Branch(blocks, list(members))]
    groups: list[list[int]] = []
    for member in members:
        for group in groups:
            if write_blocks(ground, program.worlds, [*group, member]) is not None:
                group.append(member)
                break
        else:
            groups.append([member])
    made = [(write_blocks(ground, program.worlds, group), group) for group in groups]
    if len(groups) > 2 or not ground.settings.branches:
        return None
    branches = [Branch(blocks, group) for blocks, group in made if blocks is not None]
    return branches if len(branches) == len(groups) else None


def _guarded(
    ground: Ground,
    program: Program,
    branches: list[Branch],
    idle: list[int],
    *,
    stated: bool = False,
) -> Plan | str:
    """The conditions of the branches.

    Args:
        ground: The traces.
        program: The reads.
        branches: What is written.
        idle: Traces that wrote nothing.
        stated: What the texts say in so many words is enough; where nothing was written, needed.
    """
    idle = [at for at in idle if not _loops_over_nothing(program, branches, at)]
    wrong = [at for at, example in enumerate(ground.examples) if example.wrong]
    traces = {*idle, *wrong, *(at for branch in branches for at in branch.members)}
    terms = [term for step in program.steps for term in step.terms]
    written = _written(branches)
    live = {step.state for step in needed_steps(program, written)}
    idle_reads = {
        step.state
        for step in program.steps
        if step.state not in live
        and not step.added
        and not (is_lookup(program, step) and not branches)
        and not _is_replaced(program, step, live, loosely=not sounds_conditional(ground))
    }
    left = unspent(ground, [*terms, *written])
    told_apart = any(example.wrong for example in ground.examples)
    several = told_apart or len(branches) + bool(idle) > 1
    if branches and not several and not sounds_conditional(ground):
        idle_reads = set()  # somebody looked, but was not told to decide anything
    otherwise = sounds_conditional(ground) and speaks_of_another_way(ground, [*terms, *written])
    needs = several or bool(idle_reads) or bool(left) or otherwise or not branches
    if not needs or not ground.settings.branches:
        if not branches:
            return "nothing was written, and nothing tells when something would be"
        return Plan(program, branches[:1], None, False)
    if not ground.settings.refusal_rules:
        left, idle_reads = set(), set()
    for branch in branches or [Branch([], [])]:
        labels = {at: at in branch.members for at in traces}
        found: list[Term] = []
        if branches or not stated:
            found = guards(ground, program, labels, parameters=left, reads=idle_reads)
        if stated and not found:
            found = stated_guards(ground, program, labels, parameters=left)
        if not found:
            if branches and not several and not sounds_conditional(ground) and not left:
                continue
            return _UNTOLD[0] if branches else _UNTOLD[1]
        branch.guard = agree(found)
    if not branches:
        return Plan(program, [], agree(found), True)
    inferred = (
        not told_apart
        and len(branches) == 1
        and not speaks_of_another_way(ground, [*terms, *written])
    )
    return Plan(program, branches, None, bool(idle) or inferred)


def _is_replaced(program: Program, step: ReadStep, live: set[str], *, loosely: bool) -> bool:
    """Whether a read that is used shows the same as one that is not, or a part of it.

    Where no text speaks of a condition, any read with the same tool was the same put differently.
    """
    shown = program.worlds[program.of].scope.results
    used = [each for each in program.steps if each.state in live]
    return any(
        (each.tool == step.tool and (loosely or step.arguments.items() <= each.arguments.items()))
        or (step.state in shown and shown[step.state] == shown.get(each.state))
        for each in used
    )


def _loops_over_nothing(program: Program, branches: Sequence[Branch], at: int) -> bool:
    """Whether a trace that wrote nothing needs no other reason than that no row was due."""
    return len(branches) == 1 and all(
        block.rows is not None and program.worlds[at].value(block.rows) == []
        for block in branches[0].blocks
    )


def is_lookup(program: Program, step: ReadStep) -> bool:
    """Whether a read turns one value into another, as a directory does."""
    results = [world.scope.results.get(step.state) for world in program.worlds]
    return any(isinstance(found, list) for found in results) and not any(
        isinstance(row, dict) for found in results if isinstance(found, list) for row in found
    )
