"""Nodes that lead a team: they give the word to members, and look at what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from playhead.agent._context import NodeContext
from playhead.agent._native import ToolCallingNode
from playhead.agent._node import Node
from playhead.agent.prompting._node import option_in
from playhead.agent.prompting._values import Texts
from playhead.agent.prompting._walk import asked, failures
from playhead.agent.teams._ends import Ends, delegates, returns
from playhead.agent.teams._words import (
    backwards_returns,
    handed_to,
    last_said,
    said_by,
    spoken,
    transcript,
)
from playhead.errors import AgentError
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import Body, Json, Part, Step, View, system, text_parts, user
from playhead.tape.kinds import (
    AssistantMessage,
    Delegate,
    NextNode,
    Output,
    ParseError,
)

if TYPE_CHECKING:
    from playhead.agent._agent import Agent

Speakers: TypeAlias = Literal["in_turn", "chosen", "random"]
WINDOW = 20  # messages that a member is told of


class TeamNode(Node):
    """Gives the word to members of a team until a rule says that the work is done.

    Args:
        name: Unique within the agent.
        ends: When the work is over.
        window: How many of the newest messages a member is told of.
        report: The node that answers at the end; if not given, what was said last is the answer.
        config: What else decides its behaviour.
    """

    def __init__(
        self,
        name: str,
        *,
        ends: Ends,
        window: int = WINDOW,
        report: str | None = None,
        **config: Json,
    ) -> None:
        if window < 1:
            raise AgentError(f"a member is told of at least 1 message, not {window}")
        described: dict[str, Json] = {"ends": ends.describe(), "window": window, "report": report}
        super().__init__(name, next=name, **described, **config)
        self.ends, self.window, self.report = ends, window, report

    def leads_to(self) -> Iterable[str]:
        """See `Node.leads_to`."""
        return [self.name, *([self.report] if self.report else [])]

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`."""
        super().bind(agent, tools)
        self.members = [subagent.name for subagent in agent.subagents]

    def done(self, view: View, held: dict[str, Json]) -> list[Body]:
        """The steps that end the work: which rule held, and the answer or who gives it."""
        why = Output(name=self.name, value=held)
        if self.report is not None:
            return [why, NextNode(node=self.report)]
        return [why, AssistantMessage(parts=last_said(view))]

    def word(self, view: View, member: str) -> list[Body]:
        """The step that gives the word to a member."""
        return [Delegate(agent=member, parts=transcript(view, self.window))]


class ChainNode(TeamNode):
    """Each member in its turn, once; each is given what the one before it said.

    Args:
        name: Unique within the agent.
        words: Template of what a later member is told, with `task`, `last` and `said` (a list of
            `{agent, text}`); if not given, the task and what was said last.
        ends: What ends it before its end.
        report: As for `TeamNode`.
    """

    def __init__(
        self, name: str = "chain", *, words: str = "", ends: Ends, report: str | None = None
    ) -> None:
        super().__init__(name, ends=ends, report=report, words=words)
        self.words = words

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`."""
        super().bind(agent, tools)
        self._texts = Texts(agent, self.tools, more=("said",))
        self._template = self._texts.compiled(self.words)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """The word for the next member, or the answer."""
        said = returns(view)
        if len(said) >= len(self.members):
            return self.done(view, {"rule": "chain", "value": len(said)})
        if (held := self.ends.held(view)) is not None:
            return self.done(view, held)
        parts = self._parts(view, said, ctx)
        return [Delegate(agent=self.members[len(said)], parts=parts)]

    def _parts(self, view: View, said: list[Step], ctx: NodeContext) -> tuple[Part, ...]:
        if not said:
            return transcript(view, 1)
        told = [said_by(step) for step in reversed(said)]
        if self.words:
            more: dict[str, Json] = {"said": [{"agent": a, "text": t} for a, t in told]}
            return text_parts(self._texts.rendered(self._template, view, ctx, more=more))
        agent, text = told[-1]
        return text_parts(f"{asked(view)}\n\n{spoken(agent, text)}")


class ChatNode(TeamNode):
    """A group chat: members speak one after another, and each is told what was said.

    Args:
        name: Unique within the agent.
        speakers: Who speaks next: `in_turn`, `chosen` by the team's model, or at `random`.
        ends: When it is over.
        window: As for `TeamNode`.
        report: As for `TeamNode`.
    """

    def __init__(
        self,
        name: str = "chat",
        *,
        speakers: Speakers = "in_turn",
        ends: Ends,
        window: int = WINDOW,
        report: str | None = None,
    ) -> None:
        if speakers not in ("in_turn", "chosen", "random"):
            raise AgentError(f"speakers are `in_turn`, `chosen` or `random`, not `{speakers}`")
        super().__init__(name, ends=ends, window=window, report=report, speakers=speakers)
        self.speakers = speakers

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`."""
        super().bind(agent, tools)
        about = [f"- {each.name}: {each.description or 'a member'}" for each in agent.subagents]
        opening = agent.instructions or "You lead a conversation among these members."
        self._opening = system("\n".join([opening, "", *about]))

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:
        """Who shall speak, where the model chooses."""
        if self.speakers != "chosen" or self.ends.held(view) is not None:
            return None
        names = ", ".join(self.members)
        said = "".join(getattr(part, "content", "") for part in transcript(view, self.window))
        question = f"Who speaks next? Answer with one of these names alone: {names}."
        return Prompt.of(self._opening, user(f"{said}\n\n{question}"))

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """The word for the next speaker, or the answer."""
        held = self.ends.held(view)
        if held is not None:
            return self.done(view, held)
        if completion is None:
            return self.word(view, self._next(view, ctx))
        chosen = option_in(completion.text, self.members)
        if chosen is None and not failures(view, self.name):
            message = f"answer with one of {', '.join(self.members)}, and nothing else"
            return [ParseError(message=message), NextNode(node=self.name)]
        return self.word(view, chosen or self._next(view, ctx))

    def _next(self, view: View, ctx: NodeContext) -> str:
        if self.speakers == "random":
            return ctx.rng.choice(self.members)
        return self.members[len(delegates(view)) % len(self.members)]


class DeskNode(TeamNode):
    """The members talk to the person one at a time, and hand the conversation to each other."""

    def __init__(self, name: str = "desk", *, ends: Ends, window: int = WINDOW) -> None:
        super().__init__(name, ends=ends, window=window)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """What a member said to the person; or the word for whom it is to be handed to."""
        said = returns(view)
        if not said:
            return self.word(view, self._at_the_desk(view))
        target = handed_to(view, said[0])
        if target not in self.members:
            return [AssistantMessage(parts=last_said(view))]
        if (held := self.ends.held(view)) is not None:
            return self.done(view, held)
        return self.word(view, target)

    def _at_the_desk(self, view: View) -> str:
        """Who spoke with the person last, or whom it was handed to."""
        last = next((step for step in backwards_returns(view)), None)
        if last is None:
            return self.members[0]
        target = handed_to(view, last) or said_by(last)[0]
        return target if target in self.members else self.members[0]


class ManagerNode(ToolCallingNode):
    """A tool-calling node that delegates, until a rule says that it has to answer.

    Args:
        name: Unique within the agent.
        ends: When no more is delegated.
        report: The node that answers then.
        window: As for `ToolCallingNode`.
    """

    def __init__(
        self, name: str = "act", *, ends: Ends, report: str, window: int | None = None
    ) -> None:
        super().__init__(name, window=window)
        self.config |= {"ends": ends.describe(), "report": report}
        self.ends, self.report = ends, report

    def leads_to(self) -> Iterable[str]:
        """See `Node.leads_to`."""
        return [self.name, self.report]

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:  # type: ignore[override]
        """The conversation; nothing, when the work is over."""
        return None if self.ends.held(view) is not None else super().make_prompt(view, ctx)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """As a tool-calling node; at the end, which rule held."""
        if completion is None:
            held = self.ends.held(view)
            return [Output(name=self.name, value=held), NextNode(node=self.report)]
        return super().generate_steps(view, completion, ctx)
