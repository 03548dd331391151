"""Checks of experiences: compiled, asked at the right moments, limited where they are strangers'.

What a check sees is `docs/playing.md`.
"""

from playhead.experience.checks._engine import CheckEngine, FailedCheck, Verdict, is_due
from playhead.experience.checks._facts import NAMES, At, Case, Moment, SeenCall
from playhead.experience.checks._limited import LimitedWorker, WorkerLimits, shared_worker

__all__ = [
    "NAMES",
    "At",
    "Case",
    "CheckEngine",
    "FailedCheck",
    "LimitedWorker",
    "Moment",
    "SeenCall",
    "Verdict",
    "WorkerLimits",
    "is_due",
    "shared_worker",
]
