"""Teams: agents whose subagents work together in one of four ways."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from playhead.agent._agent import Agent
from playhead.agent._node import Node
from playhead.agent._signals import Signals
from playhead.agent.prompting import PromptNode
from playhead.agent.teams._ends import BY_FINISH, Ends
from playhead.agent.teams._nodes import (
    WINDOW,
    ChainNode,
    ChatNode,
    DeskNode,
    ManagerNode,
    Speakers,
)
from playhead.errors import AgentError
from playhead.llm import Model
from playhead.tape import Json

EndsArgument = Ends | Mapping[str, Json] | None
_REPORT = "Answer what was asked, from what the members of your team said."


class Team(Agent):
    """An agent that leads others. Each works in a frame of its own, and sees its own view.

    Make one with `manager`, `chain`, `group_chat` or `hand_off`. A team is an agent: it can be a
    member of another team. `ends` are the rules of which any one ends its work (see `Ends`).
    """

    @classmethod
    def manager(
        cls,
        name: str,
        workers: Sequence[Agent],
        *,
        ends: EndsArgument = None,
        report: str = _REPORT,
        window: int | None = None,
        model: Model | str | None = None,
        **agent: Any,  # noqa: ANN401
    ) -> Self:
        """A manager whose model delegates to workers, which are tools to it.

        Args:
            name: Unique among all agents.
            workers: The subagents.
            ends: When it has to answer without delegating any more; after 20 turns of workers if
                not given.
            report: What it is told then.
            window: Of the manager's conversation, as for `ToolCallingNode`.
            model: The manager's model, and that of workers without one.
            agent: The other arguments of `Agent`, such as `instructions` and `tools`.
        """
        rules = Ends.of(ends, Ends(turns=20))
        nodes: list[Node] = [
            ManagerNode(ends=rules, report="report", window=window),
            PromptNode("report", prompt=report),
        ]
        subagents = _several(name, workers, 1)
        return cls(name, model=model, nodes=nodes, subagents=subagents, **agent)

    @classmethod
    def chain(
        cls,
        name: str,
        members: Sequence[Agent],
        *,
        words: str = "",
        ends: EndsArgument = None,
        report: str = "",
        model: Model | str | None = None,
        **agent: Any,  # noqa: ANN401
    ) -> Self:
        """Members that work one after another, each on what the one before it made.

        Args:
            name: Unique among all agents.
            members: In their order.
            words: Template of what a later member is told, with `task`, `last` and `said`.
            ends: What ends it early.
            report: The prompt with which the team's model answers at the end; if it is empty, what
                the last member said is the answer.
            model: For the report, and for members without one.
            agent: The other arguments of `Agent`; its `instructions` are for the report.
        """
        reporting = _reporting(report)
        chain = ChainNode(words=words, ends=Ends.of(ends, Ends()), report=_name_of(reporting))
        subagents = _several(name, members, 1)
        return cls(name, model=model, nodes=[chain, *reporting], subagents=subagents, **agent)

    @classmethod
    def group_chat(
        cls,
        name: str,
        members: Sequence[Agent],
        *,
        speakers: Speakers = "in_turn",
        ends: EndsArgument = None,
        report: str = "",
        window: int = WINDOW,
        model: Model | str | None = None,
        **agent: Any,  # noqa: ANN401
    ) -> Self:
        """Members that speak one after another, each told what was said.

        Members that call tools are offered `finish`, which ends the chat by a typed step.

        Args:
            name: Unique among all agents.
            members: Those who speak.
            speakers: Who is next: `in_turn`, `chosen` by the team's model, or at `random`.
            ends: When it is over; if not given, by `finish`, or after 12 turns.
            report: As for `chain`.
            window: How many of the newest messages a member is told of.
            model: Chooses speakers, reports; and that of members without one.
            agent: The other arguments of `Agent`; its `instructions` are for the choice and the
                report.
        """
        reporting = _reporting(report)
        chat = ChatNode(
            speakers=speakers,
            ends=Ends.of(ends, replace(BY_FINISH, turns=12)),
            window=window,
            report=_name_of(reporting),
        )
        speaking = _several(name, [_signalling(each, finish=True) for each in members], 2)
        return cls(name, model=model, nodes=[chat, *reporting], subagents=speaking, **agent)

    @classmethod
    def hand_off(
        cls,
        name: str,
        members: Sequence[Agent],
        *,
        ends: EndsArgument = None,
        window: int = WINDOW,
        model: Model | str | None = None,
        **agent: Any,  # noqa: ANN401
    ) -> Self:
        """Members that talk to the person one at a time, and hand the conversation to each other.

        Members that call tools are offered `hand_off_to_…` for each of the others. The first
        member begins; whom the conversation was handed to keeps it.

        Args:
            name: Unique among all agents.
            members: The first one begins.
            ends: When it is not handed on any more and what was said last is the answer; after 5
                turns on one message if not given.
            window: How many of the newest messages a member is told of.
            model: Of members without one.
            agent: The other arguments of `Agent`.
        """
        names = [each.name for each in members]
        talking = [
            _signalling(each, hand_off=tuple(other for other in names if other != each.name))
            for each in members
        ]
        desk = DeskNode(ends=Ends.of(ends, Ends(turns=5)), window=window)
        return cls(name, model=model, nodes=[desk], subagents=_several(name, talking, 2), **agent)


def _several(team: str, members: Sequence[Agent], least: int) -> Sequence[Agent]:
    if len(members) < least:
        raise AgentError(f"team `{team}` has {len(members)} members: it takes at least {least}")
    return members


def _reporting(report: str) -> list[Node]:
    return [PromptNode("report", prompt=report)] if report else []


def _name_of(reporting: list[Node]) -> str | None:
    return reporting[0].name if reporting else None


def _signalling(agent: Agent, **signals: Any) -> Agent:  # noqa: ANN401
    """The agent with signals for those of its nodes that call tools and say nothing of signals."""
    if not isinstance(agent, Agent):  # told by the team's own check
        return agent
    made = copy.copy(agent)
    made.nodes = tuple(_with(node, Signals(**signals)) for node in agent.nodes)
    return made


def _with(node: Node, signals: Signals) -> Node:
    if not node.offers_tools or node.signals.describe():
        return node
    made = copy.copy(node)
    made.signals = signals
    return made
