"""GREADTH and success as scorers of `playhead.evaluate`."""

from __future__ import annotations

from functools import lru_cache

from examples.forms.dialogue import Dialogue, read_dialogue
from examples.forms.goal import Goal
from examples.forms.greadth._finding import Letter
from examples.forms.greadth._metric import Greadth, measure
from examples.forms.values import same_value
from playhead.evaluate import Judgement, Scorer, TrialRun
from playhead.tape import Json, Tape

VERSION = 1  # of the conditions: raise it when they change


@lru_cache(maxsize=64)
def _read(tape_id: str, head: str, holder: _Holder) -> tuple[Dialogue, Greadth]:
    dialogue = read_dialogue(holder.tape)
    return dialogue, measure(dialogue)


class _Holder:
    """A tape that does not count in a key of the cache."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder)

    def __hash__(self) -> int:
        return 0


def looked_at(tape: Tape) -> tuple[Dialogue, Greadth]:
    """The dialogue of a tape and what GREADTH says of it; read once for all scorers."""
    return _read(tape.id, tape.head, _Holder(tape))


class GreadthScorer(Scorer):
    """The share of turns of a trial in which one letter is kept; it decides nothing."""

    def __init__(self, letter: Letter) -> None:
        self.name = letter
        self.letter: Letter = letter

    async def score(self, run: TrialRun) -> Judgement:
        """See `Scorer.score`."""
        _, greadth = looked_at(run.tape)
        found = greadth.of(self.letter)
        detail: Json = [[each.turn, each.code, each.why] for each in found]
        comment = found[0].why if found else None
        return Judgement(greadth.value(self.letter), comment=comment, detail=detail)

    def describe(self) -> Json:
        """See `Scorer.describe`."""
        return {"scorer": "greadth", "letter": self.letter, "version": VERSION}


class SuccessScorer(Scorer):
    """Whether the request was sent just as the person wants it, or left when they wanted to."""

    name = "success"
    needs_expected = True

    async def score(self, run: TrialRun) -> Judgement:
        """See `Scorer.score`."""
        expected = run.task.expected
        assert isinstance(expected, dict)
        dialogue, _ = looked_at(run.tape)
        leaves = bool(expected.get("leaves"))
        return Judgement.of(success(dialogue, Goal.of(expected), leaves=leaves))


def success(dialogue: Dialogue, goal: Goal, *, leaves: bool) -> bool:
    """Whether the dialogue ended as the person wants.

    Args:
        dialogue: The dialogue.
        goal: The request that the person has.
        leaves: Whether they changed their mind, and want to leave without it.
    """
    call = dialogue.call()
    if leaves:
        return call is None and dialogue.state.ended == "exited"
    if call is None:
        return False
    given = call.arguments
    return (
        call.function == goal.function
        and set(given) == set(goal.values)
        and all(same_value(given[name], value) for name, value in goal.values.items())
    )
