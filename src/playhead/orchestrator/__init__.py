"""Layer 4: run, resume, replay and fork."""

from playhead.orchestrator._approval import Approval, Decide, Verdict
from playhead.orchestrator._blobs import BlobFitter
from playhead.orchestrator._budget import Budget
from playhead.orchestrator._default_store import DEFAULT_PATH, default_store
from playhead.orchestrator._divergence import Divergence
from playhead.orchestrator._events import (
    ActionEvent,
    DeltaEvent,
    Event,
    ModelCallEvent,
    OnEvent,
    ProgressEvent,
    StepEvent,
)
from playhead.orchestrator._fork import fork
from playhead.orchestrator._pending import PendingAction, decide, pending, waiting_on
from playhead.orchestrator._replay import ReplayReport, replay
from playhead.orchestrator._replay_all import ReplayedTape, ReplaySummary, replay_all
from playhead.orchestrator._rules import ApprovalRule, Ruling
from playhead.orchestrator._run import resume, run
from playhead.orchestrator._sync import (
    decide_sync,
    fork_sync,
    pending_sync,
    replay_all_sync,
    replay_sync,
    resume_sync,
    run_sync,
    sync_twin,
)

__all__ = [
    "DEFAULT_PATH",
    "ActionEvent",
    "Approval",
    "ApprovalRule",
    "BlobFitter",
    "Budget",
    "Decide",
    "DeltaEvent",
    "Divergence",
    "Event",
    "ModelCallEvent",
    "OnEvent",
    "PendingAction",
    "ProgressEvent",
    "ReplayReport",
    "ReplaySummary",
    "ReplayedTape",
    "Ruling",
    "StepEvent",
    "Verdict",
    "decide",
    "decide_sync",
    "default_store",
    "fork",
    "fork_sync",
    "pending",
    "pending_sync",
    "replay",
    "replay_all",
    "replay_all_sync",
    "replay_sync",
    "resume",
    "resume_sync",
    "run",
    "run_sync",
    "sync_twin",
    "waiting_on",
]
