"""A node that is data: a template, what becomes of the answer, and where it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from playhead.agent._calls import offered, steps_of_calls
from playhead.agent._context import NodeContext
from playhead.agent._node import Node
from playhead.agent._signals import Signals
from playhead.agent._window import newest
from playhead.agent.prompting._budget import Fitted, PromptBudget, fitted
from playhead.agent.prompting._repair import repaired
from playhead.agent.prompting._shape import ModelShape, OutputShape, OutputType
from playhead.agent.prompting._values import Texts
from playhead.errors import AgentError
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import (
    Body,
    Json,
    Message,
    View,
    compact,
    system,
    text_parts,
    user,
)
from playhead.tape.kinds import AssistantMessage, Fault, NextNode, Output, Plan, Reflection

if TYPE_CHECKING:
    from playhead.agent._agent import Agent

Becomes: TypeAlias = Literal["answer", "output", "plan", "reflection"]
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+?)\s*$")


class PromptNode(Node):
    """One prompt, written as templates, and what becomes of the completion: data, no code.

    The prompt is the system template, the frame's conversation, and the node's own words as the
    last message. Templates are Jinja2's, in a sandbox (docs/agents.md lists what they may name).

    Args:
        name: Unique within the agent.
        prompt: Template of the node's own words; nothing is said if it is empty.
        system: Template of the system prompt.
        output: A pydantic model or a JSON Schema: the completion is JSON of this shape. A model
            that is a kind of step becomes a step of that kind.
        choose: By what the model may answer, the node that then goes on.
        becomes: What the completion becomes: an `answer` to whoever asked, an `output` (a value
            that later templates find under `outputs.NAME`), a `plan` (its lines), a `reflection`.
            If not given, an `output` where there is an `output` or a choice, else an `answer`.
        tools: Whether the agent's tools are offered; after their calls the node runs again.
        signals: What the model can say to its team, as tools, where tools are offered.
        window: Send only that many newest messages of the conversation, or a few more.
        budget: How many tokens the prompt may have, and what is left out first.
        retries: How often the model is asked again when its answer cannot be read.
        on_error: The node that goes on when it still cannot; if not given, the run ends with an
            error, or control returns to the caller.
        next: The node that runs next; if not given, the one that follows in the list, and after an
            answer the first one.
        settings: Sampling settings of this node, over those of the agent.

    Raises:
        AgentError: Arguments contradict each other.
    """

    def __init__(
        self,
        name: str,
        *,
        prompt: str = "",
        system: str = "{{ instructions }}",
        output: OutputType | None = None,
        choose: Mapping[str, str] | Sequence[str] | None = None,
        becomes: Becomes | None = None,
        tools: bool = False,
        signals: Signals | None = None,
        window: int | None = None,
        budget: PromptBudget | Mapping[str, Json] | int | None = None,
        retries: int = 1,
        on_error: str | None = None,
        next: str | None = None,
        settings: Mapping[str, Json] | None = None,
    ) -> None:
        self.prompt, self.system = prompt, system
        self.shape = OutputShape.of(output) if output is not None else None
        self.choose = _options(choose)
        self.becomes = becomes or ("output" if self.shape or self.choose else "answer")
        self.offers_tools = tools
        self.window, self.retries, self.on_error = window, retries, on_error
        self.budget = PromptBudget.of(budget)
        super().__init__(name, next=next, **self._described())
        self.settings = dict(settings or {})
        self.signals = signals or Signals()
        self._check()

    def _described(self) -> dict[str, Json]:
        described: dict[str, Json] = {
            "prompt": self.prompt,
            "system": self.system,
            "output": self.shape.schema if self.shape else None,
            "step": _kind_of(self.shape),
            "choose": dict(self.choose) or None,
            "becomes": self.becomes,
            "tools": self.offers_tools,
            "window": self.window,
            "budget": self.budget.describe() if self.budget else None,
            "retries": self.retries,
            "on_error": self.on_error,
        }
        return {name: value for name, value in described.items() if value is not None}

    def _check(self) -> None:
        if self.becomes not in get_args(Becomes):
            choice = ", ".join(get_args(Becomes))
            raise AgentError(
                f"a completion becomes {choice}, not `{self.becomes}` (node `{self.name}`)"
            )
        if self.shape and self.choose:
            raise AgentError(f"node `{self.name}` has an `output` and a choice: give it one")
        if (self.shape or self.choose) and self.becomes in ("plan", "reflection"):
            raise AgentError(
                f"node `{self.name}`: a {self.becomes} is made of text: leave `output` and "
                "`choose` out"
            )
        if self.window is not None and self.window < 0:
            raise AgentError(f"a window has at least 0 messages, not {self.window}")
        if self.window is not None and self.budget is not None:
            raise AgentError(f"node `{self.name}` has a window and a budget: give it one")
        if self.signals.describe() and not self.offers_tools:
            raise AgentError(f"node `{self.name}` has signals, which are tools: `tools=True`")
        if self.retries < 0:
            raise AgentError(f"node `{self.name}` cannot ask again {self.retries} times")

    def leads_to(self) -> Iterable[str]:
        """See `Node.leads_to`."""
        yield from (name for name in (self.next, self.on_error) if name is not None)
        yield from self.choose.values()

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`."""
        super().bind(agent, tools)
        if self.offers_tools:
            self.tools = offered(agent, self.tools, self.signals)
        self._texts = Texts(agent, self.tools)
        try:
            self._system = self._texts.compiled(self.system)
            self._words = self._texts.compiled(self.prompt)
        except AgentError as error:
            raise AgentError(f"node `{self.name}` of agent `{agent.name}`: {error}") from error
        self._first = agent.nodes[0].name
        self._is_last = agent.nodes[-1].name == self.name

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt:
        """System prompt, conversation, the node's own words."""
        opening, closing = self._around(view, ctx)
        return Prompt.of(*opening, *self._history(view, [*opening, *closing]).items, *closing)

    def _around(self, view: View, ctx: NodeContext) -> tuple[list[Message], list[Message]]:
        opening = self._texts.rendered(self._system, view, ctx).strip()
        words = [self._texts.rendered(self._words, view, ctx).strip()]
        if self.shape is not None:
            words.append(self.shape.asked_for)
        if self.choose:
            words.append(f"Answer with one of these words alone: {', '.join(self.choose)}.")
        closing = "\n\n".join(text for text in words if text)
        return [system(opening)] if opening else [], [user(closing)] if closing else []

    def _history(self, view: View, around: list[Message]) -> Fitted:
        if self.budget is not None:
            return fitted(view, self.budget, around)
        return Fitted([newest(view.messages, self.window)] if self.window != 0 else [])

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """What the completion becomes; a note, if the prompt left something out."""
        assert completion is not None
        if self.budget is not None:
            opening, closing = self._around(view, ctx)
            note = self._history(view, [*opening, *closing]).note
            if note is not None:
                yield note
        yield from self._made(view, completion, ctx)

    def _made(self, view: View, completion: Completion, ctx: NodeContext) -> Iterable[Body]:
        if self.offers_tools and completion.message.tool_calls:
            return [
                *steps_of_calls(self, view, completion=completion, ctx=ctx),
                NextNode(node=self.name),
            ]
        if self.choose:
            return self._chosen(view, completion.text)
        if self.shape is not None:
            return self._read(view, self.shape, completion.text)
        if self.becomes == "plan":
            return self._planned(view, completion.text)
        if self.becomes == "reflection":
            return [Reflection(text=completion.text)]
        if self.becomes == "output":
            return [Output(name=self.name, value=completion.text)]
        return self._answered(completion.text)

    def _chosen(self, view: View, text: str) -> Iterable[Body]:
        found = option_in(text, self.choose)
        if found is not None:
            return [Output(name=self.name, value=found), NextNode(node=self.choose[found])]
        return self._again(view, f"answer with one of {', '.join(self.choose)}, and nothing else")

    def _read(self, view: View, shape: OutputShape, text: str) -> Iterable[Body]:
        reading = shape.read(text)
        if reading.faults:
            message = f"your answer does not fit: {reading.told}. Give the whole answer again."
            return self._again(view, message, faults=reading.faults)
        if reading.body is not None:
            return [reading.body]
        if self.becomes == "answer":
            value = reading.value
            return self._answered(value if isinstance(value, str) else compact(value))
        return [Output(name=self.name, value=reading.value)]

    def _planned(self, view: View, text: str) -> Iterable[Body]:
        items = [found[1] for line in text.splitlines() if (found := _ITEM.match(line))]
        if not items:
            return self._again(view, "write the plan as a list, a line beginning with `-` each")
        return [Plan(items=tuple(items))]

    def _answered(self, text: str) -> Iterable[Body]:
        said = AssistantMessage(parts=text_parts(text))
        if self.next is not None or self._is_last:  # the last node is followed by the first one
            return [said]
        return [said, NextNode(node=self._first)]

    def _again(self, view: View, message: str, *, faults: Sequence[Fault] = ()) -> list[Body]:
        return repaired(
            self,
            view,
            message,
            faults=faults,
            retries=self.retries,
            on_error=self.on_error,
            first=self._first,
        )


def _options(given: Mapping[str, str] | Sequence[str] | None) -> dict[str, str]:
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else {name: name for name in given}


def _kind_of(shape: OutputShape | None) -> str | None:
    """The kind of step that an output is, if it is one."""
    if isinstance(shape, ModelShape) and issubclass(shape.model, Body):
        return shape.model.kind
    return None


def option_in(text: str, options: Iterable[str]) -> str | None:
    """The option that a text names: alone, or as the only one that occurs in it as a word."""
    said = text.strip().strip("\"'`*.").casefold()
    named = [
        option
        for option in options
        if option.casefold() == said
        or re.search(rf"(?<!\w){re.escape(option.casefold())}(?!\w)", said)
    ]
    exact = [option for option in named if option.casefold() == said]
    found = exact or named
    return found[0] if len(found) == 1 else None
