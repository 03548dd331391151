"""Spans in the order in which a tape has them: what belongs to one stands between its ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from playhead.record.otlp._read import agent_of, conversation_of
from playhead.record.otlp._span import Span

Key: TypeAlias = tuple[str, str]


class Visit(NamedTuple):
    """A span begins, or ends.

    Args:
        span: The span.
        ends: Whether this is its end.
        agent: The agent at work: the one that it names, or that a span around it names.
    """

    span: Span
    ends: bool
    agent: str | None


def key_of(span: Span) -> Key:
    """What tells a span from all others."""
    return span.trace, span.id


def walk(spans: Iterable[Span]) -> Iterator[Visit]:
    """Both ends of each span, those of its children between them, siblings by time.

    A span whose parent is not there stands alone; so does one that is its own ancestor.
    """
    by_key = {key_of(span): span for span in spans}
    children: dict[Key | None, list[Span]] = {}
    for span in sorted(by_key.values(), key=lambda each: each.order):
        parent = (span.trace, span.parent) if span.parent else None
        children.setdefault(parent if parent in by_key else None, []).append(span)
    left = dict(by_key)
    for root in children.get(None, ()):
        yield from _below(root, children, left)
    while left:  # circles
        first = min(left.values(), key=lambda each: each.order)
        yield from _below(first, children, left)


def _below(
    root: Span, children: dict[Key | None, list[Span]], left: dict[Key, Span]
) -> Iterator[Visit]:
    """A span and what belongs to it; a loop, because traces may be deep."""
    waiting = [Visit(root, False, None)]
    while waiting:
        span, ends, agent = visit = waiting.pop()
        if ends:
            yield visit
            continue
        if left.pop(key_of(span), None) is None:
            continue
        agent = agent_of(span) or agent
        yield Visit(span, False, agent)
        waiting.append(Visit(span, True, agent))
        below = children.get(key_of(span), ())
        waiting += [Visit(child, False, agent) for child in reversed(below)]


def conversations(spans: Iterable[Span]) -> dict[Key, str | None]:
    """The conversation that each span says it belongs to, or that one around it says.

    Where a trace names but one conversation, all of it belongs to that one. None where it names
    none.
    """
    found: dict[Key, str | None] = {}
    named: dict[str, set[str]] = {}
    around: list[str | None] = []
    for span, ends, _ in walk(spans):
        if ends:
            around.pop()
            continue
        name = conversation_of(span) or (around[-1] if around else None)
        around.append(name)
        found[key_of(span)] = name
        if name is not None:
            named.setdefault(span.trace, set()).add(name)
    for key, name in found.items():
        only = named.get(key[0], ())
        if name is None and len(only) == 1:
            (found[key],) = only
    return found
