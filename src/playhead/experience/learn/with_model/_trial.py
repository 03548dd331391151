"""The trial of a proposal: each part of it is kept only if it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playhead.errors import PlayheadError
from playhead.experience.document import Experience, Procedure, experience_of
from playhead.experience.document._read import plain
from playhead.experience.learn._trace import Example, Probe, ToolSpec
from playhead.experience.learn._validate import replayed
from playhead.experience.learn.with_model._generalise import Generalised, generalised
from playhead.experience.learn.with_model._reproduce import difference, unproved
from playhead.tape import Json

_PROCEDURE = ("steps", "notes", "failures")
MEMBERS = ("name", "title", "description", *_PROCEDURE, "generalisation")
"""What a proposal may hold, beside `wordings`."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """What a proposal has to hold for.

    Args:
        shown: Sessions that the model is shown.
        hidden: Sessions of the same kind that it is not: what is only remembered fails there.
        failed: Sessions that went wrong: what does as they did is wrong.
        tools: The tools of their world.
        probe: Makes a read in a fresh environment.
    """

    shown: tuple[Example, ...]
    hidden: tuple[Example, ...] = ()
    failed: tuple[Example, ...] = ()
    tools: Mapping[str, ToolSpec] = field(default_factory=dict)
    probe: Probe | None = None

    @property
    def good(self) -> tuple[Example, ...]:
        """All that did what was asked."""
        return self.shown + self.hidden


@dataclass(frozen=True, slots=True)
class Trial:
    """A document, and what became of the proposals about it.

    Args:
        experience: With what was kept so far.
        learnt: Whether its routine was learnt, or is still to be found.
        named: Whether a person has given it its name.
        kept: What was kept.
        refused: What was not, with the reason; something that is kept later is taken out.
    """

    experience: Experience
    learnt: bool
    named: bool = False
    kept: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)

    def of(self, proposal: Json, sessions: Sessions) -> Trial:
        """The trial with one more proposal."""
        if not isinstance(proposal, dict):
            return replace(self, refused={**self.refused, "answer": "it is no JSON object"})
        known = {name: why for name, why in self.refused.items() if name != "answer"}
        result = replace(self, refused=known)
        for name in sorted(set(proposal) - {*MEMBERS, "wordings"})[:10]:
            result = result._without(name[:40], "there is no such member")
        for name in ("name", "title", "description"):
            if name == "name" and name in proposal and self.named:
                result = result._without(name, "a person has given it its name")
            elif name in proposal:
                result = result._with(name, {name: proposal[name]})
        if "steps" in proposal:
            result = result._described(proposal)
        if proposal.get("generalisation") is not None:
            result = result._generalised(proposal["generalisation"], sessions)
        wordings = proposal.get("wordings")
        for number, said in enumerate(wordings[:50] if isinstance(wordings, list) else []):
            result = result._worded(f"wording {number}", said, sessions)
        return result

    def _described(self, proposal: Mapping[str, Json]) -> Trial:
        words = {
            name: proposal[name] for name in ("steps", "notes", "failures") if name in proposal
        }
        if not words["steps"]:
            return self._without("steps", "there are none")
        try:
            procedure = Procedure.model_validate(words)
        except ValueError:
            return self._without("steps", "`steps`, `notes` and `failures` are lists of texts")
        return self._with("steps", {"procedure": procedure.model_dump(mode="json")})

    def _generalised(self, said: Json, sessions: Sessions) -> Trial:
        """With a routine that explains every session, and that no failed one contradicts."""
        name = "generalisation"
        try:
            made = generalised(self.experience, said, sessions.tools, learnt=self.learnt)
        except PlayheadError as error:
            return self._without(name, error.message)
        if (why := _contradiction(made, sessions)) is not None:
            return self._without(name, why)
        return replace(self._without(name, None), experience=made.beside, kept=self._and(name))

    def _worded(self, what: str, said: Json, sessions: Sessions) -> Trial:
        """With another wording of a task, if the experience does the same there."""
        of, text = (said.get("of"), said.get("text")) if isinstance(said, dict) else (None, None)
        shown = sessions.shown
        if type(of) is not int or not 0 <= of < len(shown) or not isinstance(text, str):
            return self._without(what, "it names no task, or no text")
        example = shown[of]
        asked = replace(example, trace=replace(example.trace, task=text))
        scope = self.experience.scope
        if text in scope.examples:
            return self._without(what, "it is the task itself")
        wider = scope.model_copy(update={"examples": (*scope.examples, text)})
        changed = self.experience.model_copy(update={"scope": wider})
        if replayed(changed, asked, sessions.probe) != "right":
            why = "played on it, the experience does not do what the session did"
            return self._without(what, why)
        return self._with(what, {"scope": wider.model_dump(mode="json", exclude_defaults=True)})

    def _with(self, what: str, members: dict[str, Any]) -> Trial:
        """The experience with these members, if it is a valid document then."""
        try:
            changed = experience_of({**plain(self.experience), **members})
        except PlayheadError as error:
            return self._without(what, error.message)
        return replace(self._without(what, None), experience=changed, kept=self._and(what))

    def _and(self, what: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.kept, what)))

    def _without(self, what: str, why: str | None) -> Trial:
        """With a reason against a part of it, or without the one that there was."""
        refused = {name: said for name, said in self.refused.items() if name != what}
        return replace(self, refused=refused if why is None else {**refused, what: why[:1000]})


def _contradiction(made: Generalised, sessions: Sessions) -> str | None:
    """What speaks against a routine; of hidden sessions only that one does."""
    probe = sessions.probe
    for played in (made.alone,) if made.alone is made.beside else (made.alone, made.beside):
        for number, example in enumerate(sessions.shown):
            if (why := difference(played, example, probe)) is not None:
                return f"on task {number}, {why}"
        if any(difference(played, example, probe) for example in sessions.hidden):
            return "on a task of this kind that you were not shown, it does something else"
        if any(difference(played, example, probe) is None for example in sessions.failed):
            return "it does just what a session did that went wrong"
    if (state := unproved(made.alone, sessions.good, probe)) is not None:
        return f"no session goes through the state `{state}`: let it `refuse`, or take it away"
    return None


def held_out(examples: Sequence[Example]) -> int:
    """How many sessions a model is not shown: a third of three or more."""
    return len(examples) // 3
