"""What a node made, as it goes on the tape."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from playhead.agent import Agent
from playhead.errors import AgentError
from playhead.tape import Body, Frame, Note, Part
from playhead.tape.kinds import (
    AssistantMessage,
    Checked,
    Delegate,
    NextNode,
    Pause,
    Return,
    ToolCall,
)


def arranged(
    agent: Agent, frame: Frame, bodies: Iterable[object], *, agents: Collection[str]
) -> list[Body]:
    """A node's bodies in the order and form in which they become steps.

    What a subagent says is its return. That comes last, and before it which node runs next, so
    that it holds.

    Raises:
        AgentError: Something is no body, or a note that the system alone writes; or a node or
            agent that is named does not exist.
    """
    made: list[Body] = []
    following: list[Body] = []
    said: list[Part] = []
    returns = False
    for body in bodies:
        _check(agent, body, agents)
        if isinstance(body, NextNode):
            following = [body]
        elif isinstance(body, Return) or (
            isinstance(body, AssistantMessage) and frame.caller is not None
        ):
            if frame.caller is None:
                raise AgentError(f"agent `{agent.name}` was called by nobody: it cannot return")
            returns = True
            said.extend(body.parts)
        else:
            assert isinstance(body, Body)
            made.append(body)
    if returns:
        following.append(Return(agent=agent.name, parts=tuple(said), call_id=frame.call_id))
    return [*made, *following]


def _check(agent: Agent, body: object, agents: Collection[str]) -> None:
    if not isinstance(body, Body):
        raise AgentError(f"a node gives steps, not a {type(body).__name__}")
    if isinstance(body, Note) and body.kind.startswith("playhead.") and not _may_note(body):
        raise AgentError(f"`{body.kind}` is a note that the system alone writes")
    if isinstance(body, NextNode):
        agent.node_named(body.node)
    if isinstance(body, Delegate) and body.agent not in agents:
        raise AgentError(f"no agent `{body.agent}` to delegate to, only {', '.join(agents)}")


def _may_note(body: Note) -> bool:
    """Whether a note is one that says what a node found: a check's verdict, that it gives up."""
    return isinstance(body, Checked) or (isinstance(body, Pause) and body.reason == "handed_over")


def same(recorded: Body, made: Body) -> bool:
    """Whether a recorded step says what a node makes now. Effects are the environment's."""
    if isinstance(recorded, ToolCall) and isinstance(made, ToolCall):
        return recorded == made.model_copy(update={"effect": recorded.effect})
    return recorded == made
