"""A user as an environment: answers what the agent says."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator

from playhead.environment._context import ToolContext
from playhead.environment._environment import Environment
from playhead.tape import Action, Observation, text_parts
from playhead.tape.kinds import AssistantMessage, UserMessage


class User(Environment):
    """Answers the agent's messages with a function or from a list; None or the list's end: silence.

    Args:
        says: `says(text)` gives the answer, async or not; or answers in order. Where in the list it
            is, is not on the tape: a resumed session that needs it is given the rest.
    """

    def __init__(
        self, says: Callable[[str], str | Awaitable[str | None] | None] | Iterable[str]
    ) -> None:
        self._function = says if callable(says) else None
        self._answers: Iterator[str] = iter(())
        if isinstance(says, str):
            self._answers = iter((says,))
        elif not callable(says):
            self._answers = iter(says)

    async def answer(self, action: Action, context: ToolContext) -> Observation | None:
        """See `Environment.answer`."""
        if not isinstance(action, AssistantMessage):
            return None
        text = await self._say(action.text)
        return None if text is None else UserMessage(parts=text_parts(text))

    async def _say(self, text: str) -> str | None:
        if self._function is not None:
            said = self._function(text)
            return await said if inspect.isawaitable(said) else said
        return next(self._answers, None)
