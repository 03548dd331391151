"""What others want on the tape: messages and decisions, turned into steps by its owner."""

from __future__ import annotations

import time

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from playhead.errors import RunError
from playhead.orchestrator._actions import record_verdict
from playhead.orchestrator._approval import Verdict
from playhead.orchestrator._session import Session
from playhead.store import InboxMessage
from playhead.tape import By, Draft, Json, text_parts
from playhead.tape.kinds import AssistantMessage, DecisionName, ToolCall, UserMessage

_EVERY = 0.5  # seconds between looks


class _Said(TypedDict):
    message: str


class _Decided(TypedDict, total=False):
    action: str
    decision: DecisionName
    why: str
    arguments: Json
    result: Json
    by: str


_SAID = TypeAdapter(_Said)
_DECIDED = TypeAdapter(_Decided)


class Inbox:
    """Takes what was posted to the session's tape, at moments when it fits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._looked = 0.0
        self._unfit: set[int] = set()

    async def take(self, *, now: bool = False) -> bool:
        """Take what is there, at most twice a second unless `now`; True if anything was."""
        if not now and time.monotonic() - self._looked < _EVERY:
            return False
        self._looked = time.monotonic()
        taken = False
        for message in await self._session.store.inbox(self._session.tape.id):
            if message.id not in self._unfit and await self._take(message):
                taken = True
        return taken

    async def _take(self, message: InboxMessage) -> bool:
        try:
            said = _SAID.validate_python(message.content, extra="forbid")
        except ValidationError:
            return await self._decide(message)
        return await self._say(said["message"], message.id)

    async def _say(self, text: str, number: int) -> bool:
        fold = self._session.fold
        if any(action.kind == ToolCall.kind for action in fold.open.values()):
            return False  # not between a call and its result
        waiting = tuple(a.id for a in fold.open.values() if a.kind == AssistantMessage.kind)
        body = UserMessage(parts=text_parts(text))
        await self._session.commit([Draft(body, by=By("person"), re=waiting)], inbox=[number])
        return True

    async def _decide(self, message: InboxMessage) -> bool:
        try:
            said = _DECIDED.validate_python(message.content, extra="forbid")
            verdict = Verdict(
                said["decision"],
                message=said.get("why"),
                arguments=said.get("arguments"),
                result=said.get("result"),
                by=said.get("by"),
            )
            await record_verdict(self._session, said["action"], verdict, inbox=(message.id,))
        except (ValidationError, KeyError, RunError):
            self._unfit.add(message.id)  # it stays in the inbox for somebody to look at
            return False
        return True
