"""GREADTH: sound dialogues pass, every planted fault is caught, degraded models stand apart."""

from __future__ import annotations

import ast
import asyncio
import random
import re
from pathlib import Path

import pytest
from examples.forms import mutate
from examples.forms.dialogue import read_dialogue
from examples.forms.errors import FormError
from examples.forms.greadth import LETTERS, Finding, judge_for, measure
from examples.forms.mutate import FAULTS, plant
from examples.forms.rules import ErrorRates, RuleJudgeModel
from examples.forms.suite import DEGRADED, candidate, degraded, dialogues
from forms_dialogues import NAMES, agent_says, bodies, dialogue, said, sound_dialogues

import playhead as ph
from playhead.evaluate import Task, Trial, TrialRun, run_suite_sync
from playhead.record import import_file
from playhead.tape import Draft, Step, Tape
from playhead.tape.kinds import AssistantMessage

SOUND: list[Tape] = []


@pytest.fixture(scope="module")
def sound() -> list[Tape]:
    """Dialogues of the student with users of all kinds."""
    if not SOUND:
        SOUND.extend(tape for _, tape in asyncio.run(sound_dialogues(90)))
    return SOUND


def test_sound_dialogues_are_not_flagged(sound: list[Tape]) -> None:
    assert sum(len(read_dialogue(tape).turns) for tape in sound) > 500
    for tape in sound:
        assert measure(read_dialogue(tape)).findings == (), said(tape)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(sound: list[Tape], name: str) -> None:
    letter = FAULTS[name].letter
    planted = 0
    for number, tape in enumerate(sound):
        copy = plant(tape, name, random.Random(number))
        if copy is None:
            continue
        planted += 1
        copy.verify()
        found = measure(read_dialogue(copy))
        last = found.turns - 1
        caught = [each for each in found.findings if each.letter == letter]
        assert caught, said(copy)
        assert {finding.turn for finding in found.findings} == {last}
    assert planted >= 5


def test_each_letter_has_faults() -> None:
    assert {fault.letter for fault in FAULTS.values()} == set(LETTERS)


def test_each_breach_has_an_example_in_the_page() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = (root / "examples" / "forms" / "greadth").glob("_*.py")
    found = "".join(path.read_text() for path in sources)
    codes = set(re.findall(r'turn(?:\.number)?,\s*"([a-z_]+)"', found))
    assert len(codes) > 20
    page = (root / "docs" / "greadth.md").read_text()
    assert {code for code in codes if f"| `{code}` |" not in page} == set()


def test_an_unknown_fault_is_refused(sound: list[Tape]) -> None:
    with pytest.raises(FormError, match="no fault `lie`"):
        plant(sound[0], "lie", random.Random(0))


def test_the_mutator_knows_nothing_of_the_metric() -> None:
    trees = [ast.parse(path.read_text()) for path in Path(mutate.__file__).parent.glob("*.py")]
    assert len(trees) == 4
    nodes = [node for tree in trees for node in ast.walk(tree)]
    assert not any(isinstance(node, ast.Import) and "examples" in ast.dump(node) for node in nodes)
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    names = " ".join(module or "" for module in modules)
    for word in ("greadth", "dialogue", "state", "rules"):
        assert f"forms.{word}" not in names


@pytest.mark.parametrize(("error", "letter"), DEGRADED.items())
def test_a_degraded_model_breaks_its_letter_and_no_other(error: str, letter: str) -> None:
    rates = ErrorRates(**{error: 0.4})  # type: ignore[arg-type]
    found: list[Finding] = []
    for seed in range(8):
        _, tape = asyncio.run(dialogue(company=NAMES[seed % len(NAMES)], seed=seed, errors=rates))
        found += measure(read_dialogue(tape)).findings
    assert sum(finding.letter == letter for finding in found) >= 8
    others = [finding for finding in found if finding.letter != letter]
    assert len(others) <= len(found) / 20, others


def test_the_suite_separates_degraded_models() -> None:
    suite = dialogues(["happy_polite", "multislot_free", "skip_required"], each=2)
    tried = [candidate("student", "student"), *(degraded(error, rate=0.4) for error in DEGRADED)]
    result = run_suite_sync(suite, tried, store=ph.MemoryStore())
    for error, letter in DEGRADED.items():
        sound, worse = (
            [trial.scores[letter].value or 0.0 for trial in result.of(name)]
            for name in ("student", f"student-{error}")
        )
        assert sound == [1.0] * 6
        assert sum(worse) < 6
    assert all(trial.passed for trial in result.of("student"))


def test_recorded_teacher_tapes_are_scored(data_dir: Path) -> None:
    async def imported() -> list[Tape]:
        store = ph.MemoryStore()
        file = data_dir / "tapeagents" / "form_filler" / "output_tapes_for_teacher.yaml"
        report = await import_file(store, file)
        return [await store.open(name) for name in report.tapes]

    tapes = asyncio.run(imported())
    found = {len(read_dialogue(tape).turns): measure(read_dialogue(tape)) for tape in tapes}
    assert sorted(found) == [1, 2, 3]
    assert found[1].is_sound
    assert found[2].is_sound
    assert [(each.letter, each.code) for each in found[3].findings] == [
        ("helpful", "skip_untold")  # it asks for optional details, and does not say so
    ]
    longest = next(tape for tape in tapes if len(read_dialogue(tape).turns) == 3)
    state = read_dialogue(longest).state
    assert state.filled == {
        "booking_reference": "GK7XL8", "flight_number": "DL158", "last_name": "Stephens"
    }  # fmt: skip
    assert state.skipped == {"baggage_details"}


async def judged(tape: Tape, letter: str) -> float:
    store = ph.MemoryStore()
    run = TrialRun(Trial("x", Task("t", "…"), 0, 0), tape, store=store)
    judge = judge_for(letter, RuleJudgeModel())  # type: ignore[arg-type]
    return (await judge.score(run)).value


def test_judges_tell_planted_faults_from_sound_dialogues(sound: list[Tape]) -> None:
    assert asyncio.run(judged(sound[0], "grounded")) == 1.0
    assert asyncio.run(judged(sound[0], "responsive")) == 1.0
    fact = plant(sound[0], "invent_fact", random.Random(1))
    assert fact is not None
    assert asyncio.run(judged(fact, "grounded")) == 0.0
    over = plant(sound[0], "overhear", random.Random(2))
    assert over is not None
    message = bodies(over, AssistantMessage)[-1]
    assert isinstance(message, AssistantMessage)
    curt = Tape.new().append(
        *(Draft(agent_says("I see."), by=step.by) if step.body == message else draft(step)
          for step in over if step.role != "note")
    )  # fmt: skip
    assert asyncio.run(judged(curt, "responsive")) == 0.0


def draft(step: Step) -> Draft:
    return Draft(step.body, by=step.by)
