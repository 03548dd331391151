"""What the tests of sessions share: a store that remembers who ran what, scripts, crashes.

`Lab.check` runs after every test: each tape that it made verifies, in this library and in the
standalone verifier; in every prompt each tool call is answered exactly once, right after it was
made; and the agent that ran it replays it without a difference.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import playhead as ph
from playhead.llm import read_prompt
from playhead.store import Answer, Batch, Store
from playhead.tape import Message, Step, Tape, ToolCallPart, ToolResponsePart, write_tape
from playhead.tape.kinds import ModelCall, ToolCall

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from verify_tape import verify


def calls(*wanted: tuple[str, dict[str, Any]] | str, first: int = 1) -> Message:
    """A completion that asks for tools: `calls(("add", {"a": 1}), "now")`."""
    asked = [(name, {}) if isinstance(name, str) else name for name in wanted]
    parts = [
        ToolCallPart(id=f"call_{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(asked, first)
    ]
    return ph.assistant(parts)


def agent_of(
    *answers: object, name: str = "helper", tools: Sequence[Any] = (), **more: Any
) -> ph.Agent:
    """A tool-calling agent with a script."""
    return ph.Agent(name, model=ph.ScriptedModel(list(answers)), tools=tools, **more)


def by_history(*answers: object) -> ph.ScriptedModel:
    """A model that answers by how many completions its conversation already has.

    So it says the same in a resumed session, and notices nothing of a crash.
    """

    def say(request: Any) -> Any:
        said = sum(message.role == "assistant" for message in request.prompt)
        answer = answers[said]
        return answer(request) if callable(answer) else answer

    return ph.ScriptedModel(say)


def kinds(tape: Tape | Sequence[Step]) -> list[str]:
    return [step.kind.removeprefix("playhead.") for step in tape]


def bodies(tape: Tape, kind: type) -> list[Any]:
    return [step.body for step in tape if step.kind == kind.kind]


def open_call(tape: Tape) -> str:
    """The id of the one open tool call."""
    (found,) = [a.id for a in tape.fold().open.values() if a.kind == ToolCall.kind]
    return found


class Lab:
    """Runs sessions in one store and checks all of its tapes at the end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.agents: dict[str, ph.Agent] = {}
        self.deps: object = None
        self.not_replayed: set[str] = set()

    def _kept(self, agent: ph.Agent | None, options: dict[str, Any]) -> dict[str, Any]:
        if agent is not None:
            self.agents[agent.name] = agent
        self.deps = options.get("deps", self.deps)
        return {"store": self.store, **options}

    async def run(self, agent: ph.Agent, task: Any = "Go.", **options: Any) -> Tape:
        return await ph.run(agent, task, **self._kept(agent, options))

    async def resume(self, tape: Tape | str, *, agent: ph.Agent, **options: Any) -> Tape:
        return await ph.resume(tape, agent=agent, **self._kept(agent, options))

    async def fork(self, tape: Tape | str, *, agent: ph.Agent, **options: Any) -> Tape:
        return await ph.fork(tape, agent=agent, **self._kept(agent, options))

    async def replay(self, tape: Tape | str, **options: Any) -> ph.ReplayReport:
        return await ph.replay(tape, store=self.store, **options)

    async def newest(self) -> Tape:
        (info,) = await self.store.tapes(limit=1)
        return await self.store.open(info.id)

    async def tape_ids(self) -> list[str]:
        return [info.id for info in await self.store.tapes(limit=10_000)]

    async def check(self) -> None:
        for tape_id in await self.tape_ids():
            tape = await self.store.open(tape_id)
            await check_tape(self.store, tape)
            agent = self.agents.get(tape.fold().frames[0].agent)
            if agent is not None and tape_id not in self.not_replayed:
                report = await self.replay(tape, agent=agent, deps=self.deps)
                assert report.ok, f"{kinds(tape)}\n{report.divergences[0]}"


async def check_tape(store: Store, tape: Tape) -> None:
    """Verify a tape twice, and look whether its prompts are conversations a provider accepts."""
    tape.verify()
    assert [step.seq for step in tape] == list(range(len(tape)))
    first = verify(write_tape(tape))
    documents = [(name, await store.document(name)) for name in first.absent_documents]
    blobs = [(name, await store.blob(tape.id, name)) for name in first.absent_blobs]
    assert all(content is not None for _, content in documents), "a document was not stored"
    assert all(blob is not None for _, blob in blobs), "a blob was not stored"
    lines = write_tape(
        tape, [(n, c) for n, c in documents if c], [(n, b.content) for n, b in blobs if b]
    )
    report = verify(lines, [tape.head_text])
    assert report.ok, report.faults
    for step in tape:
        body = step.body if step.kind == ModelCall.kind else None
        if isinstance(body, ModelCall) and not any(s.erased for s in tape):
            check_conversation(read_prompt(tape, step))


def check_conversation(messages: Sequence[Message]) -> None:
    """Each tool call is answered exactly once, before anything else is said."""
    due: set[str] = set()
    for message in messages:
        answered = [part.id for part in message.parts if isinstance(part, ToolResponsePart)]
        if message.role == "tool":
            assert answered, "a tool message answers nothing"
            for name in answered:
                assert name in due, f"{name} was answered twice, or never asked for"
                due.discard(name)
            continue
        assert not due, f"{due} were not answered before a {message.role} spoke"
        asked = [part.id for part in message.parts if isinstance(part, ToolCallPart)]
        assert len(set(asked)) == len(asked)
        due = {name for name in asked if name is not None}
    assert not due, f"{due} were not answered before the model was asked"


class Crash(BaseException):
    """The process ends here."""


class CrashingStore:
    """A store whose process ends at an append: before it is written, or right after."""

    def __init__(self, store: Store, *, at: int, written: bool) -> None:
        self._store, self._left, self._written = store, at, written
        self.crashed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, batch: Batch) -> Answer:
        self._left -= 1
        if self._left > 0:
            return await self._store.append(batch)
        if self._left == 0 and self._written:
            await self._store.append(batch)
        self.crashed = True
        raise Crash


async def crashed(
    lab: Lab, agent: ph.Agent, *, at: int, written: bool, task: str = "Go.", **options: Any
) -> Tape:
    """A tape whose session ended at its `at`-th append."""
    store = CrashingStore(lab.store, at=at, written=written)
    lab.agents[agent.name] = agent
    try:
        await ph.run(agent, task, store=store, **options)  # type: ignore[arg-type]
    except Crash:
        return await lab.newest()
    raise AssertionError(f"the session has fewer than {at} appends")


async def every_crash(
    lab: Lab, make: Callable[[], ph.Agent], **options: Any
) -> AsyncIterator[tuple[Tape, str]]:
    """Tapes of sessions that ended at each of their appends, before or after it was written."""
    for written in (False, True):
        for at in itertools.count(1):
            store = CrashingStore(lab.store, at=at, written=written)
            before = len(await lab.tape_ids())
            try:
                await ph.run(make(), "Go.", store=store, **options)  # type: ignore[arg-type]
            except Crash:
                if len(await lab.tape_ids()) > before:
                    yield await lab.newest(), f"append {at}, {written=}"
            else:
                assert at > 3
                break


async def in_steps(work: Any, steps: int) -> bool:
    """Run a coroutine for so many turns of the event loop, then cancel it; True if it was."""
    task = asyncio.ensure_future(work)
    for _ in range(steps):
        await asyncio.sleep(0)
        if task.done():
            break
    cancelled = task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return cancelled and False


class Ledger:
    """What tools did to the world outside, by idempotency key."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    def note(self, context: ph.ToolContext, what: str) -> str:
        self.done.append((context.key, what))
        return f"done: {what}"

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.done]

    def tool(self, effect: Any, *, name: str = "act") -> Callable[..., Any]:
        """A tool that writes into the ledger."""

        def act(what: str, context: ph.ToolContext) -> str:
            """Do something.

            Args:
                what: What to do.
            """
            return self.note(context, what)

        return ph.tool(effect=effect, name=name, thread=False)(act)
