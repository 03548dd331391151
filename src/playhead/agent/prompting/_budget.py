"""Prompts within a budget of tokens: what is left out is a policy, and is told on the tape."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from playhead.errors import AgentError
from playhead.llm import is_text
from playhead.tape import (
    BlobPart,
    History,
    HistoryRange,
    Json,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    View,
    compact,
    result_text,
    text_part,
    user,
)
from playhead.tape.kinds import LeftOut

Drop: TypeAlias = Literal["results", "oldest"]
GAP = user("[Earlier messages are left out here.]")
_MESSAGE = 4  # tokens that a message costs beside its content
_PICTURE = 1000  # tokens of content that is no text


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """How much a prompt may hold, and what is left out of it first.

    Tokens are estimated from characters, so that a replay finds the same without a tokeniser.

    Args:
        tokens: The most that a prompt may have.
        drop: What to do, in this order, until it fits: `results` shortens results of tools but the
            newest, `oldest` leaves out the oldest messages. What opens the prompt, the task, the
            newest message and the node's own words always stay.
        recent: How many results stay whole.
        shorten_to: Characters that are left of the others.
        characters: Characters a token.

    Raises:
        AgentError: A number is too small, or `drop` says something else.
    """

    tokens: int
    drop: tuple[Drop, ...] = ("results", "oldest")
    recent: int = 2
    shorten_to: int = 200
    characters: float = 4.0

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.recent < 0 or self.shorten_to < 1 or self.characters <= 0:
            raise AgentError("a budget of tokens is a positive number, and so are its parts")
        if not set(self.drop) <= set(get_args(Drop)):
            raise AgentError(f"a budget drops {' or '.join(get_args(Drop))}, not {self.drop}")

    def describe(self) -> dict[str, Json]:
        """All of it, as plain JSON."""
        return {
            "tokens": self.tokens,
            "drop": list(self.drop),
            "recent": self.recent,
            "shorten_to": self.shorten_to,
            "characters": self.characters,
        }

    @classmethod
    def of(cls, given: PromptBudget | Mapping[str, Json] | int | None) -> PromptBudget | None:
        """A budget from a number, or from what `describe` gives.

        Raises:
            AgentError: It is neither.
        """
        if given is None or isinstance(given, PromptBudget):
            return given
        if isinstance(given, int):
            return cls(given)
        members: dict[str, Any] = {**given}
        if isinstance(members.get("drop"), list):
            members["drop"] = tuple(members["drop"])
        try:
            return cls(**members)
        except TypeError as error:
            raise AgentError(f"this is no budget of a prompt: {error}") from None

    def estimate(self, messages: Sequence[Message]) -> int:
        """About how many tokens messages have."""
        return sum(self._tokens(message) for message in messages)

    def _tokens(self, message: Message) -> int:
        length = sum(self._length(part) for part in message.parts)
        return _MESSAGE + math.ceil(length / self.characters)

    def _length(self, part: Part) -> float:
        match part:
            case ToolCallPart(name=name, arguments=arguments):
                return len(name) + len(compact(arguments))
            case ToolResponsePart(response=response):
                return len(result_text(response))
            case BlobPart(media_type=media_type, size=size):
                return size if is_text(media_type) else _PICTURE * self.characters
            case _:
                content = getattr(part, "content", None)
                return len(content if isinstance(content, str) else part.model_dump_json())


@dataclass(slots=True)
class Fitted:
    """What of a history a prompt has room for.

    Args:
        items: Of the prompt, in their order.
        note: What was left out; None if nothing was.
    """

    items: list[Message | HistoryRange] = field(default_factory=list)
    note: LeftOut | None = None


def fitted(view: View, budget: PromptBudget, around: Sequence[Message]) -> Fitted:
    """The part of the frame's history that fits between what the node itself says.

    Looks at no more messages than fit.

    Args:
        view: The view.
        budget: The budget.
        around: What else is in the prompt.

    Raises:
        AgentError: The task and the newest message alone do not fit.
    """
    history = view.messages
    if len(history) == 0:
        return Fitted()
    fixed = budget.estimate(around)
    room = budget.tokens - fixed
    for policy in (budget.drop[:number] for number in range(len(budget.drop) + 1)):
        shorten = "results" in policy
        kept = _Kept(history, budget, room, shorten=shorten)
        if "oldest" in policy and not kept.whole:
            kept = _Kept(history, budget, room - budget.estimate([GAP]), shorten=shorten)
        if kept.whole or ("oldest" in policy and kept.enough):
            return kept.fitted(policy, fixed)
    raise AgentError(
        f"the prompt does not fit into {budget.tokens} tokens with `drop: {list(budget.drop)}`: "
        "allow more tokens, or let it drop more"
    )


class _Kept:
    """Messages of a history from its newest back, as far as there is room; and the first one."""

    def __init__(self, history: History, budget: PromptBudget, room: int, *, shorten: bool) -> None:
        self._history = history
        self._budget = budget
        self._shorten = shorten
        self._task = [history[0]] if history[0].role == "user" else []
        self._room = room - budget.estimate(self._task)
        self.used = 0
        self.start = len(history)  # of the newest messages that are kept
        self.shortened: dict[int, Message] = {}
        self._take()

    @property
    def whole(self) -> bool:
        """Whether all of the history is kept."""
        return self.start <= len(self._task) and self._room >= 0

    @property
    def enough(self) -> bool:
        """Whether at least the newest message is kept."""
        return self._room >= 0 and (self.start < len(self._history) or self.whole)

    def _take(self) -> None:
        results = 0
        costs = 0
        answering = False  # between a tool's answer and the message that asked for it
        for at in range(len(self._history) - 1, len(self._task) - 1, -1):
            message = self._history[at]
            is_result = message.role == "tool"
            if is_result and self._shorten and results >= self._budget.recent:
                short = _shortened(message, self._budget.shorten_to)
                if short is not message:
                    self.shortened[at] = message = short
            results += is_result
            costs += self._budget.estimate([message])
            if self.used + costs > self._room:
                break
            answering = is_result or (answering and message.role == "user")
            if not answering:  # an answer goes only with the message that asked for it
                self.start, self.used, costs = at, self.used + costs, 0
        self.shortened = {at: m for at, m in self.shortened.items() if at >= self.start}

    def fitted(self, policy: tuple[Drop, ...], fixed: int) -> Fitted:
        """The items, and what was left out."""
        history, start, opening = self._history, self.start, len(self._task)
        made = Fitted([history[:opening]] if opening else [])
        dropped: list[tuple[int, int]] = []
        if start > opening:
            gap = history[opening:start]
            dropped.append((gap.start, gap.stop))
            made.items.append(GAP)
        made.items += self._tail(start)
        shortened = tuple(history[at : at + 1].start for at in sorted(self.shortened))
        if dropped or shortened:
            sent = (
                fixed
                + self.used
                + self._budget.estimate([*self._task, *([GAP] if dropped else [])])
            )
            made.note = LeftOut(
                budget=self._budget.tokens,
                tokens=sent,
                policy=policy,
                dropped=tuple(dropped),
                shortened=shortened,
            )
        return made

    def _tail(self, start: int) -> Iterator[Message | HistoryRange]:
        """The newest messages: ranges of the history between those that were shortened."""
        for at in sorted(self.shortened):
            if at > start:
                yield self._history[start:at]
            yield self.shortened[at]
            start = at + 1
        if start < len(self._history):
            yield self._history[start:]


def _shortened(message: Message, most: int) -> Message:
    """A tool's answer cut to its beginning; what is no text is left out."""
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResponsePart):
            text = result_text(part.response)
            if len(text) > most:
                part = ToolResponsePart(id=part.id, response=f"{text[:most]}… [shortened]")
        elif isinstance(part, BlobPart):
            part = text_part(f"{part.preview[:most]}… [shortened]")
        elif isinstance(part, TextPart) and len(part.content) > most:
            part = text_part(f"{part.content[:most]}… [shortened]")
        parts.append(part)
    return (
        message
        if tuple(parts) == message.parts
        else message.model_copy(update={"parts": tuple(parts)})
    )
