"""What stands in a frame, looked at from its end."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.tape import Step, View
from playhead.tape.kinds import (
    Context,
    Delegate,
    LeftOut,
    ModelCall,
    NextNode,
    ParseError,
    UserMessage,
)

_OF_A_FAILURE = frozenset(kind.kind for kind in (Context, LeftOut, ModelCall, NextNode, ParseError))


def backwards(view: View) -> Iterator[Step]:
    """The steps of the frame, newest first, notes among them."""
    for seq in range(len(view.tape) - 1, view.frame.id - 1, -1):
        step = view.tape[seq]
        if step.frame == view.frame.id:
            yield step


def failures(view: View, node: str) -> int:
    """How many completions of a node in a row could not be read, up to now."""
    found = 0
    for step in backwards(view):
        if step.by.type == "system":
            continue
        if step.by.node != node or step.kind not in _OF_A_FAILURE:
            break
        if step.kind == ParseError.kind:
            found += 1
    return found


def last_text(view: View) -> str:
    """What was said last in the frame, before a node's tries to read its own completion."""
    node = next((step.by.node for step in backwards(view) if step.by.type != "system"), None)
    tries = 2 * failures(view, node) if node is not None else 0  # an answer, and what is wrong
    newest = list(view.messages[-8 - tries :])
    before = newest[: len(newest) - tries]
    return next((message.text for message in reversed(before) if message.text), "")


def asked(view: View) -> str:
    """What the agent was asked last: by the person, or by who delegated to it."""
    for step in backwards(view):
        body = step.body if step.kind == UserMessage.kind and not step.erased else None
        if isinstance(body, UserMessage):
            return body.text
    opening = view.tape[view.frame.id]
    body = opening.body if opening.kind == Delegate.kind and not opening.erased else None
    return body.text if isinstance(body, Delegate) else ""
