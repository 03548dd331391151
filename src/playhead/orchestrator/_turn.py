"""A turn: one node at work on a view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playhead.agent import Agent, Node, NodeContext
from playhead.errors import NodeError, told
from playhead.llm import Completion
from playhead.orchestrator._bodies import arranged
from playhead.orchestrator._calls import completion_of
from playhead.orchestrator._session import Session
from playhead.tape import Body, By, Draft, Step, Tape, View, changed
from playhead.tape.kinds import Context, ModelCall, NodeRun, Return, ToolCall, UserMessage


@dataclass(slots=True)
class Turn:
    """One node at work; `by` says so in its steps."""

    session: Session
    agent: Agent
    node: Node
    view: View
    ctx: NodeContext
    by: By

    def draft(self, body: Body) -> Draft:
        """A step that says that the node ran, in its frame."""
        return Draft(body, by=self.by, frame=self.view.frame.id)

    @property
    def maker(self) -> By:
        """Who made what the node gives: its agent, or the player that it is."""
        plays = self.node.plays
        return plays if plays is not None and self.by.call is None else self.by

    def drafts(self, bodies: Iterable[object]) -> list[Draft]:
        """Drafts of what the node made.

        Raises:
            AgentError: It made what it must not.
        """
        agents = self.session.agents
        made = arranged(self.agent, self.view.frame, bodies, agents=agents)
        if not made and self.by.call is not None:
            return [self.draft(NodeRun(node=self.node.name))]
        return [self._draft_of(body) for body in made]

    def _draft_of(self, body: Body) -> Draft:
        frame = self.view.frame
        if isinstance(body, ToolCall):
            effect = self.session.around[self.agent.name].effect_of(body.name)
            body = changed(body, effect=effect)
        if isinstance(body, Return):
            assert frame.caller is not None
            assert frame.delegate is not None
            return Draft(body, by=self.maker, re=(frame.delegate,), frame=frame.caller)
        return Draft(body, by=self.maker, frame=frame.id)

    async def fault(self, error: Exception) -> NodeError:
        """Record that the node's code raised."""
        message = (
            f"node `{self.node.name}` of agent `{self.agent.name}` raised {told(error)}. Mend it "
            "and resume: nothing is asked or done twice"
        )
        await self.session.pause("error", message)
        return NodeError(message, node=self.node.name, agent=self.agent.name)


def begun_turn(session: Session, first: Step) -> tuple[Turn, Completion | None, Context | None]:
    """The turn that a step of the tape began, its completion, and what it read from its context."""
    frame = session.fold.frames[first.frame]
    agent = session.agent_of(frame.agent)
    assert first.by.node is not None
    node = agent.node_named(first.by.node)
    context = context_of(session.tape, first)
    ctx = NodeContext(deps=session.options.deps, recorded=context)
    view = View(session.tape.at(first.seq), session.fold, frame)
    call = first.body
    if isinstance(call, ModelCall):
        by, completion = By("agent", agent.name, node.name, call=first.id), completion_of(call)
    else:
        by, completion = By("agent", agent.name, node.name, session.config), None
    return Turn(session, agent, node, view, ctx, by), completion, context


def begins_turn(step: Step) -> bool:
    """Whether a turn begins here: a complete model call, or the mark of a run without one."""
    if step.by.type != "agent" or step.erased:
        return False
    if step.kind == ModelCall.kind:
        body = step.body
        return isinstance(body, ModelCall) and body.status == "complete"
    return step.kind == NodeRun.kind and step.by.call is None


def turn_steps(tape: Tape, first: Step) -> Iterator[Step]:
    """The steps of the turn that a step began, also those that were made after an interruption."""
    is_call = first.kind == ModelCall.kind
    for step in tape.range(first.seq + 1, len(tape)):
        if step.by.type == "player":  # made by the node that ran last
            yield step
        if step.by.type != "agent":
            continue
        mine = (first.by.name, first.by.node, first.id if is_call else None)
        if (step.by.name, step.by.node, step.by.call) != mine:
            return
        if step.kind == ModelCall.kind or begins_turn(step):
            return
        yield step


def context_of(tape: Tape, first: Step) -> Context | None:
    """What the node of a turn read from its context, in all its tries."""
    found: Context | None = None
    for step in turn_steps(tape, first):
        if step.kind == Context.kind and isinstance(step.body, Context):
            found = step.body
    return found


def next_node(agent: Agent, view: View) -> Node | None:
    """The node that runs next: from the first one on again, if the list had come to its end."""
    node = agent.next_node(view.frame)
    if node is None and view.frame.caller is None and _was_spoken_to(view.tape):
        return agent.nodes[0]
    return node


def _was_spoken_to(tape: Tape) -> bool:
    """Whether the person said something since a node ran."""
    for seq in range(len(tape) - 1, -1, -1):
        step = tape[seq]
        if step.by.type == "agent":
            return False
        if step.kind == UserMessage.kind:
            return True
    return False
