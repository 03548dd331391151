"""Nodes from files: what a file describes, put together."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from playhead.agent._native import ToolCallingNode
from playhead.agent._node import Node
from playhead.agent._python import find_object
from playhead.agent._react import ReActNode
from playhead.agent._signals import Signals
from playhead.agent.description_nodes import (
    FunctionPart,
    NodePart,
    PromptPart,
    SignalsPart,
    TeamPart,
    TextFile,
)
from playhead.agent.functions import FunctionNode, FunctionSpec
from playhead.agent.prompting import OutputType, PromptNode
from playhead.errors import AgentError
from playhead.yaml import Document, Trail


def ready_node(document: Document, part: NodePart, trail: Trail) -> Node:
    """A ready-made node."""
    if part.type == "tool_calling":
        signals = _signals(part.signals)
        return ToolCallingNode(part.name or "act", window=part.window, signals=signals)
    for name in ("window", "signals"):
        if getattr(part, name) is not None:
            raise document.fault((*trail, name), f"a `react` node has no `{name}`")
    return ReActNode(part.name or "react")


def _signals(part: SignalsPart | None) -> Signals | None:
    return Signals(**part.model_dump()) if part is not None else None


def prompt_node(document: Document, part: PromptPart, trail: Trail) -> Node:
    """A node that is a prompt."""
    given: dict[str, Any] = part.model_dump(exclude_none=True)
    for name in ("prompt", "system"):
        given[name] = text_of(document, getattr(part, name), (*trail, name))
    given["signals"] = _signals(part.signals)
    given["output"] = _output(document, part, trail)
    with document.at(trail):
        return PromptNode(**given)


def _output(document: Document, part: PromptPart, trail: Trail) -> OutputType | None:
    if not isinstance(part.output, str):
        return part.output
    with document.at((*trail, "output")):
        found = find_object(part.output, folder=document.folder((*trail, "output")))
        if not isinstance(found, type) or not issubclass(found, BaseModel):
            raise AgentError(f"`{part.output}` is no pydantic model")
        return found


def function_node(
    document: Document, part: FunctionPart, trail: Trail, *, agent: str, last: bool
) -> Node:
    """A node that is a function.

    Args:
        document: The file.
        part: The description.
        trail: Where it stands.
        agent: The name of the agent, and of a function that has none.
        last: Whether it is the last node: then its outputs are the answer.
    """
    instruction = text_of(document, part.instruction, (*trail, "instruction"))
    with document.at((*trail, "function")):
        signed = FunctionSpec.of(part.function)
        names = [[each.name for each in fields] for fields in (signed.inputs, signed.outputs)]
    for name in part.fields:
        if name not in names[0] + names[1]:
            raise document.fault(
                (*trail, "fields", name), f"the signature has no field `{name}`, only {names}"
            )
    said = {
        name: each.model_dump(by_alias=True, exclude_none=True)
        for name, each in part.fields.items()
    }
    with document.at(trail):
        spec = FunctionSpec.of(
            part.function,
            name=part.name or agent,
            inputs={name: said[name] for name in names[0] if name in said},
            outputs={name: said[name] for name in names[1] if name in said},
            instruction=instruction,
            demonstrations=[each.model_dump() for each in part.demonstrations],
            reasoning=part.reasoning,
            repairs=part.repairs,
        )
        return FunctionNode(
            spec,
            inputs=part.inputs,
            becomes=part.becomes or ("answer" if last and part.next is None else "output"),
            on_error=part.on_error,
            next=part.next,
            settings=part.settings,
        )


_OPTIONS = {  # of the patterns, beside `ends`
    "manager": ("report", "window"),
    "chain": ("report", "words"),
    "group_chat": ("report", "speakers", "window"),
    "hand_off": ("window",),
}


def team_options(document: Document, part: TeamPart, trail: Trail) -> dict[str, Any]:
    """The arguments that a team is made with beside those of all agents."""
    given: dict[str, Any] = {}
    for name in ("report", "words", "speakers", "window"):
        said = getattr(part, name)
        if said is None:
            continue
        if name not in _OPTIONS[part.pattern]:
            raise document.fault((*trail, name), f"a team `{part.pattern}` has no `{name}`")
        given[name] = (
            text_of(document, said, (*trail, name)) if name in ("report", "words") else said
        )
    if part.ends is not None:
        given["ends"] = part.ends.model_dump(exclude_none=True)
    return given


def text_of(document: Document, part: str | TextFile, trail: Trail) -> str:
    """A text that stands here, or in a file of its own."""
    if isinstance(part, str):
        return part
    return document.text(part.file, (*trail, "file"))
