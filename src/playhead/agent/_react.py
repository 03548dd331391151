"""The ready-made text-protocol agent: ReAct with a JSON action block in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from playhead.agent._context import NodeContext
from playhead.agent._json_text import json_at
from playhead.agent._node import Node
from playhead.errors import AgentError, JsonError, told
from playhead.llm import Completion, Prompt, ToolSchema
from playhead.tape import (
    Body,
    Json,
    Message,
    View,
    compact,
    result_text,
    system,
    text_parts,
)
from playhead.tape.kinds import AssistantMessage, ParseError, ToolCall

if TYPE_CHECKING:
    from playhead.agent._agent import Agent

TEMPLATE = """{instructions}

You can use these tools:

{tools}

Answer each time with a thought and one action, written as a JSON block:

Thought: what you think
Action:
```
{{"action": "name of the tool", "action_input": {{"name of a parameter": "value"}}}}
```

You then get its result as an observation. When you know the answer:

Action:
```
{{"action": "Final Answer", "action_input": "your answer"}}
```"""

# Where a JSON block begins: after a fence with or without a language, or right after "Action:".
_BLOCK = re.compile(r"(?:```[^\S\n]*+[\w.+-]*+|\bAction:)\s*+(?=[\[{])")
_FINAL = "final answer"


class ReActNode(Node):
    """Parses one action out of the model's text; text without a block is the answer.

    Source: ReAct (arXiv 2210.03629), with the JSON action block that chat agents adopted.

    Args:
        name: Unique within the agent.
        template: Has the fields `instructions` and `tools`.
    """

    def __init__(self, name: str = "react", *, template: str = TEMPLATE) -> None:
        super().__init__(name, next=name, template=template)
        self.template = template

    def bind(self, agent: Agent, tools: Sequence[ToolSchema]) -> None:
        """See `Node.bind`; tools are described in the system prompt."""
        super().bind(agent, tools)
        lines = "\n".join(
            f"{tool.name}: {tool.description} Parameters: {compact(dict(tool.parameters))}"
            for tool in tools
        )
        try:
            text = self.template.format(instructions=agent.instructions, tools=lines).strip()
        except (LookupError, ValueError) as error:
            raise AgentError(
                f"the template of node `{self.name}` has other fields than `instructions` and "
                f"`tools` ({told(error)}): write {{{{ and }}}} for braces"
            ) from None
        self._opening: Message = system(text)

    def make_prompt(self, view: View, ctx: NodeContext) -> Prompt:
        """Instructions, tools and conversation."""
        return Prompt.of(self._opening, view.messages)

    def generate_steps(
        self, view: View, completion: Completion | None, ctx: NodeContext
    ) -> Iterable[Body]:
        """The action in the text, the answer, or a parse error that the model gets back."""
        assert completion is not None
        return [parse_action(completion.text)]


def parse_action(text: str) -> Body:
    """The step that a ReAct text asks for: its first JSON block with an `action`.

    What stands after that block is not looked at: models go on with observations of their own.
    """
    fault: str | None = None
    for start in _BLOCK.finditer(text):
        try:
            block, _ = json_at(text, start.end())
        except (ValueError, RecursionError, JsonError) as error:
            return _unreadable(f"the action block is no JSON: {error}")
        if isinstance(block, list) and block:
            block = block[0]
        if isinstance(block, dict) and isinstance(block.get("action"), str):
            return _step(str(block["action"]).strip(), block.get("action_input", {}))
        fault = "the action block has no text `action`"
    return _unreadable(fault) if fault else AssistantMessage(parts=text_parts(text.strip()))


def _step(name: str, arguments: Json) -> Body:
    if name.lower() == _FINAL:
        return AssistantMessage(parts=text_parts(result_text(arguments)))
    return ToolCall(call_id=None, name=name, arguments=arguments)


def _unreadable(fault: str) -> ParseError:
    return ParseError(
        message=f"I could not read that: {fault}. Write one JSON block with `action` and "
        "`action_input` between three backticks."
    )
