"""What a routine does next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from playhead.experience.document import Experience
from playhead.experience.routine._decisions import (
    Calls,
    Decision,
    Finish,
    Inputs,
    PastCall,
    Refuse,
)
from playhead.experience.routine._reading import read_parameters
from playhead.experience.routine._walk import CompiledRoutine, Walk
from playhead.tape import Json

_KEPT = 256
_compiled: OrderedDict[int, tuple[Experience, list[CompiledRoutine]]] = OrderedDict()


def decide(experience: Experience, inputs: Inputs, past: Sequence[PastCall]) -> Decision:
    """What to do next. Pure: the same for the same, without any effect.

    Reads come first, those of all routines of the document. Then the writes of all routines that
    have an answer must be the same, down to the last argument that can be known beforehand, or the
    play is refused. A call that was made is never asked for again.

    Args:
        experience: The document.
        inputs: What the play began with.
        past: The calls that are done, in their order.
    """
    params = read_parameters(experience, inputs)
    if isinstance(params, Refuse):
        return params
    walks = [each.walk(params, inputs.now, past) for each in _routines(experience)]
    writes = sum(_is_write(experience, call) for call in past)
    for walk in walks:
        if walk.needs is not None and len(walk.plan) <= writes:
            return Calls((walk.needs,))
    return _agreed(walks, writes)


def parameters_of(experience: Experience, inputs: Inputs) -> dict[str, Json] | Refuse:
    """The values of the parameters, as a play would read them."""
    return read_parameters(experience, inputs)


def _agreed(walks: Sequence[Walk], writes: int) -> Decision:
    """What the routines that know an answer agree on."""
    sure = [walk for walk in walks if not isinstance(walk.end, Refuse)]
    stops = [walk.end for walk in walks if isinstance(walk.end, Refuse)]
    if not sure:
        return stops[0]
    firm = [stop for stop in stops if stop.code != "absent"]
    if firm:
        return firm[0]
    plans = {tuple(call.key for call in walk.plan) for walk in sure}
    if len(plans) > 1:
        return Refuse("explanations of the traces lead to different writes", "disagree")
    walk = sure[0]
    if len(walk.plan) > writes:
        left = tuple(walk.plan[writes:])
        return Calls(left[:1], plan=left)
    ends = {walk.end.noop for walk in sure if isinstance(walk.end, Finish)}
    if len(ends) > 1 or walk.end is None:
        return Refuse("explanations of the traces end differently", "disagree")
    return walk.end


def _is_write(experience: Experience, call: PastCall) -> bool:
    return call.tool in experience.tools and experience.tools[call.tool].effect != "read"


def _routines(experience: Experience) -> list[CompiledRoutine]:
    """The routines of a document, compiled; those of the last documents are kept."""
    known = _compiled.get(id(experience))
    if known is not None and known[0] is experience:
        return known[1]
    made = [CompiledRoutine(experience, each) for each in (experience.routine, *experience.others)]
    _compiled[id(experience)] = (experience, made)
    while len(_compiled) > _KEPT:
        _compiled.popitem(last=False)
    return made
