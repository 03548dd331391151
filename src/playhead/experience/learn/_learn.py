"""The door of learning: tapes in, experiences out, and what was left aside with the reasons."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from playhead.environment import Environment
from playhead.errors import ExperienceError
from playhead.experience.document import Experience
from playhead.experience.learn._describe import described
from playhead.experience.learn._failures import checked, failures_of, stopped
from playhead.experience.learn._group import grouped
from playhead.experience.learn._induce import Induced, induce
from playhead.experience.learn._lesson import lesson
from playhead.experience.learn._pool import pooled
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, Probe, ToolSpec, Trace, clean
from playhead.experience.values import words_of
from playhead.llm import Model
from playhead.store import Store
from playhead.tape import Tape

if TYPE_CHECKING:
    from playhead.experience.learn.with_model import Proposed


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
        proposals: What a model proposed, if one was asked: of each experience, then of each group
            of traces that had taught nothing.
    """

    experiences: tuple[Experience, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)
    proposals: tuple[Proposed, ...] = ()


def learn(
    tapes: Iterable[Tape],
    *,
    environment: Callable[[], Environment] | None = None,
    name: str | None = None,
    now: str | None = None,
    settings: LearnSettings | None = None,
    failed: Iterable[Tape] = (),
    model: Model | str | None = None,
    store: Store | None = None,
) -> Learned:
    """Learn from recorded sessions; without a model, unless one is named to propose more.

    Tapes of one kind of task are found by what they say and do. A play of an experience is no
    trace of its own; it is left out.

    Args:
        tapes: Sessions that did what was asked.
        environment: Makes a fresh environment. With it, reads are made again, so that much more
            can be told apart; nothing but reads is ever asked of it.
        name: All tapes are of one kind of task, and the experience is called so.
        now: The clock of the world that the sessions saw; when each task was given if not said.
        settings: What the learner may use.
        failed: Sessions that did not do what was asked, plays among them: counter-examples. What
            would do as they did is not kept, and where only a condition tells them from the right
            ones, that condition is found.
        model: Proposes words and routines, of which nothing is kept that the sessions do not bear
            out; it sees tasks, calls and results. Where an event loop is running, await
            `learn_with_model` of `playhead.experience.learn.with_model` instead.
        store: Where the sessions with the model are kept; in memory if not given.

    Raises:
        ExperienceError: There is nothing to learn from, or a tape lacks what is needed.
        ModelError: The model could not be asked.
    """
    if model is not None:
        return _with_model(
            tapes,
            model=model,
            environment=environment,
            name=name,
            now=now,
            settings=settings,
            failed=failed,
            store=store,
        )
    with lesson(tapes, failed=failed, environment=environment, now=now) as given:
        learnt = learn_traces(
            given.traces,
            given.tools,
            probe=given.probe,
            name=name,
            settings=settings,
            failed=given.failed,
        )
    return replace(learnt, skipped={**learnt.skipped, **given.skipped})


def _with_model(tapes: Iterable[Tape], **how: Any) -> Learned:  # noqa: ANN401
    from playhead.experience.learn.with_model import learn_with_model

    try:
        asyncio.get_running_loop()
    except RuntimeError:  # as it should be
        return asyncio.run(learn_with_model(tapes, **how))
    raise ExperienceError(
        "an event loop is running: `await learn_with_model(…)` instead of `learn`"
    )


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
        failed: Sessions of any of these kinds that did not do what was asked.
    """
    examples = [clean(trace, tools) for trace in traces if trace.finished]
    skipped = {trace.id: "it did not come to its end" for trace in traces if not trace.finished}
    cleaned = [clean(trace, tools) for trace in failed]
    wrong = [each for each in cleaned if each.writes or each.trace.finished]
    rules = settings or LearnSettings()

    def made_of(group: Sequence[int]) -> Induced:
        members = [examples[at] for at in group]
        called = name or name_of(members)
        made = induce(members, tools, name=called, settings=rules, probe=probe, failed=wrong)
        if made.experience is None and wrong:
            bare = induce(members, tools, name=called, settings=rules, probe=probe)
            against = failures_of(members, wrong, everything=name is not None)
            if bare.experience and stopped(bare.experience, members, against, probe):
                return bare
        return made

    found = [(group, made_of(group)) for group in _one(examples, name)]
    if not name:
        found = pooled(examples, found, made_of, probe)
    kept: list[Experience] = []
    aside: list[Quarantined] = []
    for group, made in found:
        members = [examples[at] for at in group]
        if made.experience is None:
            ids = tuple(each.trace.id for each in members)
            aside.append(Quarantined(ids, tuple(made.reasons) or ("nothing explains it",)))
        else:
            free = free_name(made.experience.name, {each.name for each in kept})
            named = made.experience.model_copy(update={"name": free})
            against = failures_of(members, wrong, everything=name is not None)
            kept.append(checked(described(named), members, against))
    return Learned(tuple(kept), tuple(aside), skipped)


def _one(examples: Sequence[Example], name: str | None) -> list[list[int]]:
    if name:
        return [list(range(len(examples)))] if examples else []
    return grouped(examples)


def name_of(members: Sequence[Example]) -> str:
    """A name from the words that all tasks share."""
    texts = [[w.casefold() for w, _, _ in words_of(each.trace.task)] for each in members]
    shared = [word for word in texts[0] if all(word in text for text in texts)]
    words = [re.sub("[^a-z0-9]", "", word) for word in dict.fromkeys(shared) if len(word) > 2]
    return "-".join([word for word in words if word][:5])[:60].strip("-") or "task"


def free_name(base: str, taken: set[str]) -> str:
    """A name that no other experience has."""
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
