"""`playhead new`, and agents from files on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import Run, playhead

import playhead as ph


def test_a_new_agent_passes_its_own_test(place: Path):
    result = playhead("new", "My Helper", "--model", "anthropic:claude-x", cwd=place)
    assert result.code == 0, result.err
    folder = place / "My Helper"
    assert "name: my-helper\nmodel: anthropic:claude-x" in (folder / "agent.yaml").read_text()
    assert "ANTHROPIC_API_KEY" in result.out + result.err
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in tested.stdout, tested.stdout + tested.stderr


KINDS = {
    "monolithic": ("When does the shop in Lima open?", "Our shop in Lima is open from 9 to 18."),
    "team": ("Announce our new shop in Oslo", "Announce our new shop in Oslo: come and see!"),
    "llm-function": ("The parcel came late again.", '{"mood":"cross","topic":"parcel"}'),
    "form": ("My name is Ana", "How many nights will you stay?"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_runs_at_once_and_passes_its_own_test(place: Path, kind: str):
    assert playhead("new", kind, "Mine", cwd=place).code == 0
    folder, (task, answer) = place / "Mine", KINDS[kind]
    result = playhead("run", "agent.yaml", task, "--json", cwd=folder)
    assert result.code == 0, result.err
    assert json.loads(result.out)["answer"] == answer
    assert playhead("replay", "last", "--agent", "agent.yaml", cwd=folder).code == 0
    assert "rules.py" in (folder / "agent.yaml").read_text()
    assert "No language model is asked" in (folder / "rules.py").read_text()
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout + tested.stderr


OWN_FORM = """
title: Return a parcel
properties:
  order_number: {type: string, pattern: "^[A-Z]{2}[0-9]{4}$", description: "Which order is it?"}
  items: {type: integer, minimum: 1, maximum: 9, description: "How many items do you return?"}
  reason: {enum: [broken, late], description: "Why: broken or late?"}
  insured: {type: boolean, description: "Is it insured?"}
  pickup: {type: string, format: date, description: "When shall we fetch it?"}
"""


def test_a_form_of_ones_own_is_filled_in_at_once(place: Path):
    """Nothing but form.yaml is changed."""
    playhead("new", "form", "returns", cwd=place)
    (place / "returns" / "form.yaml").write_text(OWN_FORM)
    agent = ph.read_agent(place / "returns" / "agent.yaml").agent
    store, tape = ph.MemoryStore(), None
    for said, answer in (
        ("I return 20 items, the reason is late.", "items: 20 is greater than the maximum of 9."),
        ("my order number is AB1234", "How many items do you return?"),
        ("2", "Is it insured?"),
        ("No.", "When shall we fetch it?"),
        ("2027-01-05", "Thank you. reason: late, order_number: AB1234, items: 2, insured: False,"),
    ):
        tape = ph.run_sync(agent, said, tape=tape, store=store)
        assert tape.answer is not None
        assert answer in tape.answer
    assert ph.replay_sync(tape, agent=agent, store=store).ok


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("title: Return", "titel: Return", 2, "do you mean `title`"),
        ("properties:", "properties: {}\nfields:", 3, "at least 1 item"),
        ("minimum: 1", "minimum: 10", 5, "`minimum` 10 is above `maximum` 9"),
        ("type: integer", "type: integr", 5, "integr"),
        ("minimum: 1", "minimun: 1", 5, "no keyword `minimun`"),
        ("[broken, late]", "[broken, late], type: integer", 6, "no value of `enum` fits"),
        ("[broken, late]", "[]", 6, ""),
        (', description: "Is it insured?"', "", 7, "`insured` has no question"),
        ("insured:", "items:", 7, "`items` stands here twice"),
        ('date, description: "When', 'date, description: When: "', 8, ""),
    ],
)
def test_a_form_that_nobody_can_fill_in_is_told_with_its_line(
    cli: Run, place: Path, old: str, new: str, line: int, says: str
):
    playhead("new", "form", "returns", cwd=place)
    path = place / "returns" / "form.yaml"
    assert OWN_FORM.count(old) == 1
    path.write_text(OWN_FORM.replace(old, new))
    result = cli("run", str(place / "returns" / "agent.yaml"), "I return 2 items")
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert f"form.yaml:{line}: " in said
    assert says in said
    assert "Traceback" not in said


def test_a_function_is_called_by_its_program(place: Path):
    playhead("new", "llm-function", "mood", cwd=place)
    done = subprocess.run(
        [sys.executable, "ask.py", "A lovely lamp"],
        cwd=place / "mood", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "content, about: lamp\n", done.stderr


@pytest.mark.parametrize(
    ("words", "extras"),
    [
        (["monolithic", "mine"], "templates"),
        (["form", "mine", "--model", "anthropic:m"], "checks,anthropic"),
        (["team", "mine"], None),
        (["mine"], "openai"),
    ],
)
def test_what_is_not_installed_is_told(
    cli: Run, place: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], extras: str | None
):
    with monkeypatch.context() as without:
        without.setattr("playhead.cli._new.find_spec", lambda module: None)
        said = cli("new", *words).stdout
    assert (f'pip install "playhead[{extras}]"' in said) == (extras is not None)
    assert "pip install" not in said or extras is not None
    assert "pip install" not in cli("new", "monolithic", "other").stdout


def test_a_real_model_takes_the_place_of_the_rules(cli: Run, place: Path):
    assert cli("new", "team", "press", "--model", "openai:m").exit_code == 0
    assert "\nmodel: openai:m # of all members" in (place / "press" / "agent.yaml").read_text()


def test_kinds_that_are_none_are_refused(cli: Run, place: Path):
    result = cli("new", "teem", "press")
    assert result.exit_code == 2
    assert "no kind `teem` of agent, only monolithic, team" in result.stderr
    result = cli("new", "team")
    assert result.exit_code == 2
    assert "`playhead new team FOLDER`" in result.stderr
    assert not [path for path in place.iterdir() if path.is_dir()]


def test_nothing_is_written_over(cli: Run, place: Path):
    (place / "there").mkdir()
    (place / "there" / "tools.py").write_text("mine")
    result = cli("new", "there")
    assert result.exit_code == 2
    assert "`there/tools.py` is there already" in result.stderr
    assert [path.name for path in (place / "there").iterdir()] == ["tools.py"]


def test_what_was_made_is_told_as_json(cli: Run, place: Path):
    result = cli("new", "helper", "--json")
    made = json.loads(result.stdout)
    assert sorted(made["files"]) == sorted(path.name for path in (place / "helper").iterdir())


def test_a_model_that_is_none_is_refused(cli: Run, place: Path):
    result = cli("new", "helper", "--model", "m\nname: evil")
    assert result.exit_code == 2
    assert not (place / "helper").exists()


def test_an_agent_file_runs(cli: Run, place: Path):
    (place / "models.py").write_text(
        "import playhead as ph\n"
        "class Says(ph.Node):\n"
        "    def __init__(self):\n"
        "        super().__init__('says')\n"
        "    def generate_steps(self, view, completion, ctx):\n"
        "        from playhead.tape import text_parts\n"
        "        from playhead.tape.kinds import AssistantMessage\n"
        "        return [AssistantMessage(parts=text_parts('Hello ' + view.task))]\n"
    )
    (place / "greeter.yaml").write_text("name: greeter\nnodes: ['models.py:Says']\n")
    result = cli("run", "greeter.yaml", "Ana", "--json")
    assert json.loads(result.stdout)["answer"] == "Hello Ana"
    assert cli("replay", "last", "--agent", "greeter.yaml").exit_code == 0


def test_the_policy_of_an_agent_file_holds(cli: Run, place: Path):
    (place / "tools.py").write_text(
        "import playhead as ph\n"
        "from playhead.tape.kinds import ToolCall\n"
        "@ph.tool(effect='write')\n"
        "def send(to: str) -> str:\n"
        "    raise AssertionError('it was denied')\n"
        "class Sends(ph.Node):\n"
        "    def __init__(self):\n"
        "        super().__init__('sends')\n"
        "    def generate_steps(self, view, completion, ctx):\n"
        "        return [ToolCall(call_id='1', name='send', arguments={'to': 'ana'})]\n"
    )
    (place / "sender.yaml").write_text(
        "name: sender\nnodes: ['tools.py:Sends']\ntools: ['tools.py:send']\n"
        "approval: {rules: [{then: deny, tools: [send], message: not today}]}\n"
    )
    cli("run", "sender.yaml", "go")
    assert "not today" in cli("show", "last").stdout
    (place / "sender.yaml").write_text("name: s\nnodes: ['tools.py:Sends']\napproval: {rule: 1}\n")
    assert cli("run", "sender.yaml", "go").exit_code == 2


def test_a_fault_in_an_agent_file_is_told_with_its_place(cli: Run, place: Path):
    (place / "bad.yaml").write_text("name: a\nmodle: openai:m\n")
    result = cli("run", "bad.yaml", "hi")
    assert result.exit_code == 2
    assert "bad.yaml:2: there is no `modle` here: do you mean `model`?" in result.stderr
