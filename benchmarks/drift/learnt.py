"""Experiences that are learnt from a session: from what the customer said, and the calls."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.drift.playing import Subject
from benchmarks.drift.sessions import NOW, Session
from benchmarks.drift.world import digest_of
from playhead.experience.learn import ToolSpec, Trace, learn_traces
from playhead.experience.routine import PastCall


def learnt(sessions: Sequence[Session]) -> list[Subject]:
    """The experience of each session that teaches one; most leave open where values come from."""
    return [
        Subject(session, experience, session.says)
        for session in sessions
        for experience in learn_traces([trace_of(session)], tools_of(session)).experiences
    ]


def trace_of(session: Session) -> Trace:
    """A session as learning sees it."""
    calls = tuple(PastCall(call.tool, call.arguments, call.result) for call in session.work)
    return Trace(session.name, session.says, NOW, calls)


def tools_of(session: Session) -> dict[str, ToolSpec]:
    """Its tools."""
    return {
        call.tool: ToolSpec(call.tool, call.effect, digest=digest_of(call.tool))
        for call in session.calls
    }
