"""The teacher: an agent of many small decisions, about five model calls a turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from examples.forms.form import Company
from examples.forms.nodes import CallNode, DiscoverNode, FormNode, RouteNode, TalkNode
from examples.forms.prompts import OFFERED
from examples.forms.steps import CallFunction, Exit, RequestCallConfirmation
from playhead.agent import Agent
from playhead.llm import Model
from playhead.tape import Body, View
from playhead.tape.kinds import NextNode


class GatherNode(FormNode):
    """What did the person say?"""

    reads: ClassVar[tuple[str, ...]] = OFFERED["gather"]


class VerifyNode(FormNode):
    """Does it fit the form?"""

    reads: ClassVar[tuple[str, ...]] = OFFERED["verify"]


class PlanBackNode(FormNode):
    """How is it responded to?"""

    reads: ClassVar[tuple[str, ...]] = OFFERED["plan_back"]


class PlanAheadNode(FormNode):
    """What is next?"""

    reads: ClassVar[tuple[str, ...]] = OFFERED["plan_ahead"]

    def onward(self, view: View, taken: Sequence[Body]) -> Sequence[Body]:
        """See `FormNode.onward`."""
        return [NextNode(node=node_after(taken[-1]))]


def node_after(plan: Body) -> str:
    """The node that carries a plan out."""
    if isinstance(plan, CallFunction | Exit):
        return "call"
    return "confirm" if isinstance(plan, RequestCallConfirmation) else "generate"


def teacher(company: Company, *, model: Model | str, name: str = "teacher") -> Agent:
    """The teacher for a company.

    Args:
        company: Whose forms it fills in; it is told of them by its environment.
        model: A model, or its name, such as `openai:gpt-5-mini`.
        name: The agent's name.
    """
    of = company.name
    nodes = [
        RouteNode("route", begin="gather"),
        DiscoverNode("discover", company=of, begin="gather"),
        GatherNode("gather", company=of),
        VerifyNode("verify", company=of),
        PlanBackNode("plan_back", company=of),
        PlanAheadNode("plan_ahead", company=of),
        TalkNode("generate", company=of, next="route"),
        TalkNode("confirm", company=of, next="route"),
        CallNode("call", company=of, next="route"),
    ]
    return Agent(name, model=model, nodes=nodes)
