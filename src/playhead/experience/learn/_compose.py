"""Writing what was found as an experience document."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.experience.document import (
    Experience,
    Validation,
    experience_of,
)
from playhead.experience.learn._candidates import Candidate
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._order import comes_first
from playhead.experience.learn._program import Program, ReadStep, cut_at, needed_steps
from playhead.experience.learn._searches import is_cut
from playhead.experience.learn._validate import Verdict
from playhead.experience.learn._writes import Block
from playhead.experience.routine import Term, const, expression_of, fn, parameters_in, results_in
from playhead.tape import Json

_KEPT_ROUTINES = 8
_OPTIONAL = ("name", "direction")  # of these a text may say more, if nothing was made of them


@dataclass(slots=True)
class Branch:
    """What is written under a condition."""

    blocks: list[Block]
    members: list[int]
    guard: Term | None = None


@dataclass(slots=True)
class Plan:
    """A program with its branches.

    Args:
        program: The reads.
        branches: The writes.
        unwritten: Where no trace wrote: the condition under which something would be due.
        idle: Nothing is to be done where no branch is taken.
    """

    program: Program
    branches: list[Branch]
    unwritten: Term | None = None
    idle: bool = False

    @property
    def terms(self) -> list[Term]:
        """All terms that count."""
        written = [t for b in self.branches for block in b.blocks for t in block.terms]
        conditions = [b.guard for b in self.branches if b.guard is not None]
        conditions += [] if self.unwritten is None else [self.unwritten]
        reads = needed_steps(self.program, [*written, *conditions])
        return [*written, *conditions, *(term for step in reads for term in step.terms)]


@dataclass(slots=True)
class _Writer:
    """States of one routine."""

    ground: Ground
    plan: Plan
    states: dict[str, Any] = field(default_factory=dict)

    def routine(self) -> dict[str, Any]:
        conditions = [b.guard for b in self.plan.branches if b.guard is not None]
        if self.plan.unwritten is not None:
            conditions.append(self.plan.unwritten)
        first = needed_steps(self.plan.program, [*conditions, *self._shared()])
        names = [step.state for step in first]
        for step, following in zip(first, [*names, "choose"][1:], strict=True):
            self.states[step.state] = self._read(step, [{"to": following}])
        start = names[0] if names else "choose"
        if conditions:
            self._choose(names)
        else:
            start = self._branch(self.plan.branches[0], 1, [])
        return {"start": start, "states": self.states}

    def _shared(self) -> list[Term]:
        """What is written in all branches if there are several: its reads come before the choice.

        A state leads to one branch only.
        """
        branches = self.plan.branches if len(self.plan.branches) > 1 else []
        return [t for each in branches for block in each.blocks for t in block.terms]

    def _choose(self, known: list[str]) -> None:
        going: list[dict[str, Any]] = []
        self.states["choose"] = {"next": going}
        if self.plan.unwritten is not None:
            going.append({"when": _plain(self.plan.unwritten), "to": "unknown"})
            self.states["unknown"] = {"refuse": "no trace shows what is done then"}
        for number, branch in enumerate(self.plan.branches, 1):
            to = self._branch(branch, number, known)
            going.append(
                {"to": to} if branch.guard is None else {"when": _plain(branch.guard), "to": to}
            )
        if self.plan.idle:
            going.append({"to": "nothing"})
            self._nothing()

    def _nothing(self) -> None:
        self.states["nothing"] = {"finish": {"noop": True}}

    def _branch(self, branch: Branch, number: int, known: list[str]) -> str:
        """The states of a branch: its reads, its writes; gives the first."""
        written = [term for block in branch.blocks for term in block.terms]
        steps = needed_steps(self.plan.program, written)
        steps = [step for step in steps if step.state not in known]
        calls = [f"write_{number}_{at}" for at in range(1, len(branch.blocks) + 1)]
        order = [step.state for step in steps] + calls + ["done"]
        following = dict(itertools.pairwise(order))
        for step in steps:
            going: list[dict[str, Any]] = [{"to": following[step.state]}]
            if self.ground.settings.nothing_found and self._chooses(step, written):
                empty = fn("empty", ("result", step.state, None, None, ()))
                going.insert(0, {"when": _plain(empty), "to": "nothing"})
                self._nothing()
            self.states[step.state] = self._read(step, going)
        for name, block in zip(calls, branch.blocks, strict=True):
            self.states[name] = _write(block, following[name])
        self.states["done"] = {"finish": {}}
        return order[0]

    def _read(self, step: ReadStep, following: list[dict[str, Any]]) -> dict[str, Any]:
        """A state that reads; where all rows are needed, none may have been cut off."""
        fixed = step.tool[0] == "const"
        arguments = {name: _plain(term) for name, term in step.arguments.items()}
        call: dict[str, Any] = {"tool": step.tool[1] if fixed else {"choose": _plain(step.tool)}}
        if fixed and (most := cut_at(self.ground, step.tool[1])) and self._needs_all(step):
            call["cut_at"] = most
        if step.spread is None:
            return {"call": call | {"arguments": arguments}, "next": following}
        name, values = step.spread
        call["arguments"] = arguments | {name: _plain(("item", ()))}
        return {"for_each": {"rows": _plain(const(list(values))), "do": [call]}, "next": following}

    def _needs_all(self, step: ReadStep) -> bool:
        """Whether a loop goes over the rows, or one is chosen and never was where some lack."""
        blocks = [block for branch in self.plan.branches for block in branch.blocks]
        if any(step.state in results_in(block.rows) for block in blocks):
            return True
        written = [term for block in blocks for term in block.arguments.values()]
        chosen = self._chooses(step, written)
        if not chosen or is_cut(self.ground, self.plan.program, step):
            return False
        about = [term for term in written if step.state in results_in(term)]
        return not all(comes_first(self.plan.program, step.state, term) for term in about)

    def _chooses(self, step: ReadStep, written: Sequence[Term]) -> bool:
        """Whether what is written is chosen among the rows of a read."""
        rows = [
            row
            for world in self.plan.program.worlds
            if isinstance(found := world.scope.results.get(step.state), list)
            for row in found
        ]
        direct = any(step.state in results_in(term) for term in written)
        return direct and any(isinstance(row, dict) for row in rows)


def _write(block: Block, following: str) -> dict[str, Any]:
    call = {
        "tool": block.tool,
        "arguments": {name: _plain(term) for name, term in block.arguments.items()},
    }
    going = [{"to": following}]
    if block.rows is None:
        return {"call": call, "next": going}
    return {"for_each": {"rows": _plain(block.rows), "do": [call]}, "next": going}


def _plain(term: Term) -> dict[str, Json]:
    made: dict[str, Json] = expression_of(term).model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    return made


def compose(ground: Ground, plans: Sequence[Plan], *, name: str) -> Experience:
    """The document: the smallest program is its routine, the others have to agree with it."""
    ordered = sorted(plans, key=lambda plan: len(repr(plan.terms)))[:_KEPT_ROUTINES]
    routines: list[dict[str, Any]] = []
    for plan in ordered:
        routine = _Writer(ground, plan).routine()
        if routine not in routines:
            routines.append(routine)
    used = {p for plan in ordered for term in plan.terms for p in parameters_in(term)}
    called = _called(ground, ordered)
    document: dict[str, Any] = {
        "experience": 1,
        "name": name,
        "parameters": _parameters(ground, used),
        "tools": {tool: _requirement(ground, tool) for tool in sorted(called)},
        "scope": _scope(ground, used),
        "routine": routines[0],
        "others": routines[1:],
        "evidence": _evidence(ground),
    }
    return experience_of(document)


def _called(ground: Ground, plans: Sequence[Plan]) -> set[str]:
    called: set[str] = set()
    for plan in plans:
        called |= {block.tool for branch in plan.branches for block in branch.blocks}
        for step in plan.program.steps:
            if step.tool[0] == "const":
                called.add(step.tool[1])
            else:
                called |= _tools_of(ground, step.tool[1])
    return called


def _tools_of(ground: Ground, parameter: str) -> set[str]:
    for each in ground.candidates:
        if each.name == parameter:
            values = {str(o.value) for source in each.sources for o in source.options}
            return values & set(ground.tools)
    return set()


def _requirement(ground: Ground, tool: str) -> dict[str, Any]:
    spec = ground.tools[tool]
    return {"effect": spec.effect} | ({"digest": spec.digest} if spec.digest else {})


def _parameters(ground: Ground, used: set[str]) -> dict[str, Any]:
    return {
        each.name: {
            "schema": _schema(each.values),
            "sources": [
                {"mention": mention.model_dump(mode="json", exclude_defaults=True)}
                for mention in each.sources
            ],
        }
        | ({} if each.default is None else {"default": each.default})
        for each in ground.candidates
        if each.name in used or _tells_another(each, ground, used)
    }


def _tells_another(one: Candidate, ground: Ground, used: set[str]) -> bool:
    """Whether a parameter that is used is what the words of this one and of others leave."""
    kinds = {
        each.kind
        for each in ground.candidates
        if each.name in used and any(source.rest for source in each.sources)
    }
    return one.kind in kinds and not any(source.nth is not None for source in one.sources)


def _schema(values: Sequence[Any]) -> dict[str, Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        return {"type": "number"}
    return {"type": "string"}


def _scope(ground: Ground, used: set[str]) -> dict[str, Any]:
    kinds = {each.kind for each in ground.candidates if each.name in used}
    counts = {
        kind: seen
        for kind, seen in ground.texts.counts.items()
        if ground.settings.refusal_rules and (kind not in _OPTIONAL or kind in kinds)
    }
    return {
        "examples": [each.trace.task for each in ground.examples if not each.wrong],
        "mentions": {kind: list(seen) for kind, seen in counts.items()},
        "words": list(ground.texts.known),
    }


def _evidence(ground: Ground) -> dict[str, Any]:
    """The traces that it was made from."""
    traces = [
        {"tape": each.trace.id} | ({"head": each.trace.head} if each.trace.head else {})
        for each in ground.examples
        if not each.wrong
    ]
    return {"traces": traces}


def validated(experience: Experience, counts: Counter[Verdict]) -> Experience:
    """The document with what leave-one-out gave."""
    found = Validation(
        played=sum(counts.values()),
        right=counts["right"],
        wrong=counts["wrong"],
        refused=counts["refused"],
    )
    evidence = experience.evidence.model_copy(update={"validation": found})
    return experience.model_copy(update={"evidence": evidence})
