"""An agent on offer, and what each of its conversations is run with."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from playhead.agent import Agent
from playhead.environment import Environment
from playhead.errors import PlayheadError, TapeNotFoundError
from playhead.orchestrator import Approval, Budget, OnEvent, fork, resume, run
from playhead.store import Store
from playhead.tape import Tape

_MOST = 100  # conversations whose environments are kept


class Served:
    """An agent on offer. Each conversation has a tape, and environments of its own.

    Args:
        agent: The agent.
        store: Where the tapes are.
        environments: Makes what is around the agent, for a conversation.
        approval: Which actions wait for somebody's word.
        budget: Limits of each answer.
        options: Other options of `run`, as `deps` and `privacy`.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        store: Store,
        environments: Callable[[], Sequence[Environment]] = tuple,
        approval: Approval | None = None,
        budget: Budget | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self.agent = agent
        self.store = store
        self._environments = environments
        self._options = {"approval": approval, "budget": budget, "store": store, **options}
        self._around: OrderedDict[str, Sequence[Environment]] = OrderedDict()
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @functools.cached_property
    def has_environments(self) -> bool:
        """Whether anything is around the agent."""
        return bool(self._environments())

    def lock(self, tape: str) -> asyncio.Lock:
        """Held while a conversation is answered: its messages come one after another."""
        found = self._locks.get(tape)
        if found is None:
            found = self._locks[tape] = asyncio.Lock()
        return found

    async def opened(self, tape: str) -> Tape | None:
        """A tape; None if there is none."""
        try:
            return await self.store.open(tape)
        except TapeNotFoundError:
            return None

    async def say(self, text: str, tape: Tape | str, *, on_event: OnEvent | None = None) -> Tape:
        """Have the agent answer what a person says on a tape.

        Raises:
            PlayheadError: As `run`.
        """
        around = await self._of(tape)
        return await run(
            self.agent, text, tape=tape, environment=around, on_event=on_event, **self._options
        )

    async def go_on(self, tape: str, *, on_event: OnEvent | None = None) -> Tape:
        """Have the agent finish what it was asked on a tape.

        Raises:
            PlayheadError: As `resume`.
        """
        return await resume(
            tape,
            agent=self.agent,
            environment=await self._of(tape),
            on_event=on_event,
            **self._options,
        )

    async def branch(
        self, tape: str, at: int, *, text: str, on_event: OnEvent | None = None
    ) -> Tape:
        """Have the agent answer something else at an earlier point of a conversation.

        An effect that already happened after the point is not repeated: an equal call is given
        its recorded result.

        Raises:
            PlayheadError: As `fork`.
        """
        around = self._environments()
        made = await fork(
            tape,
            at=at,
            agent=self.agent,
            task=text,
            effects="reuse",
            environment=around,
            on_event=on_event,
            **self._options,
        )
        self._around[made.id] = around
        return made

    async def _of(self, tape: Tape | str) -> Sequence[Environment]:
        name = tape if isinstance(tape, str) else tape.id
        if name not in self._around:
            self._around[name] = self._environments()
        self._around.move_to_end(name)
        while len(self._around) > _MOST:
            _, old = self._around.popitem(last=False)
            await _closed(old)
        return self._around[name]

    async def close(self) -> None:
        """Let go of all environments."""
        while self._around:
            _, old = self._around.popitem()
            await _closed(old)


async def _closed(environments: Sequence[Environment]) -> None:
    for environment in environments:
        with suppress(PlayheadError):
            await environment.close()
