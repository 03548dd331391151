"""A request, answered on the tape of its conversation."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace

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
        if asked is not None and not await self._has_gone_on(asked):
            async with self._served.lock(asked.tape):
                return await self._finish(asked.tape, on_event)
        place = await self._known.find(said[:-1]) if len(said) > 1 else None
        if place is None:
            return await self._begin(Tape.new(), told_anew(said), on_event)
        async with self._served.lock(place.tape):
            return await self._go_on(place, said[-1][1], on_event)

    async def _has_gone_on(self, place: Place) -> bool:
        tape = await self._served.opened(place.tape)
        return tape is None or any(each.at > place.at for _, each in states(tape))

    async def _go_on(self, place: Place, text: str, on_event: OnEvent | None) -> Answered:
        """What the person says in a state of a conversation, its newest or an earlier one."""
        tape = await self._served.opened(place.tape)
        if tape is None:
            raise PlayheadError(f"tape `{place.tape}` was removed: begin a new conversation")
        before = replace(tape.at(place.at).fold().totals)
        if await self._has_gone_on(place):
            made = self._served.branch(place.tape, place.at, text=text, on_event=on_event)
            return await self._result(made, place.tape, before)
        return await self._result(self._served.say(text, tape, on_event=on_event), tape.id, before)

    async def _in_session(
        self, session: str, said: list[Said], on_event: OnEvent | None
    ) -> Answered:
        name = tape_id(f"playhead.serve {self._served.agent.name}", session)
        async with self._served.lock(name):
            tape = await self._served.opened(name)
            if tape is None:
                return await self._begin(Tape.new(name), told_anew(said), on_event)
            spoken = [each[-1] for each, _ in states(tape)]
            if spoken and spoken[-1] in (said[-1], ("user", told_anew(said))):
                return await self._finish(name, on_event)
            before = replace(tape.fold().totals)
            saying = self._served.say(said[-1][1], tape, on_event=on_event)
            return await self._result(saying, name, before)

    async def _begin(self, tape: Tape, text: str, on_event: OnEvent | None) -> Answered:
        return await self._result(self._served.say(text, tape, on_event=on_event), tape.id, None)

    async def _finish(self, tape: str, on_event: OnEvent | None) -> Answered:
        """What the agent was asked before and has not answered."""
        opened = await self._served.opened(tape)
        before = replace(opened.fold().totals) if opened is not None else None
        return await self._result(self._served.go_on(tape, on_event=on_event), tape, before)

    async def _result(self, work: Awaitable[Tape], name: str, before: Totals | None) -> Answered:
        try:
            tape = await work
        except BaseException:  # the same request again shall find what there is
            left = await self._served.opened(name)
            if left is not None:
                self._known.remember(left)
            raise
        self._known.remember(tape)
        text = answer_on(tape)
        if text is None:
            raise unanswered(tape)
        return Answered(text, tape, before)
