"""The student: one model call a turn, which writes all steps of it at once and briefly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from examples.forms.form import Company
from examples.forms.nodes import (
    CallNode,
    DiscoverNode,
    FormNode,
    RouteNode,
    TalkNode,
    state_of,
)
from examples.forms.parsing import Unreadable, read_json, read_step
from examples.forms.prompts import OFFERED
from examples.forms.steps import (
    CallFunction,
    Exit,
    GatherValues,
    UpdateParameters,
    Verified,
    VerifyValues,
)
from examples.forms.values import SKIP
from playhead.agent import Agent
from playhead.llm import Model
from playhead.tape import Body, Json, View, text_parts
from playhead.tape.kinds import AssistantMessage, NextNode

_MEMBERS = ("said", "take", "no", "do", "next", "say")


class StudentNode(FormNode):
    """A whole turn in one completion, which is expanded into the teacher's steps."""

    def read(self, view: View, text: str) -> Sequence[Body]:
        """See `FormNode.read`."""
        form = state_of(view).known_form()
        return expanded(read_json(text), function=form.name)

    def onward(self, view: View, taken: Sequence[Body]) -> Sequence[Body]:
        """See `FormNode.onward`."""
        ends = any(isinstance(step, CallFunction | Exit) for step in taken)
        return [NextNode(node="call" if ends else "route")]


def expanded(value: Json, *, function: str) -> list[Body]:
    """The steps that a compact turn stands for.

    Raises:
        Unreadable: It is not written as asked.
    """
    if not isinstance(value, dict) or set(value) - set(_MEMBERS) or "next" not in value:
        raise Unreadable(f"a turn is an object of {', '.join(_MEMBERS)}; `next` has to be there")
    said, take, no = (_object(value, name) for name in ("said", "take", "no"))
    doing = value.get("do") or []
    if not isinstance(doing, list) or not isinstance(value.get("say", ""), str):
        raise Unreadable("`do` is a list of steps, `say` a text")
    verified = {name: Verified(value=taken, status="valid") for name, taken in take.items()}
    for name, why in no.items():
        verified[name] = Verified(value=said.get(name), status="invalid", explanation=str(why))
    assign = {name: taken for name, taken in take.items() if taken != SKIP}
    skip = tuple(name for name, taken in take.items() if taken == SKIP)
    steps: list[Body] = [
        GatherValues(function=function, parameters=said),
        VerifyValues(function=function, parameters=verified),
        UpdateParameters(function=function, assign=assign, skip=skip),
    ]
    steps += [read_step(item, only=OFFERED["student"]) for item in doing]
    following = read_step(value["next"], only=OFFERED["plan_ahead"])
    steps.append(following)
    if not isinstance(following, CallFunction | Exit):
        if not value.get("say"):
            raise Unreadable("`say` is the message to the customer: write one")
        steps.append(AssistantMessage(parts=text_parts(str(value["say"]))))
    return steps


def _object(value: Mapping[str, Json], name: str) -> dict[str, Json]:
    member = value.get(name) or {}
    if not isinstance(member, dict):
        raise Unreadable(f"`{name}` is an object of parameters")
    return member


def student(company: Company, *, model: Model | str, name: str = "student") -> Agent:
    """The student for a company; arguments as of `teacher`."""
    of = company.name
    nodes = [
        RouteNode("route", begin="student"),
        DiscoverNode("discover", company=of, begin="student"),
        StudentNode("student", company=of),
        TalkNode("generate", company=of, next="route"),
        CallNode("call", company=of, next="route"),
    ]
    return Agent(name, model=model, nodes=nodes)
