"""What a tree is like: statistics of its dialogues, and GREADTH by behaviour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from rich.console import Console
from rich.table import Table

from examples.forms.greadth import LETTERS
from examples.forms.tree._ledger import LEAVES, Ledger, NodeRecord
from playhead.evaluate import ratings, read_annotations
from playhead.evaluate.statistics import krippendorff_alpha, raw_agreement
from playhead.store import Store
from playhead.tape import Json


@dataclass(slots=True)
class TreeReport:
    """The figures of a tree.

    Args:
        dialogues: How many came to an end and are no duplicates.
        nodes: How many nodes there are.
        outcomes: How many nodes have each outcome.
        layers: How many nodes each layer has.
        turns: Mean turns of a dialogue.
        steps: Steps that are stored.
        unshared_steps: Steps that would be stored if no prefix were shared.
        calls: Mean model calls of the agent in a dialogue.
        tokens: Mean tokens of these.
        success: Share of the dialogues with an end that ended as the user wants.
        letters: Share of turns in which each letter is kept, over all dialogues.
        behaviours: The same, by behaviour, over the dialogues in which it was shown.
        shown: How often each behaviour was shown.
        failures: Why nodes failed, and how often.
        agreement: By letter, program and judge: raw agreement, alpha, dialogues.
    """

    dialogues: int = 0
    nodes: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    layers: list[int] = field(default_factory=list)
    turns: float = 0.0
    steps: int = 0
    unshared_steps: int = 0
    calls: float = 0.0
    tokens: float = 0.0
    success: float | None = None
    letters: dict[str, float] = field(default_factory=dict)
    behaviours: dict[str, dict[str, float]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    agreement: dict[str, dict[str, Json]] = field(default_factory=dict)


async def report_of(ledger: Ledger, store: Store) -> TreeReport:
    """The figures of a tree that was grown and evaluated."""
    nodes, leaves = ledger.in_order(), ledger.leaves()
    paths = [ledger.path_to(leaf) for leaf in leaves]
    layers = Counter(node.layer for node in nodes)
    twice = {node.key for node in ledger.duplicates()}
    outcomes: Counter[str] = Counter("duplicate" if n.key in twice else n.outcome for n in nodes)
    report = TreeReport(
        dialogues=len(leaves),
        nodes=len(nodes),
        outcomes=dict(outcomes),
        layers=[layers[number] for number in sorted(layers)],
        turns=_mean(len(path) for path in paths),
        steps=sum(node.steps for node in nodes),
        unshared_steps=sum(leaf.length for leaf in leaves),
        calls=_mean(sum(node.calls for node in path) for path in paths),
        tokens=_mean(sum(node.tokens for node in path) for path in paths),
        shown=dict(Counter(node.behaviour for node in nodes if node.outcome != "duplicate")),
        failures=dict(Counter(n.why.partition(":")[0] for n in nodes if n.outcome == "failed")),
    )
    scored = [
        (path, ledger.scored[path[-1].key]) for path in paths if path[-1].key in ledger.scored
    ]
    report.letters = _letters([scores for _, scores in scored])
    ended = [scores["success"] for _, scores in scored if "success" in scores]
    report.success = _mean(ended) if ended else None
    report.behaviours = _by_behaviour(scored)
    report.agreement = await _agreement(ledger, store)
    return report


def _letters(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Shares of turns: dialogues count by their length."""
    turns = sum(each["turns"] for each in scores)
    return {
        letter: sum(each[letter] * each["turns"] for each in scores) / turns if turns else 1.0
        for letter in LETTERS
    }


def _by_behaviour(
    scored: Iterable[tuple[Sequence[NodeRecord], Mapping[str, float]]],
) -> dict[str, dict[str, float]]:
    found: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for path, scores in scored:
        for behaviour in {node.behaviour for node in path}:
            found[behaviour].append(scores)
    table: dict[str, dict[str, float]] = {}
    for behaviour, each in sorted(found.items()):
        ended = [scores["success"] for scores in each if "success" in scores]
        row = {**_letters(each), "dialogues": float(len(each))}
        table[behaviour] = row | ({"success": _mean(ended)} if ended else {})
    return table


async def _agreement(ledger: Ledger, store: Store) -> dict[str, dict[str, Json]]:
    """How far program and judge say the same of dialogues that both looked at."""
    if ledger.annotations is None or not any(key.endswith("_judge") for key in ledger.scored):
        return {}
    annotated = await read_annotations(store, tapes=[ledger.annotations])
    found: dict[str, dict[str, Json]] = {}
    for letter in LETTERS:
        said = ratings(annotated, f"keeps {letter}")
        if len(said) == 2:
            alpha = krippendorff_alpha(said)
            found[letter] = {
                "raw": raw_agreement(said), "alpha": alpha.value, "dialogues": alpha.items
            }  # fmt: skip
    return found


def _mean(numbers: Iterable[float]) -> float:
    given = list(numbers)
    return fmean(given) if given else 0.0


def print_report(report: TreeReport, console: Console) -> None:
    """The report, for people."""
    leaves = ", ".join(f"{report.outcomes.get(each, 0):,} {each}" for each in LEAVES)
    console.print(f"[bold]{report.dialogues:,} dialogues[/] ({leaves})", highlight=False)
    apart = ", ".join(
        f"{report.outcomes.get(each, 0):,} {each}" for each in ("failed", "duplicate")
    )
    console.print(f"set apart: {apart}", highlight=False)
    for why, count in sorted(report.failures.items()):
        console.print(f"  failed {count:,} times: {why}", highlight=False)
    share = report.steps / report.unshared_steps if report.unshared_steps else 1.0
    console.print(
        f"{report.nodes:,} nodes in {len(report.layers)} layers; {report.turns:.1f} turns, "
        f"{report.calls:.1f} model calls, {report.tokens:,.0f} tokens a dialogue; "
        f"{report.steps:,} steps stored, {share:.0%} of what they would be unshared",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("behaviour shown")
    for name in ("dialogues", *(letter[:6] for letter in LETTERS), "success"):
        table.add_column(name, justify="right")
    everything = {**report.letters, "dialogues": float(report.dialogues)}
    if report.success is not None:
        everything["success"] = report.success
    for name, row in (*report.behaviours.items(), ("all", everything)):
        table.add_row(
            name,
            f"{row['dialogues']:,.0f}",
            *(f"{100 * row[letter]:.1f}" for letter in LETTERS),
            f"{100 * row['success']:.1f}" if "success" in row else "–",
        )
    console.print(table)
    for letter, each in report.agreement.items():
        alpha = each["alpha"]
        shown = f"{alpha:.2f}" if isinstance(alpha, float) else "not defined"
        console.print(
            f"{letter}: program and judge agree on {each['raw']:.0%} of {each['dialogues']} "
            f"dialogues, alpha {shown}",
            highlight=False,
        )
