"""What becomes of a completion that cannot be read: it is asked for again, then a typed error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from playhead.agent.prompting._walk import failures
from playhead.tape import Body, View, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Fault,
    NextNode,
    OutputError,
    ParseError,
    Stop,
)

if TYPE_CHECKING:
    from playhead.agent._node import Node


def repaired(
    node: Node,
    view: View,
    message: str,
    *,
    faults: Sequence[Fault] = (),
    retries: int,
    on_error: str | None,
    first: str,
) -> list[Body]:
    """The steps that follow on a completion that cannot be read.

    Args:
        node: The node.
        view: What it saw.
        message: What is wrong, as the model is told.
        faults: The same, by field.
        retries: How often the model is asked again.
        on_error: The node that goes on after that; without one the run ends, or control returns.
        first: The agent's first node, which begins again when somebody speaks to it.
    """
    if failures(view, node.name) < retries:
        return [ParseError(message=message), NextNode(node=node.name)]
    said = f"node `{node.name}` got no usable output: {message}"
    error = OutputError(name=node.name, message=message, faults=tuple(faults))
    if on_error is not None:
        return [error, NextNode(node=on_error)]
    if view.frame.caller is not None:
        return [error, AssistantMessage(parts=text_parts(said))]  # its caller is told
    return [error, NextNode(node=first), Stop(reason=said)]
