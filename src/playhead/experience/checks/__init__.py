"""Checks of experiences: compiled, asked at the right moments, limited where they are strangers'.

What a check sees is `docs/playing.md`.
"""

from playhead.experience.checks._engine import CheckEngine, FailedCheck, Verdict, is_due
from playhead.experience.checks._facts import NAMES, At, Case, Moment, SeenCall
from playhead.experience.checks._limited import LimitedWorker, WorkerLimits, shared_worker
from playhead.experience.checks._mine import as_played, case_of, mine
from playhead.experience.checks._tapes import (
    CheckedTape,
    case_of_tape,
    check_over,
    result_value,
    seen_call,
)

__all__ = [
    "NAMES",
    "At",
    "Case",
    "CheckEngine",
    "CheckedTape",
    "FailedCheck",
    "LimitedWorker",
    "Moment",
    "SeenCall",
    "Verdict",
    "WorkerLimits",
    "as_played",
    "case_of",
    "case_of_tape",
    "check_over",
    "is_due",
    "mine",
    "result_value",
    "seen_call",
    "shared_worker",
]
