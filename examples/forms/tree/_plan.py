"""Which nodes the next layer has: decided by what is known of the layers before, and the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from examples.forms.behaviours import BEHAVIOURS
from examples.forms.goal import sample_goal
from examples.forms.tree._ledger import NodeRecord
from examples.forms.tree._settings import TreeSettings


def first_layer(settings: TreeSettings) -> list[NodeRecord]:
    """The roots: company, goal and opening by chance."""
    chosen = settings.chosen()
    openings = [each for each in BEHAVIOURS.values() if each.group == "opening"]
    weights = [settings.behaviours.get(each.name, each.weight) for each in openings]
    nodes: list[NodeRecord] = []
    for number in range(settings.roots):
        rng = random.Random(f"{settings.seed}/root/{number}")
        name = rng.choice(sorted(chosen))
        goal = sample_goal(chosen[name], f"{settings.seed}/goal/{number}")
        behaviour = rng.choices(openings, weights=weights)[0].name
        nodes.append(NodeRecord(f"0/{number}", None, name, goal.as_json(), behaviour))
    return nodes


def next_layer(
    settings: TreeSettings, parents: Sequence[NodeRecord], *, ended: int
) -> list[NodeRecord]:
    """The children of the dialogues that go on.

    Each has one child at least; more go to some of them by chance, until the tree has as many
    dialogues as it shall have. The children of one parent behave differently.

    Args:
        settings: Of the tree.
        parents: The open nodes of the layer before, in order.
        ended: How many dialogues have come to their end.
    """
    layer = parents[0].layer + 1 if parents else 0
    rng = random.Random(f"{settings.seed}/layer/{layer}")
    room = max(settings.dialogues - ended - len(parents), 0)
    extra = min(room, _more(len(parents) * (settings.branching - 1)))
    counts = {parent.key: 1 for parent in parents}
    wide = [parent for parent in parents if len(parent.can) > 1]
    while extra > 0 and wide:
        parent = rng.choice(wide)
        counts[parent.key] += 1
        extra -= 1
        if counts[parent.key] >= len(parent.can):
            wide.remove(parent)
    nodes: list[NodeRecord] = []
    for parent in parents:
        for behaviour in _behaviours(parent, counts[parent.key], rng):
            key = f"{layer}/{len(nodes)}"
            nodes.append(NodeRecord(key, parent.key, parent.company, parent.goal, behaviour))
    return nodes


def _more(children: float) -> int:
    """So many, but one at least where there shall be any: a tree with one root grows as well."""
    return max(1, round(children)) if children else 0


def _behaviours(parent: NodeRecord, count: int, rng: random.Random) -> list[str]:
    """Different behaviours, by chance and weight."""
    left = dict(parent.can)
    chosen: list[str] = []
    while left and len(chosen) < count:
        names = sorted(left)
        name = rng.choices(names, weights=[left[each] for each in names])[0]
        chosen.append(name)
        del left[name]
    return chosen
