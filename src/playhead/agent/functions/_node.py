"""A typed function as a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from playhead.agent._context import NodeContext
from playhead.agent._json_text import json_in
from playhead.agent._node import Node
from playhead.agent.functions._spec import REASONING, FunctionSpec
from playhead.agent.prompting import Reading
from playhead.agent.prompting._repair import repaired
from playhead.agent.prompting._values import value
from playhead.agent.prompting._walk import asked, failures
from playhead.errors import AgentError
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import Body, Json, Message, View, assistant, compact, system, text_parts, user
from playhead.tape.kinds import AssistantMessage, Fault, NextNode, Output, Reflection

if TYPE_CHECKING:
    from playhead.agent._agent import Agent

Binding: TypeAlias = str | Mapping[str, Json]
_SOURCES = ("asked", "last", "outputs", "plan", "reflection", "task")


class FunctionNode(Node):
    """Has a model carry out a typed function; its outputs become an `Output` step.

    Args:
        function: The function.
        name: Unique within the agent; the function's name if not given.
        inputs: By input, where it comes from: a path (`asked`, `task`, `last`, `plan`,
            `reflection`, `outputs.NODE.FIELD`), or `{"value": …}`. If not given, what was asked
            holds them: as a JSON object, or, of a function with one input, as it is.
        becomes: `output`, and the next node goes on; or `answer` as well, to whoever asked.
        on_error: The node that goes on when outputs are still missing or malformed; if not given,
            the run ends with an error, or control returns to the caller.
        next: The node that runs next.
        settings: Sampling settings of this node, over those of the agent.

    Raises:
        AgentError: An input is bound to nothing, or is none of the function's.
    """

    def __init__(
        self,
        function: FunctionSpec,
        *,
        name: str | None = None,
        inputs: Mapping[str, Binding] | None = None,
        becomes: Literal["output", "answer"] = "output",
        on_error: str | None = None,
        next: str | None = None,
        settings: Mapping[str, Json] | None = None,
    ) -> None:
        self.function = function
        self.bindings = dict(inputs) if inputs is not None else None
        self.becomes, self.on_error = becomes, on_error
        config: dict[str, Json] = {"function": function.describe(), "becomes": becomes}
        if self.bindings is not None:
            config["inputs"] = {
                each: said if isinstance(said, str) else dict(said)
                for each, said in self.bindings.items()
            }
        if on_error is not None:
            config["on_error"] = on_error
        super().__init__(name or function.name, next=next, **config)
        self.settings = dict(settings or {})
        self.parameters = function.parameters if inputs is None else None
        self._check()

    def _check(self) -> None:
        if self.becomes not in ("output", "answer"):
            raise AgentError(f"a function becomes `output` or `answer`, not `{self.becomes}`")
        known = [each.name for each in self.function.inputs]
        for each, said in (self.bindings or {}).items():
            if each not in known:
                raise AgentError(f"`{self.function.name}` has no input `{each}`, only {known}")
            if isinstance(said, str) and said.split(".")[0] not in _SOURCES:
                raise AgentError(
                    f"input `{each}` of `{self.function.name}` comes from {', '.join(_SOURCES)} or "
                    f"`{{value: …}}`, not from `{said}`"
                )

    def leads_to(self) -> Iterable[str]:
        """See `Node.leads_to`."""
        return [name for name in (self.next, self.on_error) if name is not None]

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`."""
        super().bind(agent, tools)
        self._first = agent.nodes[0].name
        self._is_last = agent.nodes[-1].name == self.name
        self._opening = [system(_said(self.function)), *_shown(self.function)]

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt | None:
        """What to do, demonstrations, the inputs; and what was wrong, if it is asked again."""
        given = self._given(view, ctx)
        if given.faults:
            return None
        attempts = 2 * failures(view, self.name)  # an answer, and what is wrong with it
        again = [view.messages[-attempts:]] if attempts else []
        return Prompt.of(*self._opening, user(compact(given.value)), *again)

    def _given(self, view: View, ctx: NodeContext) -> Reading:
        if self.bindings is not None:
            bound = {each: _at(said, view, ctx) for each, said in self.bindings.items()}
            return self.function.given(bound)
        names = [each.name for each in self.function.inputs]
        said = asked(view)
        try:
            found = json_in(said)
        except ValueError as error:
            found = None if len(names) == 1 else str(error)
        if len(names) == 1 and not (isinstance(found, dict) and set(found) == set(names)):
            found = {names[0]: said}
        return self.function.given(found)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """The outputs; or, once asked again, a typed error."""
        if completion is None:
            given = self._given(view, ctx)
            return self._failed(view, f"inputs: {given.told}", given.faults, retries=0)
        try:
            value = json_in(completion.text)
        except ValueError as error:
            fault = Fault(field="", message=str(error))
            return self._failed(view, f"{error}. Answer with the JSON object alone.", (fault,))
        made = self.function.made(value)
        if made.faults:
            message = f"your answer does not fit: {made.told}. Give the whole object again."
            return self._failed(view, message, made.faults)
        return self._done(value, made.value)

    def _done(self, answer: Json, value: Json) -> list[Body]:
        steps: list[Body] = []
        thoughts = answer.get(REASONING) if isinstance(answer, dict) else None
        if self.function.reasoning and isinstance(thoughts, str):
            steps.append(Reflection(text=thoughts))
        steps.append(Output(name=self.name, value=value))
        if self.becomes == "answer":
            steps.append(AssistantMessage(parts=text_parts(_answer(value))))
            if self.next is None and not self._is_last:
                steps.append(NextNode(node=self._first))
        return steps

    def _failed(
        self, view: View, message: str, faults: Sequence[Fault], *, retries: int | None = None
    ) -> list[Body]:
        return repaired(
            self,
            view,
            message,
            faults=faults,
            retries=self.function.repairs if retries is None else retries,
            on_error=self.on_error,
            first=self._first,
        )


def _said(function: FunctionSpec) -> str:
    """The system prompt of a function."""
    names = ", ".join(f"`{each.name}`" for each in function.outputs)
    lines = [function.instruction or f"Find out {names}.", "", "You are given a JSON object with"]
    lines += [_line(each.name, each.description) for each in function.inputs]
    lines += ["", "Answer with one JSON object that fits this JSON Schema, and nothing else:"]
    return "\n".join([*lines, compact(function.asked_for)])


def _line(name: str, description: str) -> str:
    return f"- `{name}`" + (f": {description}" if description else "")


def _shown(function: FunctionSpec) -> list[Message]:
    """Demonstrations, as if they had been said."""
    messages: list[Message] = []
    for each in function.demonstrations:
        thoughts: dict[str, Json] = {}
        if function.reasoning and each.reasoning:
            thoughts = {REASONING: each.reasoning}
        messages.append(user(compact(dict(each.inputs))))
        messages.append(assistant(compact({**thoughts, **each.outputs})))
    return messages


def _answer(value: Json) -> str:
    """The outputs as one says them: a single text as it is."""
    if isinstance(value, dict) and len(value) == 1:
        (only,) = value.values()
        if isinstance(only, str):
            return only
    return compact(value)


def _at(said: Binding, view: View, ctx: NodeContext) -> Json:
    """The value that a binding leads to; None where nothing is."""
    if not isinstance(said, str):
        return said.get("value")
    source, *path = said.split(".")
    found = value(source, view, ctx)
    for part in path:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found
