"""The door of learning: tapes in, experiences out, and what was left aside with the reasons."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from playhead.environment import Environment
from playhead.errors import ExperienceError
from playhead.experience.checks import case_of, mine
from playhead.experience.document import Experience
from playhead.experience.learn._describe import described
from playhead.experience.learn._group import (
    grouped,
    likeness,
    parted,
    related,
    writing_alike,
)
from playhead.experience.learn._induce import Induced, induce
from playhead.experience.learn._probing import Probing
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._tapes import tools_of_tapes, trace_of_tape, was_played
from playhead.experience.learn._trace import Example, Probe, ToolSpec, Trace, clean
from playhead.experience.learn._validate import replayed
from playhead.experience.values import words_of
from playhead.tape import Tape


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Traces of which no experience was made.

    Args:
        traces: Their tapes.
        reasons: What stands in the way.
    """

    traces: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning.

    Args:
        experiences: Experiences that explain their traces and erred on none.
        quarantined: The traces that gave none.
        skipped: Tapes that cannot be learnt from, each with the reason.
    """

    experiences: tuple[Experience, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)


def learn(
    tapes: Iterable[Tape],
    *,
    environment: Callable[[], Environment] | None = None,
    name: str | None = None,
    now: str | None = None,
    settings: LearnSettings | None = None,
    failed: Iterable[Tape | Trace] = (),
) -> Learned:
    """Learn from recorded sessions, without a model.

    Tapes of one kind of task are found by what they say and do. A play of an experience is no
    trace of its own; it is left out.

    Args:
        tapes: Sessions that did what was asked.
        environment: Makes a fresh environment. With it, reads are made again, so that much more
            can be told apart; nothing but reads is ever asked of it.
        name: All tapes are of one kind of task, and the experience is called so.
        now: The clock of the world that the sessions saw; when each task was given if not said.
        settings: What the learner may use.
        failed: Sessions that were judged wrong. What would do as they did is not kept, and where
            only a condition tells them from the right ones, that condition is found.

    Raises:
        ExperienceError: There is nothing to learn from, or a tape lacks what is needed.
    """
    given = list(tapes)
    played = {tape.id: "it is the play of an experience" for tape in given if was_played(tape)}
    used = [tape for tape in given if tape.id not in played]
    if not used:
        raise ExperienceError("no tape to learn from: give sessions that did what was asked")
    traces = [trace_of_tape(tape, now=now) for tape in used]
    wrong = [_wrong_trace(each, now=now) for each in failed]
    with contextlib.ExitStack() as stack:
        probing = stack.enter_context(Probing(environment)) if environment else None
        tools = probing.tools if probing else tools_of_tapes(used)
        probe = probing.read if probing else None
        learnt = learn_traces(
            traces, tools, probe=probe, name=name, settings=settings, failed=wrong
        )
    return Learned(learnt.experiences, learnt.quarantined, {**learnt.skipped, **played})


def _wrong_trace(session: Tape | Trace, *, now: str | None) -> Trace:
    return session if isinstance(session, Trace) else trace_of_tape(session, now=now)


def learn_traces(
    traces: Sequence[Trace],
    tools: dict[str, ToolSpec],
    *,
    probe: Probe | None = None,
    name: str | None = None,
    settings: LearnSettings | None = None,
    failed: Sequence[Trace] = (),
) -> Learned:
    """Learn from traces.

    Args:
        traces: Sessions that did what was asked.
        tools: The tools of their world.
        probe: Makes a read in a fresh environment.
        name: All traces are of one kind of task, and the experience is called so.
        settings: What the learner may use.
        failed: Sessions that were judged wrong.
    """
    examples = [clean(trace, tools) for trace in traces if trace.finished]
    skipped = {trace.id: "it did not come to its end" for trace in traces if not trace.finished}
    cleaned = [clean(trace, tools) for trace in failed]
    wrong = [each for each in cleaned if each.writes or each.trace.finished]
    rules = settings or LearnSettings()

    def made_of(group: Sequence[int]) -> Induced:
        members = [examples[at] for at in group]
        called = name or _name(members)
        return induce(members, tools, name=called, settings=rules, probe=probe, failed=wrong)

    found = [(group, made_of(group)) for group in _one(examples, name)]
    if not name:
        found = _joined(examples, _parted(examples, found, made_of, probe), made_of)
    kept: list[Experience] = []
    aside: list[Quarantined] = []
    for group, made in found:
        members = [examples[at] for at in group]
        if made.experience is None:
            ids = tuple(each.trace.id for each in members)
            aside.append(Quarantined(ids, tuple(made.reasons) or ("nothing explains it",)))
        else:
            free = _free(made.experience.name, {each.name for each in kept})
            named = made.experience.model_copy(update={"name": free})
            kept.append(_checked(described(named), members))
    return Learned(tuple(kept), tuple(aside), skipped)


def _one(examples: Sequence[Example], name: str | None) -> list[list[int]]:
    if name:
        return [list(range(len(examples)))] if examples else []
    return grouped(examples)


def _parted(
    examples: Sequence[Example],
    found: list[tuple[list[int], Induced]],
    made_of: Callable[[Sequence[int]], Induced],
    probe: Probe | None,
) -> list[tuple[list[int], Induced]]:
    """Groups of which nothing is made are parted, if something is made of a part."""
    kept: list[tuple[list[int], Induced]] = []
    for group, made in found:
        parts = [] if made.experience else parted([examples[at] for at in group])
        taught = [(part, made_of(part)) for each in parts if (part := [group[at] for at in each])]
        for part, lesson in taught:
            rest = [examples[at] for at in group if at not in part]
            if lesson.experience and any(
                replayed(lesson.experience, each, probe) == "wrong" for each in rest
            ):
                lesson.experience = None
                lesson.reasons.append("sessions that are much alike contradict it")
        good = any(each.experience for _, each in taught)
        kept += _parted(examples, taught, made_of, probe) if good else [(group, made)]
    return kept


def _joined(
    examples: Sequence[Example],
    found: list[tuple[list[int], Induced]],
    made_of: Callable[[Sequence[int]], Induced],
) -> list[tuple[list[int], Induced]]:
    """Groups that are alike are one kind, if one experience explains both no worse than two did.

    Groups that only write alike have to explain each other's sessions.
    """
    near = likeness(examples)
    tried: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
    while True:
        groups = [group for group, _ in found]
        pairs = [(pair, 0) for pair in related(near, groups)]
        pairs += [(pair, 1) for pair in writing_alike(examples, near, groups)]
        for (one, other), more in pairs:
            left, right = found[one], found[other]
            key = tuple(left[0]), tuple(right[0])
            if key in tried:
                continue
            tried.add(key)
            both = made_of([*left[0], *right[0]])
            least = _right(left[1]) + _right(right[1]) + more
            if _right(both) >= max(least, 1):
                rest = [each for at, each in enumerate(found) if at not in (one, other)]
                found = [*rest, (sorted([*left[0], *right[0]]), both)]
                break
        else:
            return found


def _right(made: Induced) -> int:
    """How many traces leave-one-out got right."""
    return made.experience.evidence.validation.right if made.experience else 0


def _checked(experience: Experience, members: Sequence[Example]) -> Experience:
    """The experience with the checks that its traces bear out."""
    cases = [
        case_of(
            experience,
            trace=each.trace.id,
            task=each.trace.task,
            now=each.trace.now,
            calls=[*each.reads, *each.writes],
        )
        for each in members
    ]
    return experience.model_copy(update={"checks": mine(experience, cases)})


def _name(members: Sequence[Example]) -> str:
    """A name from the words that all tasks share."""
    texts = [[w.casefold() for w, _, _ in words_of(each.trace.task)] for each in members]
    shared = [word for word in texts[0] if all(word in text for text in texts)]
    words = [re.sub("[^a-z0-9]", "", word) for word in dict.fromkeys(shared) if len(word) > 2]
    return "-".join([word for word in words if word][:5])[:60].strip("-") or "task"


def _free(base: str, taken: set[str]) -> str:
    """A name that no other experience has."""
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
