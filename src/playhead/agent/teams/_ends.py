"""When the work of a team is over: rules on what stands on the tape, never a magic word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from playhead.agent._json_text import json_in
from playhead.agent.prompting._walk import backwards
from playhead.errors import AgentError, RunError
from playhead.govern import Check
from playhead.tape import Json, Step, View
from playhead.tape.kinds import Delegate, Finish, ModelCall, Return, UserMessage

_NAMES = ("last", "speaker", "turns", "value")


@dataclass(frozen=True, slots=True)
class Ends:
    """Rules of which any one ends a team's work on what it was asked.

    Args:
        step: A kind of step, made by the team or one of its members.
        turns: So many turns of members were taken.
        check: A check (`shape`, `cel`) of `{"last", "speaker", "turns", "value"}`: what was said
            last, by whom, after how many turns, and its JSON value if it is one.
        model_calls: So many models were asked, by all below as well.
        tokens: So many tokens were used.
        usd: It cost so much.

    Raises:
        AgentError: A limit is no positive number, or the check is none.
    """

    step: str | None = None
    turns: int | None = None
    check: Mapping[str, Json] | None = None
    model_calls: int | None = None
    tokens: int | None = None
    usd: float | None = None

    def __post_init__(self) -> None:
        for name in ("turns", "model_calls", "tokens", "usd"):
            limit = getattr(self, name)
            if limit is not None and limit <= 0:
                raise AgentError(f"a team ends after a positive number of `{name}`, not {limit}")
        if self.check is not None:
            self._checked()

    def _checked(self) -> Check:
        assert self.check is not None
        try:
            return Check.of(self.check, _NAMES)
        except RunError as error:
            raise AgentError(error.message) from None

    @classmethod
    def of(cls, given: Ends | Mapping[str, Any] | None, default: Ends) -> Ends:
        """Rules from their members, over the default ones.

        Raises:
            AgentError: There is no such rule.
        """
        if isinstance(given, Ends):
            return given
        known = {each.name for each in fields(cls)}
        if strange := sorted(set(given or {}) - known):
            choice = ", ".join(sorted(known))
            raise AgentError(f"no rule `{strange[0]}` ends a team, only {choice}")
        return cls(**{**asdict(default), **(given or {})})

    def describe(self) -> dict[str, Json]:
        """Those that are given, as plain JSON."""
        return {name: said for name, said in asdict(self).items() if said is not None}

    def held(self, view: View) -> dict[str, Json] | None:
        """The rule that holds now, and what made it hold; None if none does."""
        said = returns(view)
        spent = self._spent(view)
        if self.turns is not None and len(said) >= self.turns:
            return {"rule": "turns", "value": len(said)}
        if self.step is not None and (found := self._step(view)) is not None:
            return {"rule": "step", "value": self.step, "seq": found.seq}
        for name in ("model_calls", "tokens", "usd"):
            limit, used = getattr(self, name), spent.get(name)
            if limit is not None and isinstance(used, int | float) and used >= limit:
                return {"rule": name, "value": used}
        if self.check is not None and said and self._checked().holds(_told(said)):
            return {"rule": "check", "value": dict(self.check)}
        return None

    def _step(self, view: View) -> Step | None:
        """The newest step of the kind, by this team or a direct member, in this round."""
        for step in whole_round(view):
            if step.kind == self.step and not step.erased and _is_ours(step, view):
                return step
        return None

    def _spent(self, view: View) -> dict[str, Json]:
        if self.model_calls is self.tokens is self.usd is None:
            return {}
        calls, tokens, usd = 0, 0, 0.0
        for step in whole_round(view):
            body = step.body if step.kind == ModelCall.kind and not step.erased else None
            if isinstance(body, ModelCall):
                calls += 1
                usage, price = body.usage, body.price
                tokens += usage.input_tokens + usage.output_tokens if usage else 0
                usd += price.usd if price else 0.0
        return {"model_calls": calls, "tokens": tokens, "usd": usd}


BY_FINISH = Ends(step=Finish.kind)


def _told(said: list[Step]) -> dict[str, Json]:
    body = said[0].body
    assert isinstance(body, Return)
    try:
        value = json_in(body.text)
    except ValueError:
        value = None
    return {"last": body.text, "speaker": body.agent, "turns": len(said), "value": value}


def _is_ours(step: Step, view: View) -> bool:
    """Whether a step is of this frame, or of one that was opened from it."""
    if step.frame == view.frame.id:
        return True
    return step.frame > view.frame.id and view.tape[step.frame].frame == view.frame.id


def this_round(view: View) -> Iterator[Step]:
    """The steps of the frame since somebody asked for something, newest first."""
    for step in backwards(view):
        yield step
        if step.kind == UserMessage.kind:
            return


def whole_round(view: View) -> Iterator[Step]:
    """The steps of the frame and of all below it since somebody asked, newest first."""
    for seq in range(len(view.tape) - 1, view.frame.id, -1):
        step = view.tape[seq]
        yield step
        if step.kind == UserMessage.kind and step.frame == view.frame.id:
            return


def returns(view: View) -> list[Step]:
    """What members said in this round, newest first."""
    return [step for step in this_round(view) if step.kind == Return.kind and not step.erased]


def delegates(view: View) -> list[Step]:
    """To whom the word was given in this round, newest first."""
    return [step for step in this_round(view) if step.kind == Delegate.kind and not step.erased]
