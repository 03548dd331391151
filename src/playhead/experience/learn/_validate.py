"""Leave-one-out: each trace is played with what the others teach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from playhead.experience.document import Experience
from playhead.experience.learn._trace import Example, Probe
from playhead.experience.routine import Calls, Inputs, PastCall, Refuse, call_key, decide
from playhead.tape import Json

Verdict: TypeAlias = Literal["right", "wrong", "refused"]
_MOST_CALLS = 200


def replayed(experience: Experience, example: Example, probe: Probe | None) -> Verdict:
    """What an experience would do about the task of a trace, compared with what the trace did."""
    inputs = Inputs(example.trace.task, example.trace.now)
    past: list[PastCall] = []
    for _ in range(_MOST_CALLS):
        decision = decide(experience, inputs, past)
        if isinstance(decision, Refuse):
            return "refused"
        if not isinstance(decision, Calls):
            return "right" if not example.writes else "wrong"
        if decision.plan:
            keys = [call.key for call in decision.plan]
            return "right" if sorted(keys) == sorted(example.write_keys) else "wrong"
        for call in decision.calls:
            try:
                result = _read(example, probe, call.tool, call.arguments)
            except LookupError:
                return "refused"
            past.append(PastCall(call.tool, call.arguments, result))
    return "refused"


def _read(example: Example, probe: Probe | None, tool: str, arguments: Mapping[str, Json]) -> Any:  # noqa: ANN401
    key = call_key(tool, arguments)
    for call in example.reads:
        if call_key(call.tool, call.arguments) == key:
            return call.result
    if probe is None:
        raise LookupError(tool)
    return probe(tool, arguments)


def others(examples: Sequence[Example], at: int) -> list[Example]:
    """All but one."""
    return [*examples[:at], *examples[at + 1 :]]
