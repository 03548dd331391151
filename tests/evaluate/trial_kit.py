"""What the tests of evaluations share: suites whose model calls are counted in a file.

As a program it runs one: `python trial_kit.py FOLDER PROCESSES [EVALUATION]`, and prints a line for
each trial that ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import playhead as ph
from playhead.evaluate import (
    EvaluationBeganEvent,
    EvaluationEvent,
    EvaluationResult,
    Source,
    Suite,
    Task,
    Trial,
    TrialEndedEvent,
    TrialRun,
    run_suite_sync,
    scorer,
)
from playhead.llm import ModelRequest
from playhead.tape import Message, ToolCallPart

TASKS = 40
CALLS = 3  # of the model, in each trial
HERE = Path(__file__).resolve()
SOURCE = Source(f"{HERE}:suite", (f"{HERE}:agent",))
FOLDER = Path(os.environ.get("TRIAL_KIT", "."))


class Counter(ph.Toolbox):
    """Adds up; its state can be brought back."""

    def __init__(self) -> None:
        self.total = 0

        @ph.tool(effect="write", thread=False)
        def add(number: int) -> int:
            """Add a number."""
            self.total += number
            return self.total

        super().__init__([add], state_contract="rebuildable")

    async def reset(self, task: str | None = None) -> None:
        self.total = 0


def counter(trial: Trial) -> Counter:
    return Counter()


@scorer
def added_up(run: TrialRun) -> bool:
    (environment,) = run.environments
    assert isinstance(environment, Counter)
    return environment.total == run.task.expected and run.answer == f"{run.task.expected}"


def calls(name: str, **arguments: Any) -> Message:
    return ph.assistant((ToolCallPart(id="call", name=name, arguments=arguments),))


async def say(request: ModelRequest) -> Message:
    """Add the task's number twice, then say the sum; every call is noted before it is answered."""
    messages = list(request.prompt)
    number = int(next(m.text for m in messages if m.role == "user").split()[-1])
    said = sum(message.role == "assistant" for message in messages)
    note(FOLDER / "paid", f"{number} {said}")
    die(FOLDER / f"die-{number}")
    await asyncio.sleep(0.002)
    if said < CALLS - 1:
        return calls("add", number=number)
    return ph.assistant(str((CALLS - 1) * number))


def note(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def die(marker: Path) -> None:
    """Kill this process, as often as the file says."""
    if marker.exists() and (times := int(marker.read_text())) > 0:
        marker.write_text(str(times - 1))
        os.kill(os.getpid(), signal.SIGKILL)


def paid(folder: Path) -> list[tuple[int, int]]:
    """The model calls that were made: task and number of each."""
    file = folder / "paid"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def said_of(result: EvaluationResult) -> dict[tuple[str, str, int], Any]:
    """What an evaluation found, but for ids and times."""
    kept = {"target", "seconds", "tape"}
    return {
        trial.key: (
            trial.passed,
            trial.end.model_dump(exclude=kept),
            {name: score.model_dump(exclude=kept) for name, score in trial.scores.items()},
        )
        for trial in result.trials
    }


suite = Suite(
    "sums",
    [Task(f"sum-{n}", f"Add {n}", expected=(CALLS - 1) * n) for n in range(TASKS)],
    [added_up],
    environment=counter,
)
agent = ph.Agent("adder", model=ph.ScriptedModel(say))


def evaluate(folder: Path, processes: int, *, jobs: int = 4, **options: Any) -> EvaluationResult:
    """The suite, in a store of the folder."""
    return run_suite_sync(
        suite,
        [agent],
        store=ph.SqliteStore(folder / "tapes.db"),
        jobs=jobs,
        processes=processes,
        source=SOURCE,
        **options,
    )


def teller(tell: Callable[[str], None]) -> Callable[[EvaluationEvent], None]:
    """Tells the evaluation's id, and of each trial that ends."""

    def told(event: EvaluationEvent) -> None:
        if isinstance(event, EvaluationBeganEvent):
            tell(event.id)
        if isinstance(event, TrialEndedEvent):
            tell(f"ended {event.result.start.task}")

    return told


if __name__ == "__main__":
    where, how_many, *which = sys.argv[1:]
    evaluate(
        Path(where),
        int(how_many),
        resume=which[0] if which else None,
        on_event=teller(lambda line: print(line, flush=True)),
    )
