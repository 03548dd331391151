"""From traces of one kind of task to one experience, or to the reasons why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from playhead.experience.document import Experience
from playhead.experience.learn._branches import (
    UNTOLD,
    branches_of,
    clusters_of,
    guarded,
    written_by,
)
from playhead.experience.learn._compose import Plan, compose, validated
from playhead.experience.learn._conditions import is_time
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._lookups import (
    add_directories,
    add_lookups,
    add_reads_of_others,
)
from playhead.experience.learn._parameters import read_texts
from playhead.experience.learn._program import make_program
from playhead.experience.learn._searches import add_narrower, add_searches
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, Probe, ToolSpec
from playhead.experience.learn._unheeded import unheeded
from playhead.experience.learn._validate import Verdict, others, replayed
from playhead.experience.routine import Term

Reach: TypeAlias = Literal["own", "others", "stated"]
"""What a program may use: the reads of its own trace alone; those of others and new ones for what
is written; those of others for a condition too, if the texts state it."""

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
        if reach == "stated" and not any(each in UNTOLD for each in made):
            break
        made = [
            _plan(ground, at, reach=reach) for at, each in enumerate(examples) if not each.wrong
        ]
        plans = [each for each in made if not isinstance(each, str)]
        sound = [each for each in plans if not _fails(ground, each, failed)]
        plans = _timeless(sound or plans)
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


def _timeless(plans: list[Plan]) -> list[Plan]:
    """Without those that need a day of their own trace where others explain as much with none."""
    return [plan for plan in plans if not any(map(_is_some_day, plan.terms))] or plans


def _is_some_day(term: Term) -> bool:
    return bool(term[0] == "const" and is_time([term[1]]))


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
    clusters = clusters_of(ground.examples)
    branches = branches_of(ground, program, clusters)
    for extend in (add_reads_of_others, add_directories, add_searches, add_lookups):
        if branches is None and reach != "own":
            extend(ground, program)
            branches = branches_of(ground, program, clusters)
    if add_narrower(ground, program, written_by(branches or [])):
        branches = branches_of(ground, program, clusters) or branches
    if branches is None:
        return "it does not explain what is written"
    idle = clusters.get((), [])
    made = guarded(ground, program, branches, idle)
    if isinstance(made, str) and reach == "stated":
        made = guarded(ground, program, branches, idle, stated=True)
    if isinstance(made, str) and reach == "stated":
        add_reads_of_others(ground, program)
        made = guarded(ground, program, branches, idle, stated=True)
    if isinstance(made, Plan) and ground.settings.refusal_rules:
        return unheeded(ground, made) or made
    return made
