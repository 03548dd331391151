"""Whether a document does just what sessions did, and which of its states they prove."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playhead.experience.document import (
    Experience,
    FinishState,
    Function,
    RefuseState,
    Result,
    Routine,
    Transition,
)
from playhead.experience.learn._trace import Example, Probe
from playhead.experience.learn.with_model._generalise import write_states
from playhead.experience.routine import (
    Calls,
    Inputs,
    PastCall,
    PlannedCall,
    Refuse,
    call_key,
    decide,
)
from playhead.tape import Json

_MOST_CALLS = 200


def difference(experience: Experience, example: Example, probe: Probe | None) -> str | None:
    """What a play would do otherwise than a session did; None if it makes just its writes.

    Reads are answered by the session, else, before the first write, by a fresh environment; a
    write by what the session got for the same one.
    """
    inputs = Inputs(example.trace.task, example.trace.now)
    left = list(example.writes)
    past: list[PastCall] = []
    for _ in range(_MOST_CALLS):
        decision = decide(experience, inputs, past)
        if isinstance(decision, Refuse):
            return f"it refuses: {decision.reason}"
        if not isinstance(decision, Calls):
            return f"it does not make {_said(left[0])}" if left else None
        for call in decision.calls:
            key, keys = call.key, [call_key(each.tool, each.arguments) for each in left]
            if call.effect != "read":
                if key not in keys:
                    return f"it makes {_said(call)}, which the session did not"
                past.append(left.pop(keys.index(key)))
                continue
            try:
                found = _read(example, probe, call.tool, call.arguments, past=past)
            except LookupError:
                return f"nobody knows what {_said(call)} gives there"
            past.append(PastCall(call.tool, call.arguments, found))
    return f"it makes more than {_MOST_CALLS} calls"


def unproved(
    experience: Experience, examples: Sequence[Example], probe: Probe | None
) -> str | None:
    """A state that writes or ends, and that no session goes through; None if there is none.

    It is found by taking it away: if all sessions come out the same, none needs it.
    """
    routine = experience.routine
    for name in [*write_states(experience), *_ends(routine)]:
        without = {**routine.states, name: RefuseState(refuse="taken away")}
        changed = experience.model_copy(
            update={"routine": routine.model_copy(update={"states": without})}
        )
        if all(difference(changed, each, probe) is None for each in examples):
            return name
    return None


def _ends(routine: Routine) -> Iterator[str]:
    """The states that end a play, but those for nothing found: nothing to act upon is no loss."""
    for name, state in routine.states.items():
        if not isinstance(state, FinishState):
            continue
        ways = [
            way
            for each in routine.states.values()
            for way in getattr(each, "next", ())
            if way.to == name
        ]
        if not (state.finish.noop and ways and all(_finds_nothing(way) for way in ways)):
            yield name


def _finds_nothing(way: Transition) -> bool:
    when = way.when
    return isinstance(when, Function) and when.fn == "empty" and isinstance(when.of[0], Result)


def _read(
    example: Example,
    probe: Probe | None,
    tool: str,
    arguments: Mapping[str, Json],
    *,
    past: Sequence[PastCall],
) -> Any:  # noqa: ANN401
    key = call_key(tool, arguments)
    wrote = next((call for call in reversed(past) if call in example.writes), None)
    calls = example.trace.calls
    recorded = calls[calls.index(wrote) + 1 :] if wrote in calls else example.reads
    for call in recorded:
        if call.error is None and call_key(call.tool, call.arguments) == key:
            return call.result
    if probe is None or wrote is not None:  # a fresh environment knows of no write
        raise LookupError(tool)
    return probe(tool, arguments)


def _said(call: PlannedCall | PastCall) -> str:
    return f"the call {call_key(call.tool, call.arguments)[:200]}"
