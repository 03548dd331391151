"""Learning from tapes with a model that proposes: what it cannot better stays as it was learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from playhead.environment import Environment
from playhead.experience.document import Experience, Validation, experience_of
from playhead.experience.learn._describe import described
from playhead.experience.learn._failures import checked, failures_of
from playhead.experience.learn._learn import Learned, Quarantined, free_name, learn_traces, name_of
from playhead.experience.learn._lesson import Lesson, lesson
from playhead.experience.learn._parameters import read_texts
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, clean
from playhead.experience.learn.with_model._propose import Proposed, propose
from playhead.llm import Model, named_model
from playhead.store import MemoryStore, Store
from playhead.tape import Json, Tape

_UNKNOWN = "no session has taught what is done here"


async def learn_with_model(
    tapes: Iterable[Tape],
    *,
    model: Model | str,
    environment: Callable[[], Environment] | None = None,
    name: str | None = None,
    now: str | None = None,
    settings: LearnSettings | None = None,
    failed: Iterable[Tape] = (),
    store: Store | None = None,
) -> Learned:
    """Learn from recorded sessions as `learn` does, then let a model propose what is better.

    Of each experience, a model may propose words and a routine that goes beside the learnt one;
    of sessions that taught nothing, a whole routine. What is kept has done just what every session
    did, and is proved by them state by state.

    Args:
        tapes: Sessions that did what was asked.
        model: Who proposes, or its name, as `openai:gpt-5-mini`. It sees tasks, calls and results.
        environment: As for `learn`, and so are those that follow.
        name: All tapes are of one kind of task.
        now: The clock of the world.
        settings: What the learner may use.
        failed: Sessions that went wrong.
        store: Where the sessions with the model are kept; in memory if not given.

    Raises:
        ExperienceError: There is nothing to learn from, or a tape lacks what is needed.
        ModelError: The model could not be asked.
    """
    asked = named_model(model) if isinstance(model, str) else model
    with lesson(tapes, failed=failed, environment=environment, now=now) as given:
        learnt = learn_traces(
            given.traces,
            given.tools,
            probe=given.probe,
            name=name,
            settings=settings,
            failed=given.failed,
        )
        work = _Improving(given, asked, settings or LearnSettings(), store or MemoryStore(), name)
        done = await work.improved(learnt)
    return replace(done, skipped={**done.skipped, **given.skipped})


class _Improving:
    """What is proposed about the experiences of a lesson."""

    def __init__(
        self, given: Lesson, model: Model, rules: LearnSettings, store: Store, name: str | None
    ) -> None:
        self._given, self._model, self._rules = given, model, rules
        self._store, self._name = store, name
        self._of = {trace.id: clean(trace, given.tools) for trace in given.traces}
        self._failed = [clean(trace, given.tools) for trace in given.failed]

    async def improved(self, learnt: Learned) -> Learned:
        """What was learnt, with the proposals that hold."""
        kept: list[Experience] = []
        aside: list[Quarantined] = []
        proposals: list[Proposed] = []
        for experience in learnt.experiences:
            members = self._members([each.tape for each in experience.evidence.traces])
            found = await self._proposed(experience, members, learnt=True)
            proposals.append(found)
            kept.append(self._named(self._finished(found, members), kept))
        for each in learnt.quarantined:
            members = self._members(each.traces)
            base = self._skeleton(members)
            found = await self._proposed(base, members, learnt=False, reasons=each.reasons)
            proposals.append(found)
            if "generalisation" in found.kept:
                kept.append(self._named(described(self._finished(found, members)), kept))
            else:
                why = found.refused.get("generalisation", "the model proposed no routine")
                reasons = (*each.reasons, f"what a model proposed: {why}")
                aside.append(replace(each, reasons=reasons))
        return Learned(tuple(kept), tuple(aside), learnt.skipped, tuple(proposals))

    async def _proposed(
        self,
        experience: Experience,
        members: Sequence[Example],
        *,
        learnt: bool,
        reasons: Sequence[str] = (),
    ) -> Proposed:
        return await propose(
            experience,
            members,
            model=self._model,
            probe=self._given.probe,
            tools=self._given.tools,
            failed=self._against(members),
            learnt=learnt,
            named=self._name is not None,
            reasons=reasons,
            store=self._store,
        )

    def _members(self, tapes: Sequence[str]) -> list[Example]:
        return [self._of[tape] for tape in tapes if tape in self._of]

    def _against(self, members: Sequence[Example]) -> list[Example]:
        return failures_of(members, self._failed, everything=self._name is not None)

    def _finished(self, found: Proposed, members: Sequence[Example]) -> Experience:
        """With checks for its routines, and with who proposed what as evidence."""
        if not found.kept:
            return found.experience
        experience = found.experience
        if "generalisation" in found.kept:
            experience = checked(experience, members, self._against(members))
        if not experience.evidence.validation.played:  # nothing was learnt without the model
            shown = Validation(played=found.held_out, right=found.held_out)
            evidence = experience.evidence.model_copy(update={"validation": shown})
            experience = experience.model_copy(update={"evidence": evidence})
        who: dict[str, Json] = {
            "model": f"{self._model.provider}:{self._model.name}",
            "proposed": [*found.kept],
            "tape": found.tape.id if found.tape is not None else None,
        }
        by = {**experience.evidence.learnt_by, "proposals": who}
        evidence = experience.evidence.model_copy(update={"learnt_by": by})
        return experience.model_copy(update={"evidence": evidence})

    def _named(self, experience: Experience, others: Sequence[Experience]) -> Experience:
        """All tapes of one kind are called as was asked for; no two experiences have one name."""
        called = self._name or experience.name
        free = free_name(called, {each.name for each in others})
        return experience.model_copy(update={"name": free})

    def _skeleton(self, members: Sequence[Example]) -> Experience:
        """A document that refuses every task, with all that the task texts tell."""
        texts = read_texts(members, self._given.tools, self._rules)
        document: dict[str, Any] = {
            "experience": 1,
            "name": self._name or name_of(members),
            "parameters": {
                each.name: {
                    "sources": [
                        {"mention": mention.model_dump(mode="json", exclude_defaults=True)}
                        for mention in each.sources
                    ]
                }
                for each in texts.candidates
            },
            "scope": {
                "examples": [each.trace.task for each in members],
                "mentions": {kind: list(seen) for kind, seen in texts.counts.items()},
                "words": list(texts.known),
            },
            "routine": {"start": "unknown", "states": {"unknown": {"refuse": _UNKNOWN}}},
            "evidence": {
                "traces": [
                    {"tape": each.trace.id} | ({"head": each.trace.head} if each.trace.head else {})
                    for each in members
                ]
            },
        }
        return experience_of(document)
