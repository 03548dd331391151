"""Effects on the world outside that happened on a fork's parent, after the point of the fork."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from playhead.environment import Environments
from playhead.orchestrator._edits import edited
from playhead.store import Store
from playhead.tape import Json, Step, Tape, compact
from playhead.tape.kinds import Effects, Pause, Run, ToolCall, ToolError, ToolResult

_NOT_DONE = ("unknown_tool", "bad_arguments", "denied")


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that had an effect, or may have had.

    Args:
        step: The action on the parent.
        call: The call as it was carried out.
        answer: What came of it; None if that is not known.
    """

    step: Step
    call: ToolCall
    answer: ToolResult | ToolError | None


@dataclass(slots=True)
class Past:
    """Calls of the parent whose answers a fork reuses, by tool and arguments."""

    calls: dict[str, list[PastCall]] = field(default_factory=dict)

    @classmethod
    def of(cls, calls: Iterable[PastCall]) -> Past:
        """In the order in which they happened."""
        past = cls()
        for call in calls:
            past.calls.setdefault(call_key(call.call), []).append(call)
        return past

    def find(self, call: ToolCall) -> PastCall | None:
        """The first equal call that was not taken yet."""
        found = self.calls.get(call_key(call)) if self.calls else None
        return found[0] if found else None

    def drop(self, call: ToolCall) -> PastCall | None:
        """Take the first equal call out: it was reused, decided about, or done once more."""
        past = self.find(call)
        if past is not None:
            self.calls[call_key(call)].remove(past)
        return past


def call_key(call: ToolCall) -> str:
    """Equal for calls of one tool with the same arguments."""
    return f"{call.name} {compact(_sorted(call.arguments))}"


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def policy_of(tape: Tape) -> str | None:
    """What a fork was told to do about its parent's effects; it stands right after its header."""
    at = tape.start + 1
    body = tape[at].body if tape.parent is not None and at < len(tape) else None
    return body.policy if isinstance(body, Effects) else None


async def past_effects(
    store: Store, environment: Environments, tape: Tape, at: int
) -> list[PastCall]:
    """Effects that the tape, or what it reuses, had from position `at` on.

    Raises:
        TapeNotFoundError: An ancestor whose results are reused is not in the store.
    """
    policy = policy_of(tape)
    real_until = tape.start if policy == "simulate" else len(tape)
    found = [call for call in _effects(tape, at, environment) if call.step.seq < real_until]
    return [*await unused(store, environment, tape), *found] if policy == "reuse" else found


async def unused(store: Store, environment: Environments, tape: Tape) -> list[PastCall]:
    """What a fork that reuses results has not reused yet."""
    assert tape.parent is not None
    parent = await store.open(tape.parent.tape)
    left = Past.of(await past_effects(store, environment, parent, tape.start))
    for mine in _effects(tape, tape.start, environment):
        if mine.answer is not None:
            left.drop(mine.call)
    return sorted(
        (past for calls in left.calls.values() for past in calls), key=lambda past: past.step.seq
    )


def _effects(tape: Tape, at: int, environment: Environments) -> list[PastCall]:
    """Effects outside whose answer stands at `at` or later, and those that nothing answers."""
    calls: dict[str, tuple[Step, ToolCall]] = {}
    certain: tuple[str, ...] = ()
    past: list[PastCall] = []
    for step in tape:
        if step.kind == ToolCall.kind:
            call = _call(step, environment)
            if call is not None:
                calls[step.id] = (step, call)
        elif step.kind in (ToolResult.kind, ToolError.kind) and step.re:
            found = calls.pop(step.re[0], None)
            if found is not None and step.seq >= at and _done(step):
                past.append(_past(tape, *found, step))
        elif step.kind == Pause.kind:
            certain = step.body.not_started if isinstance(step.body, Pause) else ()
        elif step.kind == Run.kind:  # from here on, they may have been begun
            certain = ()
    unanswered = [
        _past(tape, step, call, None) for step, call in calls.values() if step.id not in certain
    ]
    return [*past, *unanswered]


def _call(step: Step, environment: Environments) -> ToolCall | None:
    """The call, if it is one with an effect outside."""
    body = step.body
    if not isinstance(body, ToolCall):  # erased: nobody can say what it did
        return ToolCall(name="an erased action", effect="write")
    part = environment.part_of(body)
    external = part is None or part.state_contract == "external"
    return body if external and body.effect not in ("read", None) else None


def _done(step: Step) -> bool:
    body = step.body
    return not isinstance(body, ToolError) or body.code not in _NOT_DONE


def _past(tape: Tape, step: Step, call: ToolCall, answer: Step | None) -> PastCall:
    body = answer.body if answer is not None else None
    known = body if isinstance(body, ToolResult | ToolError) else None
    return PastCall(step, edited(tape, step, call), known)
