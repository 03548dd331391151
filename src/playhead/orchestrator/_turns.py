"""The agent's part of a session: choose a node, ask its model, seal what it makes of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from playhead.agent import Agent, Node, NodeContext
from playhead.errors import (
    AgentError,
    CutCompletionError,
    ModelError,
    ModelUnavailableError,
    NodeError,
)
from playhead.llm import CallIdentity, Completion, Model, ModelRequest, OnDelta, Prompt
from playhead.orchestrator._events import DeltaEvent, ModelCallEvent
from playhead.orchestrator._session import Session
from playhead.tape import Body, By, Draft, View, assistant, text_part, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Attempt,
    ModelCall,
    NextNode,
    NodeRun,
    PromptRecord,
    Return,
    Stop,
    ToolCall,
)

_CUT_TRIES = 3  # calls in a row whose completion was cut


@dataclass(slots=True)
class _Turn:
    """One node at work."""

    session: Session
    agent: Agent
    node: Node
    view: View
    ctx: NodeContext
    by: By

    def draft(self, body: Body) -> Draft:
        return Draft(body, by=self.by, frame=self.view.frame.id)

    async def fault(self, error: Exception) -> NodeError:
        """Record that the node's code raised."""
        message = (
            f"node `{self.node.name}` of agent `{self.agent.name}` raised "
            f"{type(error).__name__}: {error}. Mend it and resume: nothing is asked or done twice"
        )
        await self.session.pause("error", message)
        return NodeError(message, node=self.node.name, agent=self.agent.name)


async def take_turn(session: Session) -> None:
    """Run the node that the tape says comes next.

    Raises:
        ModelError: The model gave no completion; the tape says so and can be resumed.
        NodeError: The node's code raised; its completion is stored and will not be paid again.
    """
    frame = session.fold.frame
    agent = session.agent_of(frame.agent)
    ctx = NodeContext(deps=session.options.deps)
    view = View(session.tape, session.fold, frame)
    if session.fold.unparsed is not None:
        await _parse_stored(session, agent, view, ctx)
        return
    node = agent.next_node(frame)
    if node is None:
        await _end_of_nodes(session, agent, view)
        return
    by = By("agent", agent.name, node.name, session.config)
    turn = _Turn(session, agent, node, view, ctx, by)
    try:
        prompt = node.make_prompt(view, ctx)
    except Exception as error:
        raise await turn.fault(error) from error
    if prompt is None:
        await _finish(turn, [turn.draft(NodeRun(node=node.name))], None)
    else:
        await _with_model(turn, prompt)


async def _with_model(turn: _Turn, prompt: Prompt) -> None:
    model = turn.agent.model or turn.session.agent.model
    if model is None:
        raise AgentError(
            f"node `{turn.node.name}` asks a model, but agent `{turn.agent.name}` has none: "
            "pass `model=`"
        )
    record, completion = await _ask(turn, model, prompt)
    call = turn.draft(call_note(model, record, completion))
    turn.by = By("agent", turn.agent.name, turn.node.name, call=call.id)
    await _finish(turn, [call], completion, record)


async def _ask(turn: _Turn, model: Model, prompt: Prompt) -> tuple[PromptRecord, Completion]:
    """Ask the model; what failed is recorded, and what was cut is asked again."""
    session, node, frame = turn.session, turn.node, turn.view.frame
    session.emit(ModelCallEvent(turn.agent.name, node.name, model.name))
    request = ModelRequest(
        prompt=prompt,
        tools=node.tools if node.offers_tools else (),
        settings=turn.agent.settings,
        identity=CallIdentity(frame.id, node.name, frame.ordinals.get(node.name, 0)),
        blob=session.read_blob,
    )
    for tries_left in reversed(range(_CUT_TRIES)):
        record = session.prompts.record(
            prompt,
            seq=len(session.tape),
            tools=session.tool_digests[turn.agent.name, node.name],
            settings=turn.agent.settings,
            fit=session.fitter.message,
        )
        try:
            return record, await model.complete(request, _watcher(turn))
        except CutCompletionError as error:
            await _record_failure(turn, model, record, error)
            if not tries_left:
                await session.pause("error", str(error))
                raise
        except Exception as error:
            fault = error if isinstance(error, ModelError) else _foreign(model, error)
            await _record_failure(turn, model, record, fault)
            await session.pause("error", str(fault))
            raise fault from error
    raise AssertionError("the last try returns or raises")


async def _record_failure(
    turn: _Turn, model: Model, record: PromptRecord, error: ModelError
) -> None:
    cut = error.data.get("completion")
    completion = cut if isinstance(cut, Completion) else None
    status: Literal["incomplete", "failed"] = "incomplete" if completion else "failed"
    note = call_note(model, record, completion, status=status, error=error)
    await _commit(turn, [turn.draft(note)], record)


async def _finish(
    turn: _Turn,
    drafts: list[Draft],
    completion: Completion | None,
    record: PromptRecord | None = None,
) -> None:
    """Seal what the node makes of the completion, together with the call that it comes from."""
    fault: Exception | None = None
    made: list[Draft] = []
    try:
        bodies = list(turn.node.generate_steps(turn.view, completion, turn.ctx))
        made = _made(turn, bodies)
    except Exception as error:
        fault = error
    if (note := turn.ctx.note()) is not None:
        drafts = [*drafts, turn.draft(note)]
    if fault is None or record is not None:  # a completion is kept, whatever becomes of it
        await _commit(turn, [*drafts, *made], record)
    if fault is not None:
        raise await turn.fault(fault) from fault


async def _commit(turn: _Turn, drafts: list[Draft], record: PromptRecord | None) -> None:
    first = turn.session.fold.literals
    keep = record.keep if record else ()
    literals = [(first + i, seq, item) for i, (seq, item) in enumerate(keep)]
    await turn.session.commit(drafts, literals=literals)
    if record is not None:
        turn.session.prompts.commit()


async def _parse_stored(session: Session, agent: Agent, view: View, ctx: NodeContext) -> None:
    """Finish a turn whose completion was stored, but from which no step was made."""
    assert session.fold.unparsed is not None
    step = session.tape[session.fold.unparsed]
    call = step.body
    assert isinstance(call, ModelCall)
    assert step.by.node is not None
    by = By("agent", agent.name, step.by.node, call=step.id)
    turn = _Turn(session, agent, agent.node_named(step.by.node), view, ctx, by)
    await _finish(turn, [], completion_of(call))


async def _end_of_nodes(session: Session, agent: Agent, view: View) -> None:
    """After the last node: the run ends, or control goes back to the caller."""
    by = By("agent", agent.name, view.frame.last_node, session.config)
    if view.frame.caller is None:
        await session.commit([Draft(Stop(reason="the agent has no further node"), by=by)])
        return
    said = next((message.text for message in reversed(list(view.messages[-8:]))), "")
    await session.commit([_returned(view, agent, by, AssistantMessage(parts=text_parts(said)))])


def _made(turn: _Turn, bodies: Iterable[Body]) -> list[Draft]:
    """Drafts of a node's steps; naming the next node comes last, so that it holds."""
    drafts: list[Draft] = []
    following: list[Draft] = []
    for body in bodies:
        if isinstance(body, NextNode):
            turn.agent.node_named(body.node)
            following = [turn.draft(body)]
        elif isinstance(body, ToolCall):
            effect = turn.session.environment.effect_of(body.name)
            drafts.append(turn.draft(body.model_copy(update={"effect": effect})))
        elif isinstance(body, AssistantMessage) and turn.view.frame.caller is not None:
            drafts.append(_returned(turn.view, turn.agent, turn.by, body))
        else:
            drafts.append(turn.draft(body))
    made = [*drafts, *following]
    return made if made or turn.by.call is None else [turn.draft(NodeRun(node=turn.node.name))]


def _returned(view: View, agent: Agent, by: By, said: AssistantMessage) -> Draft:
    """What a subagent says goes to its caller."""
    frame = view.frame
    assert frame.caller is not None
    assert frame.delegate is not None
    body = Return(agent=agent.name, parts=said.parts, call_id=frame.call_id)
    return Draft(body, by=by, re=(frame.delegate,), frame=frame.caller)


def _watcher(turn: _Turn) -> OnDelta | None:
    if turn.session.options.on_event is None:
        return None
    agent, node = turn.agent.name, turn.node.name
    return lambda delta: turn.session.emit(DeltaEvent(agent, node, delta))


def _foreign(model: Model, error: Exception) -> ModelError:
    return ModelUnavailableError(f"model `{model.name}` raised {type(error).__name__}: {error}")


def call_note(
    model: Model,
    record: PromptRecord,
    completion: Completion | None,
    *,
    status: Literal["complete", "incomplete", "failed"] = "complete",
    error: ModelError | None = None,
) -> ModelCall:
    """What the tape keeps of a model call."""
    attempts = error.data.get("attempts", ()) if error else ()
    answer = completion or Completion(message=assistant(""))
    return ModelCall(
        model=model.name,
        provider=model.provider,
        prompt=record,
        status=status,
        message=answer.message if completion else None,
        finish_reason=answer.finish_reason,
        usage=answer.usage,
        attempts=answer.attempts or tuple(a for a in _tuple(attempts) if isinstance(a, Attempt)),
        seconds=round(answer.seconds, 6),
        price=model.price(answer.usage) if answer.usage else None,
        raw=text_part(answer.raw) if answer.raw is not None else None,
        error=str(error)[:2000] if error else None,
        token_ids=answer.token_ids,
        logprobs=answer.logprobs,
    )


def _tuple(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else ()


def completion_of(call: ModelCall) -> Completion:
    """The completion that a recorded call holds."""
    assert call.message is not None
    return Completion(
        message=call.message,
        finish_reason=call.finish_reason,
        usage=call.usage,
        attempts=call.attempts,
        seconds=call.seconds,
        token_ids=call.token_ids,
        logprobs=call.logprobs,
    )
