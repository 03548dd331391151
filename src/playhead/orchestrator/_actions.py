"""The environment's part of a session: carry out open actions, each at most once, and record it."""

from __future__ import annotations

import asyncio
import logging
from typing import get_args

from playhead.environment import OutcomeUnknown
from playhead.errors import (
    KindError,
    PlayheadError,
    RunError,
    TapeError,
    UnresolvedError,
    told,
)
from playhead.orchestrator._approval import Verdict
from playhead.orchestrator._approving import cleared
from playhead.orchestrator._calling import Calling
from playhead.orchestrator._decisions import (
    named,
    recorded_verdict,
    request,
    settled,
    waits,
)
from playhead.orchestrator._edits import edited
from playhead.orchestrator._events import ActionEvent
from playhead.orchestrator._inbox import Inbox
from playhead.orchestrator._session import Session, only_said
from playhead.tape import (
    Action,
    By,
    Draft,
    Json,
    Observation,
    OpenAction,
    Step,
    changed,
    maker,
    text_part,
)
from playhead.tape.kinds import (
    AssistantMessage,
    Effect,
    ToolCall,
    ToolError,
    ToolErrorCode,
    ToolResult,
    UserMessage,
)

_SAID = AssistantMessage.kind
_logger = logging.getLogger("playhead.orchestrator")
_EFFECTS: tuple[Effect | None, ...] = (None, *get_args(Effect))  # the milder ones first
_REPEATED: tuple[Effect, ...] = ("read", "idempotent")


def check_known(session: Session) -> None:
    """Make sure that no open action is of a kind that this process does not know.

    Raises:
        KindError: One is.
    """
    for action in session.fold.open.values():
        if not action.known:
            raise KindError(
                f"step {action.seq} is an open action of the unknown kind `{action.kind}`: import "
                "the package that defines it, then resume",
                kind=action.kind,
            )


async def answer_open(session: Session, inbox: Inbox) -> bool:
    """Answer the open actions; False if nothing can be done about them now.

    What the agent said to the person is answered last, when nothing else is open. What waits for a
    decision is waited for if the session's policy says so.

    Raises:
        KindError: An open action is of a kind that this process does not know.
        RunError: Nobody here answers an action.
    """
    open_actions = list(session.fold.open.values())
    policy = session.options.approval
    patient = policy is not None and policy.seconds is not None
    ready = [action for action in open_actions if patient or not waits(action)]
    if len(open_actions) == len(ready) == 1 and ready[0].known:
        return await _answer(session, ready[0], inbox)
    check_known(session)
    if not only_said(session.fold):
        ready = [action for action in ready if action.kind != _SAID]
    answers = (_answer(session, action, inbox) for action in ready)
    outcomes = await asyncio.gather(*answers, return_exceptions=True)  # what began comes to its end
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return any(outcomes)


async def _answer(session: Session, action: OpenAction, inbox: Inbox) -> bool:
    step = session.tape[action.seq]
    body = step.body
    if action.kind == _SAID:
        observation = None
        if isinstance(body, AssistantMessage):
            observation = await _asked(session, step, body)
        if observation is None:
            return False  # the person may answer later
        await _observe(session, step, observation, By("person"))
        return True
    if not isinstance(body, Action):
        raise RunError(f"step {action.seq} was erased: its action cannot be carried out")
    was_asked = waits(action)
    call = _effective(session, step, body)
    if not await cleared(session, inbox, step=step, action=call):
        return not was_asked  # then the request is new on the tape; the action waits
    action = session.fold.open[step.id]
    if action.request is not None:  # somebody may have changed its arguments
        call = _effective(session, step, body)
    verdict = recorded_verdict(session, action)
    if verdict is not None and (observation := settled(call, verdict)) is not None:
        if isinstance(call, ToolCall):
            session.past.drop(call)
        assert action.decision is not None
        await _observe(session, step, observation, session.tape[action.decision].by)
        return True
    await _do(session, step, call, verdict)
    return True


async def _do(session: Session, step: Step, action: Action, verdict: Verdict | None) -> None:
    past = session.past.find(action) if isinstance(action, ToolCall) else None
    if past is not None and (verdict is None or verdict.decision != "redo"):
        if past.answer is None:  # the parent may have done it
            await session.commit([request(step, action, "unknown_outcome")])
            return
        session.past.drop(past.call)
        await _observe(session, step, past.answer, By("tool", past.call.name))
        return
    if past is not None:
        session.past.drop(past.call)
    if step.id in session.begun:
        _logger.info("tape %s: step %d is done again, same key", session.tape.id, step.seq)
    session.begun.add(step.id)
    session.acted = True
    if session.watched:
        session.emit(ActionEvent(step))
    calling = Calling(session, step)
    try:
        with session.telemetry.action(step, action) as told_of:
            observation = await _carry_out(session, step, action, calling)
            told_of.answered(observation)
    except OutcomeUnknown as unknown:
        _logger.warning(
            "tape %s: nobody knows whether step %d was done: it waits for a decision",
            session.tape.id,
            step.seq,
        )
        session.doubts[step.id] = f"`{named(action)[0]}`: {unknown.message}"
        why = text_part(unknown.message[:2000]).content
        await session.commit([request(step, action, "unknown_outcome", message=why)])
        return
    by = By("person") if isinstance(observation, UserMessage) else maker("tool", named(action)[0])
    calling.keep(observation)
    await _observe(session, step, observation, by)


def _effective(session: Session, step: Step, call: Action) -> Action:
    """A tool call with edited arguments, and with the stricter effect of then and now."""
    if not isinstance(call, ToolCall):
        return call
    if session.fold.open[step.id].request is not None:
        call = edited(session.tape, step, call)
    now = session.around_frame(step.frame).effect_of(call.name)
    if now != call.effect and _EFFECTS.index(now) > _EFFECTS.index(call.effect):
        return changed(call, effect=now)
    return call


async def _carry_out(session: Session, step: Step, action: Action, calling: Calling) -> Observation:
    """Have an action done; for a tool call, whatever fails becomes an observation.

    Raises:
        RunError: Nobody answers, or the environment raised.
        OutcomeUnknown: The tool may have done it, and must not do it twice.
    """
    if not isinstance(action, ToolCall):
        observation = await _asked(session, step, action)
        if observation is None:
            raise RunError(
                f"nobody answers the action `{action.kind}` of step {step.seq}: pass an "
                "environment that does"
            )
        return observation
    if session.privacy is not None and not _works_on_placeholders(session, step, action):
        try:
            action = await session.privacy.call(session, step, action)
        except UnresolvedError as error:
            return _failed(action, "bad_arguments", str(error))
    try:
        if session.options.simulate is not None and _is_outside(session, action):
            result = session.options.simulate(action)
            return ToolResult(call_id=action.call_id, name=action.name, result=result)
        answer = await _answered(session, step, action, calling)
    except OutcomeUnknown:
        raise
    except Exception as error:
        return _failed(action, "raised", told(error))
    if not isinstance(answer, Observation):
        return _failed(action, "bad_result", f"the environment answered {type(answer).__name__}")
    if step.by.call and action.call_id and not isinstance(answer, ToolResult | ToolError):
        return _failed(action, "bad_result", f"the environment answered `{answer.kind}`")
    return answer


def _works_on_placeholders(session: Session, step: Step, call: ToolCall) -> bool:
    tools = session.around_frame(step.frame).tools()
    return any(tool.placeholders for tool in tools if tool.name == call.name)


async def _answered(
    session: Session, step: Step, call: ToolCall, calling: Calling
) -> Observation | None:
    """The environment's answer; what may be repeated is tried once more with the same key.

    Raises:
        OutcomeUnknown: It may have been done, and must not be done twice.
    """
    around, context = session.around_frame(step.frame), calling.context()
    if call.effect not in _REPEATED:
        return await around.answer(call, context)
    try:
        return await around.answer(call, context)
    except OutcomeUnknown:
        _logger.info("tape %s: step %d is tried once more, same key", session.tape.id, step.seq)
    try:
        return await around.answer(call, context)
    except OutcomeUnknown as unknown:
        return _failed(call, "raised", f"{unknown.message} (tried twice)")


def _is_outside(session: Session, call: ToolCall) -> bool:
    part = session.environment.part_of(call)
    outside = part is None or part.state_contract == "external"
    return outside and call.effect not in ("read", None)


async def _asked(session: Session, step: Step, action: Action) -> Observation | None:
    """What the environments answer to an action that is no tool call."""
    notes: list[Draft] = []
    if session.privacy is not None:
        action, notes = session.privacy.action(action, step)
    try:
        answer = await session.around_frame(step.frame).answer(
            action, Calling(session, step).context()
        )
    except PlayheadError:
        raise
    except Exception as error:
        raise RunError(
            f"the environment raised {told(error)} on the action `{action.kind}` of step "
            f"{step.seq}: mend it, then resume"
        ) from error
    if answer is not None and not isinstance(answer, Observation):
        raise RunError(f"the environment answered `{action.kind}` with {type(answer).__name__}")
    if answer is not None and notes:
        await session.commit(notes)
    return answer


def _failed(call: ToolCall, code: ToolErrorCode, message: str) -> ToolError:
    return ToolError(call_id=call.call_id, name=call.name, code=code, message=message)


async def _observe(session: Session, step: Step, observation: Observation, by: By) -> None:
    """Record an answer. A model that gave no id of its own finds it under the action's.

    If a person changed the arguments, the answer says so, as it is what the model reads.
    """
    action = step.body
    if isinstance(observation, ToolResult | ToolError):
        call_id: str | None = None  # then it is said as text
        if isinstance(action, ToolCall):
            call_id = action.call_id or (step.id if step.by.call is None else None)
        arguments = _other_arguments(session, step)
        if observation.call_id != call_id or observation.arguments != arguments:
            observation = changed(observation, call_id=call_id, arguments=arguments)
    try:
        await session.commit([Draft(observation, by=by, re=(step.id,), frame=step.frame)])
    except TapeError as error:
        if not isinstance(action, ToolCall):
            raise
        failed = _failed(action, "bad_result", f"the answer cannot be written: {told(error)}")
        await _observe(session, step, failed, by)


def _other_arguments(session: Session, step: Step) -> Json:
    """The arguments that a person gave an action; None if they are the agent's own."""
    call, open_action = step.body, session.fold.open.get(step.id)
    if not isinstance(call, ToolCall) or open_action is None or open_action.decision is None:
        return None
    arguments = edited(session.tape, step, call).arguments
    return None if arguments == call.arguments else arguments
