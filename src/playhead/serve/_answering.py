"""A request, answered on the tape of its conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from playhead.errors import PlayheadError
from playhead.orchestrator import OnEvent
from playhead.record import tape_id
from playhead.serve._chat import unanswered
from playhead.serve._conversations import Conversations, Place, Said, answer_on, states, told_anew
from playhead.serve._served import Served
from playhead.tape import Tape, Totals


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer.

    Args:
        text: What the agent said.
        tape: Where it stands.
        before: The sums of the tape before.
    """

    text: str
    tape: Tape
    before: Totals | None = None


class Answering:
    """Finds the conversation of each request, and has the agent answer.

    The same request again finishes what the first one began, if that has no answer yet because it
    was interrupted or waits. A conversation that goes on from an earlier point is a fork.

    Args:
        served: The agent on offer.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._known = Conversations(served)

    async def answer(
        self, said: list[Said], *, session: str | None = None, on_event: OnEvent | None = None
    ) -> Answered:
        """Answer the person.

        Args:
            said: The conversation, which ends with what the person says.
            session: What the client calls it, if it has a name for it: then only the end of `said`
                is new.
            on_event: Shown what happens.

        Raises:
            Refusal: There is no answer.
            PlayheadError: As `run`.
        """
        if session is not None:
            return await self._in_session(session, said, on_event)
        asked = await self._known.find(said)
        if asked is not None:
            async with self._served.lock(asked.tape):
                if not await self._is_answered(asked):
                    return await self._finish(asked.tape, said, on_event)
        place = await self._known.find(said[:-1]) if len(said) > 1 else None
        if place is None:
            return await self._begin(Tape.new(), said, on_event)
        async with self._served.lock(place.tape):
            return await self._go_on(place, said, on_event)

    async def _is_answered(self, asked: Place) -> bool:
        tape = await self._served.opened(asked.tape)
        return tape is None or any(each.answered and each.at > asked.at for _, each in states(tape))

    async def _has_gone_on(self, place: Place) -> bool:
        tape = await self._served.opened(place.tape)
        return tape is None or any(each.at > place.at for _, each in states(tape))

    async def _go_on(self, place: Place, said: list[Said], on_event: OnEvent | None) -> Answered:
        """What the person says in a state of a conversation, its newest or an earlier one."""
        tape = await self._served.opened(place.tape)
        if tape is None:
            raise PlayheadError(f"tape `{place.tape}` was removed: begin a new conversation")
        before = replace(tape.at(place.at).fold().totals)
        text = said[-1][1]
        if await self._has_gone_on(place):
            made = self._served.branch(place.tape, place.at, text=text, on_event=on_event)
            return await self._result(made, tape, said, before=before, fork=True)
        saying = self._served.say(text, tape, on_event=on_event)
        return await self._result(saying, tape, said, before=before)

    async def _in_session(
        self, session: str, said: list[Said], on_event: OnEvent | None
    ) -> Answered:
        name = tape_id(f"playhead.serve {self._served.agent.name}", session)
        async with self._served.lock(name):
            tape = await self._served.opened(name)
            if tape is None:
                return await self._begun(Tape.new(name), said, on_event)
            spoken = [each[-1] for each, _ in states(tape)]
            if spoken and spoken[-1] in (said[-1], ("user", told_anew(said))):
                return await self._finish(name, said, on_event)
            before = replace(tape.fold().totals)
            saying = self._served.say(said[-1][1], tape, on_event=on_event)
            return await self._result(saying, tape, said, before=before)

    async def _begin(self, tape: Tape, said: list[Said], on_event: OnEvent | None) -> Answered:
        async with self._served.lock(tape.id):
            return await self._begun(tape, said, on_event)

    async def _begun(self, tape: Tape, said: list[Said], on_event: OnEvent | None) -> Answered:
        saying = self._served.say(told_anew(said), tape, on_event=on_event)
        return await self._result(saying, tape, said, before=None)

    async def _finish(self, name: str, said: list[Said], on_event: OnEvent | None) -> Answered:
        """What the agent was asked before and has not answered."""
        tape = await self._served.store.open(name)
        before = replace(tape.fold().totals)
        going_on = self._served.go_on(name, on_event=on_event)
        return await self._result(going_on, tape, said, before=before)

    async def _result(
        self,
        work: Coroutine[Any, Any, Tape],
        tape: Tape,
        said: list[Said],
        *,
        before: Totals | None,
        fork: bool = False,
    ) -> Answered:
        """The answer; whatever happens, the same request again finds the tape."""
        running = asyncio.ensure_future(work)
        try:
            tape = await asyncio.shield(running)
        except asyncio.CancelledError:
            self._failed(said, tape, fork=fork)  # at once: whoever asks again waits for its end
            running.cancel()
            await asyncio.wait([running])
            raise
        except PlayheadError:
            self._failed(said, tape, fork=fork)
            raise
        self._known.remember(tape)
        text = answer_on(tape)
        if text is None:
            self._known.know(said, tape)
            raise unanswered(tape)
        self._known.know([*said, ("assistant", text)], tape)
        return Answered(text, tape, before)

    def _failed(self, said: list[Said], tape: Tape, *, fork: bool) -> None:
        """Know where it goes on; a fork that failed is made again, as its id is not known."""
        if not fork:
            self._known.know(said, tape)
