"""Growing a tree: layer by layer, the user speaks and the agent answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from examples.forms.tree._family import Families, Family, OnEnd
from examples.forms.tree._ledger import Ledger, NodeRecord
from examples.forms.tree._plan import first_layer, next_layer
from examples.forms.tree._settings import TreeSettings
from examples.forms.tree._workers import Workers
from playhead.store import Store

OnLayer: TypeAlias = Callable[[int, int, Ledger], None]
_Grow: TypeAlias = Callable[[Family, OnEnd], Awaitable[None]]


async def grow(
    settings: TreeSettings,
    ledger: Ledger,
    store: Store,
    *,
    workers: Workers | None = None,
    on_layer: OnLayer | None = None,
) -> None:
    """Grow a tree to its end, from wherever it is.

    What is in the ledger is not done again; a turn that was under way is resumed on its tape. A
    dialogue that fails is set apart, and the others go on. The same settings give the same tree,
    in however many processes.

    Args:
        settings: What the tree is grown from.
        ledger: What is known of its nodes.
        store: Where the tapes are.
        workers: The processes that grow it; this one if not given.
        on_layer: Shown the number of a layer, of its nodes, and the ledger, when one is done.

    Raises:
        TreeError: A worker process died.
        StoreError: The store failed.
    """
    grown: _Grow = Families(settings, store).grow if workers is None else workers.grow
    nodes, number = first_layer(settings), 0
    while nodes:
        await _layer(settings, ledger, nodes, grown)
        if on_layer is not None:
            on_layer(number, len(nodes), ledger)
        ended = sum(leaf.layer <= number for leaf in ledger.leaves())
        parents = [node for node in ledger.layer(number) if node.outcome == "open"]
        nodes, number = next_layer(settings, parents, ended=ended), number + 1


async def _layer(
    settings: TreeSettings, ledger: Ledger, nodes: Sequence[NodeRecord], grown: _Grow
) -> None:
    """The nodes of a layer: so many families at once.

    Raises:
        Exception: The first fault; what else was under way is brought to a stand.
    """
    room = asyncio.Semaphore(settings.jobs)

    async def one(family: Family) -> None:
        async with room:
            await grown(family, ledger.ended)

    try:
        async with asyncio.TaskGroup() as tasks:
            for family in _families(ledger, nodes):
                tasks.create_task(one(family))
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


def _families(ledger: Ledger, nodes: Sequence[NodeRecord]) -> Iterator[Family]:
    """What is still to be grown of a layer, by parent."""
    for _, siblings in groupby(nodes, key=lambda node: node.parent or node.key):
        family = list(siblings)
        left = [node for node in family if node.key not in ledger.nodes]
        said = [ledger.nodes[node.key].text for node in family if node.key in ledger.nodes]
        if left:
            above = family[0].parent
            yield Family(ledger.nodes[above] if above is not None else None, left, said)
