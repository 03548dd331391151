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
)
from playhead.experience.routine._evaluate import Pending, Scope, evaluate
from playhead.experience.routine._terms import Term, expression_of, term_of

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
    "Term",
    "decide",
    "evaluate",
    "expression_of",
    "parameters_of",
    "term_of",
]
