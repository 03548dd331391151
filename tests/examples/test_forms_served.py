"""Teacher, student and user by name alone: through OpenAI's SDK, over HTTP.

No language model is here: what answers is `RuleServer`, whose answers are those of rule models.
What is shown is the way to a model: names, address, SDK, requests and answers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
from examples.forms.dialogue import read_dialogue
from examples.forms.goal import sample_goal
from examples.forms.greadth import judge_for, measure
from examples.forms.loader import companies
from examples.forms.models import agent_for
from examples.forms.rules import RuleJudgeModel, RuleServer
from examples.forms.talk import talk

import playhead as ph
from playhead.evaluate import Task, Trial, TrialRun
from playhead.tape.kinds import ModelCall

ROOT = Path(__file__).resolve().parents[2]
COMPANY = companies()["northline"]


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RuleServer]:
    """The server, where the documented settings of the SDK lead to."""
    server = RuleServer()
    async with server.serve() as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield server


def moves(tape: ph.Tape) -> list[tuple[str, str]]:
    """What was done and said, without ids: those of requests follow from those of steps."""
    return [
        (step.kind, re.sub(r"\bR-[0-9A-F]{8}\b", "R-…", step.body.model_dump_json()))
        for step in tape
        if step.role != "note"
    ]


def calls(tape: ph.Tape) -> list[ModelCall]:
    return [step.body for step in tape if isinstance(step.body, ModelCall)]


@pytest.mark.parametrize("kind", ["teacher", "student"])
@pytest.mark.parametrize("behaviour", [None, "skip_required"])
async def test_by_name_alone_the_same_steps_are_made(
    kind: str, behaviour: str | None, served: RuleServer
) -> None:
    goal = sample_goal(COMPANY, "5")
    inside = await talk(agent_for(kind, COMPANY), COMPANY, goal, behaviour=behaviour, seed=5)
    agent = agent_for(kind, COMPANY, model=f"openai:rule-{kind}")
    outside = await talk(
        agent, COMPANY, goal, behaviour=behaviour, user_model="openai:rule-user", seed=5
    )
    assert moves(outside) == moves(inside)
    assert measure(read_dialogue(outside)) == measure(read_dialogue(inside))
    asked = calls(outside)
    assert {call.provider for call in asked} == {"openai"}
    assert [call.usage for call in asked] == [call.usage for call in calls(inside)]
    assert served.answered[f"rule-{kind}"] == len(asked) > 0
    assert served.answered["rule-user"] == len(read_dialogue(outside).turns)


async def test_a_judge_by_name_says_the_same(served: RuleServer) -> None:
    store = ph.MemoryStore()
    agent = agent_for("student", COMPANY)
    tape = await talk(agent, COMPANY, sample_goal(COMPANY, "5"), seed=5, store=store)
    run = TrialRun(Trial("served", Task("one", "…"), 0, 0), tape, store=store)
    inside = await judge_for("grounded", RuleJudgeModel()).score(run)
    outside = await judge_for("grounded", "openai:rule-judge").score(run)
    assert (outside.value, outside.comment) == (inside.value, inside.comment)
    assert served.answered["rule-judge"] == 1


async def test_what_is_no_prompt_of_theirs_is_refused(served: RuleServer) -> None:
    async with openai.AsyncOpenAI() as client:
        for model, said in (("gpt-5", "is no rule model"), ("rule-user", "reads prompts of")):
            with pytest.raises(openai.BadRequestError, match=said):
                await client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": "Write a poem."}]
                )
        with pytest.raises(openai.NotFoundError):
            await client.models.list()
    assert sum(served.answered.values()) == 0


@contextmanager
def rule_server() -> Iterator[str]:
    """The command that serves, and its address."""
    words = [sys.executable, "-m", "examples.forms.rules", "--port", "0"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            assert "no language model" in told
            found = re.search(r"http://\S+/v1", told)
            assert found is not None
            yield found[0]
        finally:
            process.terminate()


def command(url: str, *words: str) -> str:
    """What a command prints, with the two variables set that the SDK reads."""
    surroundings = {**os.environ, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_tree_without_a_key_goes_on_when_there_is_one(tmp_path: Path) -> None:
    settings = tmp_path / "real.yaml"
    settings.write_text(
        "agent: teacher\nmodel: openai:rule-teacher\nuser_model: openai:rule-user\n"
        "dialogues: 3\nroots: 3\nturns: 3\n"
    )
    to = tmp_path / "tree"
    words = ["examples.forms.tree", "--to", str(to), "--settings", str(settings), "--judged", "0"]
    without = {name: value for name, value in os.environ.items() if "OPENAI" not in name}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=without, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    with rule_server() as url:
        told = command(url, *words)
    assert "set apart: 0 failed" in told
    assert "\n3 dialogues" in told


def test_a_candidate_without_a_key_is_told_and_compared_with_nobody() -> None:
    words = ["examples.forms.evaluate", "--each", "1", "--behaviour", "init_short"]
    words += ["--student-model", "openai:rule-student"]
    without = {name: value for name, value in os.environ.items() if "OPENAI" not in name}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=without, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    said = " ".join(done.stdout.split())
    assert "student: 1 of 1 dialogues failed" in said
    assert "OPENAI_API_KEY" in said
    assert "changes by" not in said


def test_the_commands_take_models_by_name(tmp_path: Path) -> None:
    table = ["examples.forms.evaluate", "--each", "1", "--behaviour", "ask_docs"]
    named = ["--teacher-model", "openai:rule-teacher", "--student-model", "openai:rule-student"]
    named += ["--user-model", "openai:rule-user"]
    grown = ["examples.forms.tree", "--dialogues", "4", "--judged", "1", "--agent", "student"]
    by_name = ["--model", "openai:rule-student", "--user-model", "openai:rule-user"]
    with rule_server() as url:
        assert command(url, *table, *named) == command(url, *table)
        to = str(tmp_path / "tree")
        told = command(url, *grown, "--to", to, *by_name, "--judge", "openai:rule-judge")
    assert told.startswith("turn  1:")
    assert "4 dialogues" in told
