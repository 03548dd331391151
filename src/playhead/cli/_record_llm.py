"""`record llm` and `replay llm`: serve until somebody stops it, and say what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from playhead.cli._guard import DONE, STORE, UsageFault
from playhead.cli._loop import InterruptedRun, interruptible
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._tapes import find, open_store
from playhead.cli._text import plural
from playhead.govern import Redactor, default_rules, own_rule, secret_rules
from playhead.record import LLMProxy, LLMReplay

_SWITCH = 0.0005  # seconds that the recording may hold up answers at a time


@dataclass(frozen=True, slots=True)
class Rules:
    """What is redacted."""

    patterns: Sequence[str]
    keep_personal: bool

    def redactor(self) -> Redactor:
        """The same, made ready.

        Raises:
            MissingExtraError: The rules need the extra `govern`.
        """
        own = [own_rule("own", pattern) for pattern in self.patterns]
        return Redactor([*own, *(secret_rules() if self.keep_personal else default_rules())])


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen."""

    host: str
    port: int


def record(common: Common, rules: Rules, place: Place, *, upstream: str, timeout: float) -> int:
    """Pass model calls on and record them."""
    output = Output(as_json=True)
    sys.setswitchinterval(_SWITCH)

    async def main() -> LLMProxy:
        async with open_store(common) as store:
            proxy = LLMProxy(
                upstream,
                store=store,
                redactor=rules.redactor(),
                timeout=timeout,
                on_fault=output.message,
            )
            async with proxy.serve(host=place.host, port=place.port) as url:
                told = f"records {proxy.upstream.shown} at {url} (Ctrl-C ends it)"
                await until_stopped(output, told)
        return proxy

    recorder = asyncio.run(main()).recorder
    made = plural(recorder.recorded, "model call")
    output.message(f"recorded {made}" + (f", lost {recorder.faults}" if recorder.faults else ""))
    return STORE if recorder.faults else DONE


def replay(common: Common, rules: Rules, place: Place, *, names: Sequence[str]) -> int:
    """Answer from tapes."""
    if not names:
        raise UsageFault("name the tapes to answer from: `playhead replay llm last`")
    output = Output(as_json=True)

    async def main() -> LLMReplay:
        async with open_store(common) as store:
            tapes = [await find(store, name) for name in names]
            answers = LLMReplay(store, tapes, redactor=rules.redactor())
            async with answers.serve(host=place.host, port=place.port) as url:
                await until_stopped(output, f"answers from recordings at {url} (Ctrl-C ends it)")
        return answers

    answers = asyncio.run(main())
    output.message(f"answered {plural(answers.answered, 'request')}, missed {answers.missed}")
    return DONE


async def until_stopped(output: Output, told: str) -> None:
    """Wait for Ctrl-C or SIGTERM."""
    output.message(told)
    with contextlib.suppress(InterruptedRun):
        await interruptible(_for_ever())


async def _for_ever() -> None:
    await asyncio.Event().wait()
