"""Asking a model: what fails is recorded, what was cut is asked again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from typing import Literal

from playhead.errors import CutCompletionError, ModelError, PlayheadError, StoreError
from playhead.llm import CallIdentity, Completion, Model, ModelRequest, OnDelta, Prompt
from playhead.orchestrator._calls import call_note, foreign, sound
from playhead.orchestrator._events import DeltaEvent, ModelCallEvent
from playhead.orchestrator._turn import Turn
from playhead.tape import Draft, Json, Step
from playhead.tape.kinds import ModelCall, PromptRecord

_logger = logging.getLogger("playhead.orchestrator")
_CUT_TRIES = 3  # calls in a row whose completion was cut


async def ask(
    turn: Turn, model: Model, prompt: Prompt
) -> tuple[PromptRecord, Completion, ModelCall]:
    """A completion of the prompt, and the note about it, not yet on the tape.

    Raises:
        ModelError: There is none; the tape says why.
        NodeError: The prompt cannot be recorded.
    """
    session = turn.session
    if session.watched:
        session.emit(ModelCallEvent(turn.agent.name, turn.node.name, model.name))
    if session.privacy is not None:
        prompt = session.privacy.prompt(prompt)
    for tries_left in reversed(range(_CUT_TRIES)):
        request = _request(turn, prompt)
        if session.privacy is not None:
            request = await session.privacy.request(session, model, request)
        record = await _recorded(turn, model, prompt)
        try:
            frame, telemetry = turn.view.frame, session.telemetry
            with telemetry.call(frame, model, request=request, prompt=prompt) as told:
                completion = sound(model, await _answered(turn, model, request))
                note = call_note(model, record, completion)
                told.called(note)
            return record, completion, note
        except CutCompletionError as error:
            await _record_failure(turn, model, record, error)
            _logger.warning(
                "tape %s: model `%s` gave a completion that was cut, %d more tries",
                session.tape.id,
                model.name,
                tries_left,
            )
            if not tries_left or error.data.get("again") is False:
                await turn.session.pause("error", str(error))
                raise
        except Exception as error:
            fault = foreign(model, error)
            await _record_failure(turn, model, record, fault)
            await turn.session.pause("error", str(fault))
            if isinstance(error, PlayheadError):  # such as a missing extra: it says what to do
                raise
            raise fault from error
    raise AssertionError("the last try returns or raises")


def _answered(turn: Turn, model: Model, request: ModelRequest) -> Awaitable[Completion]:
    privacy = turn.session.privacy
    if privacy is None:
        return model.complete(request, _watcher(turn))
    return privacy.complete(model, request, _watcher(turn))


def _request(turn: Turn, prompt: Prompt) -> ModelRequest:
    node, frame = turn.node, turn.view.frame
    ordinal = frame.ordinals.get(node.name, 0)
    return ModelRequest(
        prompt=prompt,
        tools=node.tools if node.offers_tools else (),
        settings=_merged(turn.agent.settings, node.settings),
        identity=CallIdentity(frame.id, node.name, ordinal, tape=turn.session.tape.id),
        blob=turn.session.read_blob,
    )


def _merged(*settings: Mapping[str, Json]) -> dict[str, Json]:
    """Settings over those before them; most often there are none."""
    merged: dict[str, Json] = {}
    for each in settings:
        if each:
            merged.update(each)
    return merged


async def _recorded(turn: Turn, model: Model, prompt: Prompt) -> PromptRecord:
    session = turn.session
    try:
        return session.prompts.record(
            prompt,
            seq=len(session.tape),
            tools=session.tool_digests[turn.agent.name, turn.node.name],
            settings=_merged(model.settings, turn.agent.settings, turn.node.settings),
            fit=session.fitter.message,
        )
    except Exception as error:  # it holds what is no message, or cannot be written
        raise await turn.fault(error) from error


async def _record_failure(
    turn: Turn, model: Model, record: PromptRecord, error: ModelError
) -> None:
    cut = error.data.get("completion")
    completion = cut if isinstance(cut, Completion) else None
    status: Literal["incomplete", "failed"] = "incomplete" if completion else "failed"
    try:
        note = call_note(model, record, completion, status=status, error=error)
        await commit(turn, [turn.draft(note)], record)
    except StoreError:
        raise
    except Exception:  # what came cannot be written: at least that something came
        note = call_note(model, record, None, status=status, error=error)
        await commit(turn, [turn.draft(note)], record)


def commit(turn: Turn, drafts: list[Draft], record: PromptRecord | None) -> Awaitable[list[Step]]:
    """Store a turn's steps, and with them what its prompt adds to the literal table."""
    return turn.session.commit(drafts, literals=record.keep if record else ())


def _watcher(turn: Turn) -> OnDelta | None:
    if not turn.session.watched:
        return None
    agent, node = turn.agent.name, turn.node.name
    return lambda delta: turn.session.emit(DeltaEvent(agent, node, delta))
