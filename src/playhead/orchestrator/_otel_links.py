"""Which trace a run belonged to, as tapes record it, and links from one run to the one before."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

from opentelemetry.trace import Link, SpanContext, TraceFlags
from opentelemetry.util.types import AttributeValue

from playhead import conventions as names
from playhead.errors import PlayheadError
from playhead.tape import Step, Tape
from playhead.tape.kinds import Run

_PARENT = re.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_FIRST, _LAST = 8, 2000  # entries among which the last run is looked for


def trace_text(context: SpanContext) -> str:
    """A span's context, as W3C Trace Context writes it."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def links_of(tape: Tape) -> list[Link]:
    """The run before, if the tape says which trace it belonged to, and is not too long to look."""
    length = len(tape)
    late = range(length - 1, max(_FIRST, length - _LAST) - 1, -1)
    with contextlib.suppress(PlayheadError):  # a body that cannot be read
        for seq in (*late, *range(min(_FIRST, length) - 1, -1, -1)):
            step = tape[seq]
            body = step.body if step.kind == Run.kind else None
            if isinstance(body, Run):
                around = body.environment if isinstance(body.environment, dict) else {}
                found = _PARENT.fullmatch(str(around.get("trace")))
                return [_link(found, step)] if found is not None else []
    return []


def _link(found: re.Match[str], step: Step) -> Link:
    trace_id, span_id, flags = (int(group, 16) for group in found.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    attributes: Mapping[str, AttributeValue] = {
        "playhead.link": "previous_run",
        names.CONVERSATION: step.tape,
        names.STEP: step.seq,
    }
    return Link(context, attributes)
