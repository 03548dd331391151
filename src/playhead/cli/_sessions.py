"""`run`, `resume` and `fork`: live sessions, shown while they happen."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import playhead as ph
from playhead.cli._agents import Loaded, load, load_function, missing_agent
from playhead.cli._ask import Asker, decisions, waiting
from playhead.cli._guard import NEGATIVE, InterruptFault, UsageFault, exit_code_of, told, trace
from playhead.cli._live import Stream
from playhead.cli._loop import InterruptedRun, interruptible
from playhead.cli._options import Common, EffectsPolicy
from playhead.cli._output import Output
from playhead.cli._policy import Policy
from playhead.cli._privacy import guard_of
from playhead.cli._report import code_of, command, document, store_words, tell
from playhead.cli._tapes import find, open_store
from playhead.cli._text import one_line, short_id
from playhead.errors import DecisionNeededError, PlayheadError, StoreError
from playhead.govern import Guard
from playhead.orchestrator import Event, StepEvent
from playhead.store import SqliteStore
from playhead.tape import Json, Tape, call_text
from playhead.tape.kinds import DecisionRequest, ToolCall


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a live session was asked for."""

    common: Common
    agent: str | None
    environments: Sequence[str] | None
    budget: ph.Budget
    policy: Policy = field(default_factory=Policy)
    ask: bool | None = None


Opened: TypeAlias = tuple[SqliteStore, Guard | None]


@contextlib.asynccontextmanager
async def _open(common: Common) -> AsyncIterator[Opened]:
    """The store and the guard that were asked for."""
    with guard_of(common.privacy) as guard:
        async with open_store(common) as store:
            yield store, guard


class Live:
    """One command that runs an agent."""

    def __init__(self, wanted: Wanted, loaded: Loaded, opened: Opened) -> None:
        self.common, self.loaded = wanted.common, loaded
        self.store, self.guard = opened
        self.output = Output(as_json=wanted.common.as_json)
        self.stream = Stream(self.output.people)
        asks = sys.stdin.isatty() if wanted.ask is None else wanted.ask
        self.asker = Asker(self.output.people, self.stream) if asks else None
        self.budget = wanted.budget
        self.simulate: Callable[[ToolCall], Json] | None = None
        self._asked: set[str] = set()
        decide = self.asker.approval if self.asker else None
        self.approval = wanted.policy.approval(decide, said=loaded.approval)

    async def resume(self, tape: str, verdicts: Mapping[str, ph.Verdict]) -> Tape:
        """Resume a tape; `verdicts` decide about what waits."""
        return await ph.resume(
            tape,
            agent=self.loaded.agent,
            decisions=verdicts,
            environment=self.loaded.environments,
            store=self.store,
            budget=self.budget,
            approval=self.approval,
            simulate=self.simulate,
            privacy=self.guard,
            on_event=self.watch,
        )

    def watch(self, event: Event) -> None:
        """Show what happens, and how others can decide about what is waited for."""
        self.stream(event)
        patient = self.approval is not None and self.approval.seconds is not None
        if patient and isinstance(event, StepEvent) and event.step.kind == DecisionRequest.kind:
            words = ["playhead", "decide", short_id(event.step.tape), short_id(event.step.re[0])]
            hint = shlex.join([*words, "DECISION", *store_words(self.common)])
            self.output.message(f"waits for a decision: {hint}", "yellow")

    async def finish(self, work: Callable[[], Awaitable[Tape]]) -> int:
        """Do the work, ask what has to be asked, and say what became of it."""
        try:
            tape = await interruptible(self._settled(work))
        except InterruptedRun as interrupted:
            return await self._interrupted(interrupted)
        except PlayheadError as error:
            return await self._failed(error)
        finally:
            self.stream.stop()
        if self.output.as_json:
            self.output.document(document(tape, self.stream.used))
        tell(self.output, tape, self.stream.used, self.loaded, self.common)
        return code_of(tape)

    async def _settled(self, work: Callable[[], Awaitable[Tape]]) -> Tape:
        tape = await work()
        while verdicts := await self.ask(tape, "unknown_outcome"):
            tape = await self.resume(tape.id, verdicts)
        return tape

    async def ask(self, tape: Tape, *requests: str) -> dict[str, ph.Verdict]:
        """Ask about what waits on a tape for such a request, once about each action."""
        found: dict[str, ph.Verdict] = {}
        for action in waiting(tape.fold()) if self.asker else ():
            if action.request not in requests or action.id in self._asked:
                continue
            assert self.asker is not None
            self._asked.add(action.id)
            said = await self.asker.about(action, tape[action.seq])
            if said is not None:
                found[action.id] = said
        return found

    async def _interrupted(self, interrupted: InterruptedRun) -> int:
        self.stream.stop()
        self.output.message("interrupted", "yellow")
        await self._leave(InterruptFault("the run was interrupted"))
        return interrupted.exit_code

    async def _failed(self, error: PlayheadError) -> int:
        self.stream.stop()
        if self.common.debug:
            trace(self.output, error)
        if isinstance(error, DecisionNeededError):
            return self._ask_effects(error)
        self.output.message(told(error), "bold red")
        await self._leave(error)
        return exit_code_of(error)

    async def _leave(self, error: PlayheadError) -> None:
        """Say where the tape is, if there is one."""
        tape: Tape | None = None
        if self.stream.tape is not None and not isinstance(error, StoreError):
            tape = await self.store.open(self.stream.tape)
            hint = command("resume", tape.id, self.loaded, self.common)
            self.output.message(f"{len(tape)} steps are safe; go on with: {hint}")
        if self.output.as_json and tape is not None:
            self.output.document(document(tape, self.stream.used, error))
        elif self.output.as_json:
            said = {"code": error.code, "message": error.message}
            self.output.document({"tape": self.stream.tape, "error": said})

    def _ask_effects(self, error: DecisionNeededError) -> int:
        past = error.data.get("effects")
        calls = [
            (each.step.seq, each.call.name, each.call.arguments)
            for each in (past if isinstance(past, list) else [])
        ]
        first = error.message.partition("\n")[0]
        self.output.message(f"error: {error.code}: {one_line(first)}", "bold red")
        for seq, name, arguments in calls:
            self.output.message(f"  step {seq}: {one_line(call_text(name, arguments), 300)}")
        self.output.message(
            "say --effects reuse (an equal call gets this result), redo or simulate"
        )
        if self.output.as_json:
            listed = [{"seq": s, "name": n, "arguments": a} for s, n, a in calls]
            said = {"code": error.code, "message": error.message}
            self.output.document({"tape": None, "effects": listed, "error": said})
        return exit_code_of(error)


def run(wanted: Wanted, task: str, tape: str | None) -> int:
    """Run an agent on a task; on a new tape, or as the next message of an old one."""
    assert wanted.agent is not None
    loaded = load(wanted.agent, wanted.environments)

    async def main() -> int:
        async with _open(wanted.common) as (store, guard):
            live = Live(wanted, loaded, (store, guard))
            on = await find(store, tape) if tape is not None else None
            return await live.finish(
                lambda: ph.run(
                    loaded.agent,
                    task,
                    tape=on,
                    environment=loaded.environments,
                    store=store,
                    budget=live.budget,
                    approval=live.approval,
                    privacy=live.guard,
                    on_event=live.watch,
                )
            )

    return asyncio.run(main())


def resume(wanted: Wanted, text: str, said: Sequence[str], *, simulate: str | None) -> int:
    """Finish a tape."""

    async def main() -> int:
        async with _open(wanted.common) as (store, guard):
            tape = await store.open(await find(store, text))
            live = Live(wanted, given(wanted, tape), (store, guard))
            live.simulate = simulator(simulate)
            verdicts = decisions(tape, said)

            async def work() -> Tape:
                asked = await live.ask(tape, "approval", "unknown_outcome") if not said else {}
                return await live.resume(tape.id, {**verdicts, **asked})

            return await live.finish(work)

    return asyncio.run(main())


def resume_with(wanted: Wanted, tape: str, verdicts: Mapping[str, ph.Verdict]) -> int:
    """Finish a tape with decisions that were made already."""

    async def main() -> int:
        async with _open(wanted.common) as (store, guard):
            live = Live(wanted, given(wanted, await store.open(tape)), (store, guard))
            return await live.finish(lambda: live.resume(tape, verdicts))

    return asyncio.run(main())


def fork(
    wanted: Wanted,
    text: str,
    *,
    at: int | None,
    effects: EffectsPolicy,
    task: str | None,
    simulate: str | None,
) -> int:
    """Go another way from a step of a tape."""
    if (effects is EffectsPolicy.simulate) != (simulate is not None):
        raise UsageFault("`--effects simulate` and `--simulate FILE.py:NAME` go together")

    async def main() -> int:
        async with _open(wanted.common) as (store, guard):
            parent = await store.open(await find(store, text))
            if at is not None and at > len(parent):
                raise UsageFault(f"--at {at}: the tape has {len(parent)} steps")
            live = Live(wanted, given(wanted, parent), (store, guard))
            live.simulate = simulator(simulate)
            code = await live.finish(
                lambda: ph.fork(
                    parent,
                    at=at,
                    agent=live.loaded.agent,
                    task=task,
                    effects=effects.value,
                    simulate=live.simulate,
                    environment=live.loaded.environments,
                    store=store,
                    budget=live.budget,
                    approval=live.approval,
                    privacy=live.guard,
                    on_event=live.watch,
                )
            )
            if live.stream.tape is not None and code != NEGATIVE:
                pair = f"{short_id(parent.id)} {short_id(live.stream.tape)}"
                live.output.message(f"compare with: playhead diff {pair}")
            return code

    return asyncio.run(main())


def simulator(name: str | None) -> Callable[[ToolCall], Json] | None:
    """The function that a person named for `--simulate`.

    Raises:
        UsageFault: The name leads to none.
    """
    return load_function(name, "function that simulates") if name is not None else None


def given(wanted: Wanted, tape: Tape) -> Loaded:
    """The agent that the person gave; none is ever loaded because a tape names it.

    Raises:
        UsageFault: The person gave none; the message says which one the tape names.
    """
    if wanted.agent is None:
        raise missing_agent(tape)
    return load(wanted.agent, wanted.environments)
