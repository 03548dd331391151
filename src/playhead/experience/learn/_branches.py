"""In which ways traces wrote, and the conditions that tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playhead.experience.learn._compose import Branch, Plan
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._guards import (
    guards,
    sounds_conditional,
    speaks_of_another_way,
    stated_guards,
    undecided,
    unspent,
)
from playhead.experience.learn._program import Program, ReadStep, needed_steps
from playhead.experience.learn._slots import agree
from playhead.experience.learn._trace import Example
from playhead.experience.learn._writes import write_blocks
from playhead.experience.routine import Term

UNTOLD = ("no condition tells when it writes", "no condition is known")


def branches_of(
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


def written_by(branches: Sequence[Branch]) -> list[Term]:
    """The terms of all that is written."""
    return [term for branch in branches for block in branch.blocks for term in block.terms]


def clusters_of(examples: Sequence[Example]) -> dict[tuple[str, ...], list[int]]:
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


def guarded(
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
    written = written_by(branches)
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
    left |= undecided(ground, [*terms, *written]) if branches else set()
    several = bool(wrong) or len(branches) + bool(idle) > 1
    if branches and not several and not sounds_conditional(ground):
        idle_reads = set()  # somebody looked, but was not told to decide anything
    needs = several or bool(idle_reads) or bool(left) or sounds_conditional(ground) or not branches
    if not needs or not ground.settings.branches:
        if not branches:
            return "nothing was written, and nothing tells when something would be"
        return Plan(program, branches[:1], None, False)
    if not ground.settings.refusal_rules:
        left, idle_reads = set(), set()
    for branch in branches or [Branch([], [])]:
        labels = {at: at in branch.members for at in traces}
        found: list[Term] = []
        if len(traces) > 1 and (branches or not stated):  # one alone shows no difference
            found = guards(ground, program, labels, parameters=left, reads=idle_reads)
        if stated and not found:
            found = stated_guards(ground, program, labels, parameters=left)
        if _is_split(branches) and not sounds_conditional(ground):
            found = found if any(map(_shows_something, found)) else []
        if not found:
            if branches and not several and not sounds_conditional(ground) and not left:
                continue
            return UNTOLD[0] if branches else UNTOLD[1]
        branch.guard = agree(found)
    if not branches:
        return Plan(program, [], agree(found), True)
    inferred = (
        not wrong and len(branches) == 1 and not speaks_of_another_way(ground, [*terms, *written])
    )
    return Plan(program, branches, None, bool(idle) or inferred)


def _is_split(branches: Sequence[Branch]) -> bool:
    """Whether several branches write with the same tools."""
    tools = [tuple(block.tool for block in branch.blocks) for branch in branches]
    return len(set(tools)) < len(tools)


def _shows_something(condition: Term) -> bool:
    """Whether a condition is more than that nothing was found."""
    return bool(condition[1] != "empty")


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
