"""Evaluating a tree: GREADTH and success of each dialogue, as annotations and in the ledger."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from examples.forms.tree._judge import judge_some
from examples.forms.tree._ledger import Ledger, NodeRecord
from examples.forms.tree._measure import Asked, Measured, measured
from examples.forms.tree._workers import Workers
from playhead.errors import TapeNotFoundError
from playhead.evaluate import Annotated, annotate, read_annotations
from playhead.llm import Model
from playhead.store import Store
from playhead.tape import By, new_id

PROGRAM = By("tool", name="greadth")
_BATCH = 20  # dialogues that are measured and written at once


@dataclass(slots=True)
class Evaluated:
    """What was said of the dialogues of a tree, beside the ledger.

    Args:
        dialogues: How many were looked at.
        codes: How often each breach was found, by letter and code.
        failed: By letter and dialogue, why a judge gave no verdict.
    """

    dialogues: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)


async def evaluate_tree(
    ledger: Ledger,
    store: Store,
    *,
    judge: Model | str | None = None,
    judged: int = 0,
    jobs: int = 16,
    workers: Workers | None = None,
) -> Evaluated:
    """Measure each dialogue once; those that are in the ledger are not looked at again.

    What is written is the same in however many processes. A judge that gives no verdict is set
    apart; it is asked again when the tree is evaluated again.

    Args:
        ledger: Of the tree.
        store: Where its tapes are, and the annotations go.
        judge: The model of the judges.
        judged: How many dialogues they look at, the first ones.
        jobs: How many verdicts are waited for at once.
        workers: The processes that measure; this one if not given.
    """
    evaluated = Evaluated()
    leaves = ledger.leaves()
    waiting = [node for node in leaves if node.key not in ledger.scored]
    chosen = leaves[:judged] if judge is not None else []
    said = await _said(ledger, store, [*waiting, *chosen])
    by_program = {_about(each) for each in said if each.by == PROGRAM}
    orders = _batches([Asked.about(node, ledger) for node in waiting])
    async for batch in _measured(orders, store, workers):
        new = [each for each in batch if each.tape not in by_program]
        if new:
            annotations = [every for each in new for every in each.annotations()]
            await annotate(store, annotations, by=PROGRAM, tape_id=ledger.annotations)
        for each in batch:
            ledger.evaluated(each.key, each.scores)
            evaluated.codes.update(each.codes)
        evaluated.dialogues += len(batch)
    if judge is not None:
        evaluated.failed = await judge_some(chosen, ledger, store, judge, said=said, jobs=jobs)
    return evaluated


async def _said(ledger: Ledger, store: Store, nodes: Sequence[NodeRecord]) -> list[Annotated]:
    """What is annotated: a process that was killed may not have told the ledger."""
    if ledger.annotations is None:
        ledger.annotated(new_id())
        return []
    assert ledger.annotations is not None
    try:
        return await read_annotations(
            store, tapes=[ledger.annotations], of={node.tape for node in nodes}
        )
    except TapeNotFoundError:
        return []


def _about(annotated: Annotated) -> str | None:
    """The tape that is annotated."""
    target = annotated.body.target
    return target.tape if target is not None else None


def _batches(asked: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    for at in range(0, len(asked), _BATCH):
        yield asked[at : at + _BATCH]


async def _measured(
    orders: Iterator[Sequence[Asked]], store: Store, workers: Workers | None
) -> AsyncIterator[list[Measured]]:
    """What is found, in order; each worker has one batch and the next."""
    if workers is None:
        for order in orders:
            yield [await measured(each, store) for each in order]
        return
    under_way: deque[asyncio.Task[list[Measured]]] = deque()
    try:
        for order in orders:
            under_way.append(asyncio.create_task(workers.measure(order)))
            if len(under_way) > 2 * workers.processes:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
