"""Evaluating a tree: GREADTH and success of each dialogue, as annotations and in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from examples.forms.dialogue import Dialogue, read_dialogue
from examples.forms.goal import Goal
from examples.forms.greadth import LETTERS, Greadth, judges, measure, success
from examples.forms.tree._ledger import Ledger, NodeRecord
from playhead.evaluate import Annotation, Task, Trial, TrialRun, annotate, target_of
from playhead.llm import Model
from playhead.store import Store
from playhead.tape import By, Tape
from playhead.tape.annotations import Label, Score

PROGRAM = By("tool", name="greadth")
_BATCH = 100  # dialogues written at once


@dataclass(slots=True)
class Evaluated:
    """What was said of the dialogues of a tree, beside the ledger.

    Args:
        dialogues: How many were looked at.
        codes: How often each breach was found, by letter and code.
    """

    dialogues: int = 0
    codes: dict[str, int] = field(default_factory=dict)


async def evaluate_tree(
    ledger: Ledger, store: Store, *, judge: Model | str | None = None, judged: int = 0
) -> Evaluated:
    """Measure each dialogue once; those that are in the ledger are not looked at again.

    Args:
        ledger: Of the tree.
        store: Where its tapes are, and the annotations go.
        judge: The model of the judges.
        judged: How many dialogues they look at, the first ones.
    """
    evaluated = Evaluated()
    waiting = [node for node in ledger.leaves() if node.key not in ledger.scored]
    for at in range(0, len(waiting), _BATCH):
        said: list[Annotation] = []
        scored: dict[str, dict[str, float]] = {}
        for node in waiting[at : at + _BATCH]:
            tape = await store.open(node.tape)
            dialogue = read_dialogue(tape)
            greadth = measure(dialogue)
            leaves = any(each.behaviour == "confirm_leave" for each in ledger.path_to(node))
            scored[node.key] = _scores(node, dialogue, greadth, leaves=leaves)
            said += _annotations(tape, greadth, scored[node.key])
            for finding in greadth.findings:
                code = f"{finding.letter}/{finding.code}"
                evaluated.codes[code] = evaluated.codes.get(code, 0) + 1
        tape_id = await annotate(store, said, by=PROGRAM, tape=ledger.annotations)
        if ledger.annotations is None:
            ledger.annotated(tape_id)
        for key, scores in scored.items():
            ledger.evaluated(key, scores)
        evaluated.dialogues += len(scored)
    if judge is not None:
        await _judge(ledger.leaves()[:judged], ledger, store, judge)
    return evaluated


def _scores(
    node: NodeRecord, dialogue: Dialogue, greadth: Greadth, *, leaves: bool
) -> dict[str, float]:
    found: dict[str, float] = {letter: greadth.value(letter) for letter in LETTERS}
    found["turns"] = greadth.turns
    if node.outcome != "cut":
        found["success"] = float(success(dialogue, Goal.of(node.goal), leaves=leaves))
    return found


def _annotations(tape: Tape, greadth: Greadth, scores: dict[str, float]) -> list[Annotation]:
    target = target_of(tape)
    said: list[Annotation] = []
    for letter in LETTERS:
        found = greadth.of(letter)
        comment = f"turn {found[0].turn}: {found[0].why}"[:500] if found else None
        said.append(Score(target=target, name=letter, value=scores[letter], comment=comment))
        said.append(Label(target=target, name=f"keeps {letter}", value="no" if found else "yes"))
    return said


async def _judge(
    nodes: Sequence[NodeRecord], ledger: Ledger, store: Store, model: Model | str
) -> None:
    """Ask the judges about some dialogues; what they say becomes labels beside the program's."""
    for judge in judges(model):
        name = f"keeps {judge.name.removesuffix('_judge')}"
        for node in nodes:
            if f"{node.key}/{judge.name}" in ledger.scored:
                continue
            tape = await store.open(node.tape)
            run = TrialRun(Trial("tree", Task(node.key, node.text), 0, 0), tape, store=store)
            judgement = await judge.score(run)
            said = Label(target=target_of(tape), name=name, value=_grade(judgement.value))
            await annotate(store, [said], by=judge.by, tape=ledger.annotations)
            ledger.evaluated(f"{node.key}/{judge.name}", {"value": judgement.value})


def _grade(value: float) -> str:
    return "yes" if value == 1.0 else "no"
