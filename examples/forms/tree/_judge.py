"""Asking model judges about some dialogues; what they say becomes labels beside the program's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from examples.forms.greadth import judges
from examples.forms.tree._ledger import Ledger, NodeRecord
from playhead.errors import JudgeError, ModelError
from playhead.evaluate import (
    Annotated,
    ModelJudge,
    Task,
    Trial,
    TrialRun,
    annotate,
    ratings,
    target_of,
)
from playhead.llm import Model
from playhead.store import Store
from playhead.tape.annotations import Label

_GRADES = {"yes": 1.0, "no": 0.0}


async def judge_some(
    nodes: Sequence[NodeRecord],
    ledger: Ledger,
    store: Store,
    model: Model | str,
    *,
    said: Sequence[Annotated] = (),
    jobs: int = 16,
) -> dict[str, str]:
    """Have dialogues judged that were not yet.

    A verdict is written as it comes, so that after a crash only those under way are asked for
    again.

    Args:
        nodes: The dialogues.
        ledger: Of the tree.
        store: Where its tapes are, and the annotations go.
        model: Of the judges.
        said: What is annotated, also where the ledger was not told of it.
        jobs: How many verdicts are waited for at once.

    Returns:
        By letter and dialogue, why there is no verdict.
    """
    room, writing = asyncio.Semaphore(jobs), asyncio.Lock()
    failed: dict[str, str] = {}

    async def one(judge: ModelJudge, node: NodeRecord) -> None:
        key = f"{node.key}/{judge.name}"
        async with room:
            try:
                label, value = await _verdict(judge, node, store)
            except (JudgeError, ModelError) as error:
                failed[key] = error.message
                return
        async with writing:
            await annotate(store, [label], by=judge.by, tape_id=ledger.annotations)
            ledger.evaluated(key, {"value": value})

    try:
        async with asyncio.TaskGroup() as tasks:
            for judge in judges(model):
                for node in _not_judged(judge, nodes, ledger, said):
                    tasks.create_task(one(judge, node))
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None
    return failed


def _not_judged(
    judge: ModelJudge, nodes: Sequence[NodeRecord], ledger: Ledger, said: Sequence[Annotated]
) -> list[NodeRecord]:
    """The dialogues that are left; of a verdict that is only annotated, the ledger is told."""
    given = ratings(said, _name(judge)).get(f"{judge.by.type} {judge.by.name}", {})
    left: list[NodeRecord] = []
    for node in nodes:
        key, grade = f"{node.key}/{judge.name}", given.get((node.tape, None))
        if key in ledger.scored:
            continue
        if grade is None:
            left.append(node)
        else:
            ledger.evaluated(key, {"value": _GRADES[str(grade)]})
    return left


async def _verdict(judge: ModelJudge, node: NodeRecord, store: Store) -> tuple[Label, float]:
    tape = await store.open(node.tape)
    run = TrialRun(Trial("tree", Task(node.key, node.text), 0, 0), tape, store=store)
    value = (await judge.score(run)).value
    grade = "yes" if value == _GRADES["yes"] else "no"
    return Label(target=target_of(tape), name=_name(judge), value=grade), value


def _name(judge: ModelJudge) -> str:
    """Of its labels, as the program names its own."""
    return f"keeps {judge.name.removesuffix('_judge')}"
