"""Plants faults in dialogues. It knows the steps and the form, and nothing of any metric.

A fault is planted in one turn, and the tape ends with that turn, so that nothing follows from it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from examples.forms.errors import FormError
from examples.forms.mutate._speech import SPEECH_FAULTS
from examples.forms.mutate._turn import Fault, TurnSteps
from examples.forms.mutate._values import VALUE_FAULTS
from playhead.tape import By, Draft, Tape
from playhead.tape.kinds import UserMessage

__all__ = ["FAULTS", "Fault", "plant"]

_BY = By("importer", name="mutate")  # not the agent: it made another turn
FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*VALUE_FAULTS, *SPEECH_FAULTS)}


def plant(tape: Tape, name: str, rng: random.Random) -> Tape | None:
    """A copy of a dialogue that ends with a turn in which a fault is planted.

    Args:
        tape: A dialogue of the agents here.
        name: The fault.
        rng: Chooses the turn.

    Returns:
        The copy, in memory; None if the fault can be planted in no turn.

    Raises:
        FormError: There is no such fault.
    """
    if name not in FAULTS:
        raise FormError(f"there is no fault `{name}`: there are {', '.join(FAULTS)}")
    drafts = [
        Draft(step.body, by=step.by if step.by.type == "person" else _BY, id=step.id)
        for step in tape
        if step.role != "note" and not step.erased
    ]
    turns = list(_turns(drafts))
    rng.shuffle(turns)
    for begin, end in turns:
        turn = TurnSteps(
            [draft.body for draft in drafts[:begin]], [draft.body for draft in drafts[begin:end]]
        )
        planted = FAULTS[name].plant(turn, rng)
        if planted is not None:
            return Tape.new().append(*drafts[:begin], *(Draft(body, by=_BY) for body in planted))
    return None


def _turns(drafts: Sequence[Draft]) -> Iterator[tuple[int, int]]:
    """Where the agent's steps of each turn begin and end."""
    heard = [at for at, draft in enumerate(drafts) if isinstance(draft.body, UserMessage)]
    for begin, following in zip(heard, [*heard[1:], len(drafts)], strict=True):
        if following > begin + 1:
            yield begin + 1, following
