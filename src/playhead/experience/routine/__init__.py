"""The pure interpreter of routines: what to do next, from a document, a task and what was done."""

from playhead.experience.routine._decide import decide, parameters_of
from playhead.experience.routine._decisions import (
    Calls,
    Decision,
    Finish,
    Inputs,
    PastCall,
    PlannedCall,
    Refuse,
    RefuseCode,
    call_key,
)
from playhead.experience.routine._evaluate import Pending, Scope, evaluate, holds, picked
from playhead.experience.routine._reading import TaskText
from playhead.experience.routine._terms import (
    Term,
    const,
    expression_of,
    fn,
    parameters_in,
    parts_of,
    results_in,
    term_of,
)

__all__ = [
    "Calls",
    "Decision",
    "Finish",
    "Inputs",
    "PastCall",
    "Pending",
    "PlannedCall",
    "Refuse",
    "RefuseCode",
    "Scope",
    "TaskText",
    "Term",
    "call_key",
    "const",
    "decide",
    "evaluate",
    "expression_of",
    "fn",
    "holds",
    "parameters_in",
    "parameters_of",
    "parts_of",
    "picked",
    "results_in",
    "term_of",
]
