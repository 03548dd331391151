"""The environment's part of a session: carry out open actions, each at most once, and record it."""

from __future__ import annotations

import asyncio
import inspect

from playhead.environment import ToolContext
from playhead.errors import KindError, RunError
from playhead.orchestrator._approval import Verdict
from playhead.orchestrator._events import ActionEvent
from playhead.orchestrator._session import Session
from playhead.tape import (
    Action,
    Body,
    By,
    Draft,
    Observation,
    OpenAction,
    Step,
    digest,
)
from playhead.tape.kinds import (
    AssistantMessage,
    Decision,
    DecisionRequest,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)


async def answer_open(session: Session) -> bool:
    """Answer the open actions; False if nothing can be done about them now.

    Raises:
        KindError: An open action is of a kind that this process does not know.
        RunError: Nobody here answers an action.
    """
    ready = [action for action in session.fold.open.values() if not _waits(action)]
    for action in ready:
        if not action.known:
            raise KindError(
                f"step {action.seq} is an open action of the unknown kind `{action.kind}`: import "
                "the package that defines it, then resume",
                kind=action.kind,
            )
    if len(ready) == 1:
        return await _answer(session, ready[0])
    tasks = [asyncio.ensure_future(_answer(session, action)) for action in ready]
    try:
        return any(await asyncio.gather(*tasks)) if tasks else False
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _waits(action: OpenAction) -> bool:
    return action.request is not None and action.decision is None


async def _answer(session: Session, action: OpenAction) -> bool:
    step = session.tape[action.seq]
    body = step.body
    if isinstance(body, ToolCall):
        return await _answer_call(session, step, body, action)
    if not isinstance(body, Action):
        raise RunError(f"step {action.seq} was erased: its action cannot be carried out")
    observation = await session.environment.answer(body, _context(session, step))
    if observation is None:
        if isinstance(body, AssistantMessage):
            return False  # the person may answer later
        raise RunError(
            f"nobody answers the action `{action.kind}` of step {action.seq}: pass an environment "
            "that does"
        )
    by = By("person") if isinstance(observation, UserMessage) else By("tool", action.kind)
    await _observe(session, step, observation, by)
    return True


async def _answer_call(session: Session, step: Step, call: ToolCall, action: OpenAction) -> bool:
    verdict = _verdict(session, action)
    if verdict is None and action.request is None and _needs_approval(session, call):
        decided = await _ask_person(session, step, call)
        if decided is None:
            return True  # the request is on the tape; the action waits
        verdict = decided
    if verdict is not None:
        settled = _settled(session, call, step, verdict)
        if settled is not None:
            await _observe(session, step, settled, By("person", verdict.by))
            return True
        if verdict.decision == "edit":
            call = call.model_copy(update={"arguments": verdict.arguments})
    session.started.add(step.id)
    session.emit(ActionEvent(step))
    observation = _reused(session, call) or await _carry_out(session, step, call)
    await _observe(session, step, observation, By("tool", call.name))
    return True


async def _carry_out(session: Session, step: Step, call: ToolCall) -> Observation:
    if session.options.simulate is not None and call.effect not in ("read", None):
        result = session.options.simulate(call)
        return ToolResult(call_id=call.call_id, name=call.name, result=result)
    observation = await session.environment.answer(call, _context(session, step))
    assert observation is not None  # every tool call is answered, if only by an error
    return observation


async def _observe(session: Session, step: Step, observation: Observation, by: By) -> None:
    """Record an answer. A model that gave no id of its own finds it under the action's."""
    changes: dict[str, object] = {}
    if isinstance(observation, ToolResult | ToolError) and step.by.call is None:
        changes["call_id"] = observation.call_id or step.id
    body: Body = observation.model_copy(update=changes) if changes else observation
    await session.commit([Draft(body, by=by, re=(step.id,), frame=step.frame)])


def _context(session: Session, step: Step) -> ToolContext:
    return ToolContext(key=step.id, tape=session.tape.id, deps=session.options.deps)


def _needs_approval(session: Session, call: ToolCall) -> bool:
    policy = session.options.approval
    return policy is not None and policy.applies(call)


async def _ask_person(session: Session, step: Step, call: ToolCall) -> Verdict | None:
    """Put the question on the tape, ask who is there to be asked, and record the answer."""
    await request_decision(session, step, "approval")
    policy = session.options.approval
    if policy is None or policy.decide is None:
        return None
    answer = policy.decide(call)
    said = await answer if inspect.isawaitable(answer) else answer
    if said is None:
        return None
    verdict = Verdict(said) if isinstance(said, str) else said
    await record_verdict(session, step.id, verdict)
    return verdict


async def request_decision(session: Session, step: Step, why: str) -> None:
    """Put the question about an action on the tape, bound to its arguments."""
    call = step.body
    assert isinstance(call, ToolCall)
    bound = digest({"name": call.name, "arguments": call.arguments})
    note = DecisionRequest.model_validate(
        {"action": step.id, "why": why, "arguments_digest": bound}
    )
    await session.commit([Draft(note, re=(step.id,), frame=step.frame)])


async def record_verdict(
    session: Session, action: str, verdict: Verdict, *, inbox: tuple[int, ...] = ()
) -> None:
    """Put a decision on the tape.

    Raises:
        RunError: Nothing with this id waits for a decision.
    """
    waiting = session.fold.open.get(action)
    if waiting is None or not _waits(waiting):
        ids = [a.id for a in session.fold.open.values() if _waits(a)]
        raise RunError(f"no action `{action}` waits for a decision; waiting: {ids or 'none'}")
    allowed = {
        "approval": ("approve", "deny", "edit"),
        "unknown_outcome": ("redo", "result", "skip"),
    }
    if verdict.decision not in allowed[waiting.request or ""]:
        raise RunError(
            f"`{verdict.decision}` does not decide about an {waiting.request}: say one of "
            f"{', '.join(allowed[waiting.request or ''])}"
        )
    note = Decision(
        action=action,
        decision=verdict.decision,
        message=verdict.message,
        arguments=verdict.arguments,
        result=verdict.result,
    )
    by = By("person", verdict.by)
    await session.commit([Draft(note, by=by, re=(action,), frame=waiting.frame)], inbox=inbox)


def _verdict(session: Session, action: OpenAction) -> Verdict | None:
    """The decision that the tape holds about an action."""
    if action.decision is None:
        return None
    step = session.tape[action.decision]
    body = step.body
    assert isinstance(body, Decision)
    return Verdict(body.decision, body.message, body.arguments, body.result, step.by.name)


def _settled(
    session: Session, call: ToolCall, step: Step, verdict: Verdict
) -> ToolResult | ToolError | None:
    """What a decision makes of an action without carrying it out; None if it is to be done."""
    match verdict.decision:
        case "result":
            return ToolResult(call_id=call.call_id, name=call.name, result=verdict.result)
        case "deny":
            text = verdict.message or "a person refused this action"
            return ToolError(call_id=call.call_id, name=call.name, code="denied", message=text)
        case "skip":
            text = verdict.message or "it is not known whether this was done; it was not repeated"
            return ToolError(call_id=call.call_id, name=call.name, code="skipped", message=text)
        case _:
            return None


def _reused(session: Session, call: ToolCall) -> Observation | None:
    """In a fork that reuses effects: what the parent's tool answered to this very call."""
    if not session.reuse:
        return None
    recorded = session.reuse.get(call_key(call))
    if not recorded:
        return None
    body = recorded.pop(0).body
    assert isinstance(body, ToolResult | ToolError)
    return body.model_copy(update={"call_id": call.call_id})


def call_key(call: ToolCall) -> str:
    """Equal for calls of one tool with the same arguments."""
    return digest({"name": call.name, "arguments": call.arguments})
