"""Nodes that stand in agent files: prompts, functions, ready-made ones."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import playhead as ph
from playhead.agent import FunctionSpec, Signals, agent_schema
from playhead.errors import AgentFileError
from playhead.yaml import read_yaml

FILE = """
name: traveller
model: openai:m
instructions: You plan trips.
templates:
  style: {file: style.md}
nodes:
  - name: route
    prompt: "{{ templates.style }} Talk or task?"
    choose: {talk: answer, task: find}
    on_error: answer
  - name: find
    function: "request -> city, days: int, tone: 'calm' | 'keen'"
    instruction: Find out where to, and for how long.
    fields:
      city: The town.
      days: {description: How long., schema: {type: integer, minimum: 1}}
    demonstrations:
      - {inputs: {request: a day in Oslo}, outputs: {city: Oslo, days: 1, tone: calm}}
    inputs: {request: task}
  - name: check
    output: {type: object, properties: {ok: {type: boolean}}, required: [ok]}
    budget: {tokens: 500, drop: [oldest]}
    settings: {temperature: 0}
  - {type: tool_calling, name: act, window: 5}
  - name: answer
    prompt: Answer.
"""


def read(folder: Path, text: str) -> Any:
    path = folder / "agent.yaml"
    path.write_text(textwrap.dedent(text))
    return ph.read_agent(path)


def test_a_file_says_what_python_would(tmp_path: Path):
    (tmp_path / "style.md").write_text("Be brief.")
    made = read(tmp_path, FILE).agent
    find = FunctionSpec.of(
        "request -> city, days: int, tone: 'calm' | 'keen'",
        name="find",
        instruction="Find out where to, and for how long.",
        outputs={
            "city": {"description": "The town."},
            "days": {
                "description": "How long.",
                "schema": {"type": "integer", "minimum": 1},
            },
        },
        demonstrations=[
            {
                "inputs": {"request": "a day in Oslo"},
                "outputs": {"city": "Oslo", "days": 1, "tone": "calm"},
            }
        ],
    )
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    same = ph.Agent(
        "traveller",
        model="openai:m",
        instructions="You plan trips.",
        templates={"style": "Be brief."},
        nodes=[
            ph.PromptNode(
                "route",
                prompt="{{ templates.style }} Talk or task?",
                choose={"talk": "answer", "task": "find"},
                on_error="answer",
            ),
            ph.FunctionNode(find, inputs={"request": "task"}),
            ph.PromptNode(
                "check",
                output=schema,
                budget=ph.PromptBudget(500, drop=("oldest",)),
                settings={"temperature": 0},
            ),
            ph.ToolCallingNode("act", window=5),
            ph.PromptNode("answer", prompt="Answer."),
        ],
    )
    assert made.config() == same.config()
    assert made.config_digest == same.config_digest


def test_the_schema_takes_it(tmp_path: Path):
    (tmp_path / "agent.yaml").write_text(FILE)
    document = read_yaml(tmp_path / "agent.yaml", error=AgentFileError).value
    jsonschema.Draft202012Validator(agent_schema()).validate(document)


def test_a_function_that_is_the_last_node_answers(tmp_path: Path):
    made = read(tmp_path, "name: f\nmodel: openai:m\nnodes:\n  - function: text -> city\n").agent
    function = ph.LLMFunction.of(made)
    assert function.spec.name == "f"
    made.model = ph.ScriptedModel(['{"city": "Oslo"}'])
    assert function.using(store=ph.MemoryStore()).sync(text="x").city == "Oslo"


def test_an_output_may_be_a_pydantic_model(tmp_path: Path):
    name = f"shapes_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "from pydantic import BaseModel\n\nclass Trip(BaseModel):\n    city: str\n\nOther = 3\n"
    )
    text = f"name: a\nnodes:\n  - name: find\n    output: {name}.py:Trip\n"
    assert read(tmp_path, text).agent.nodes[0].shape.schema["required"] == ["city"]
    with pytest.raises(AgentFileError, match=r"agent.yaml:4: `\w+.py:Other` is no pydantic model"):
        read(tmp_path, text.replace("Trip", "Other"))


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("{name: a, promt: x}", "agent.yaml:3: there is no `promt` here: do you mean `prompt`?"),
        ("{name: a, becomes: thought}", "agent.yaml:3: `nodes.0.becomes`"),
        ("{name: a, choose: {x: b}}", "agent.yaml:3: node `a` of agent `t` goes on to `b`"),
        ("{name: a, prompt: x}\n  - {name: a, prompt: y}", "agent.yaml:4: agent `t` has two nodes"),
        ("{name: a, prompt: x}\nnode: react", "agent.yaml:4: `node` and `nodes` both say"),
        ("name: a\n    prompt: '{{ nobody }}'", "agent.yaml:4: the template names `nobody`"),
        ("name: a\n    system: '{{ 2 ** 9 }}'", "agent.yaml:4: line 1 of the template: templates"),
        ("name: a\n    prompt: '{{ templates.b }}'", "agent.yaml:4: there is no template `b`"),
        ("{name: a, prompt: x}\ntemplates:\n  c: '{% if %}'", "agent.yaml:5: line 1 of the temp"),
        ("{name: a, prompt: x}\nsubagents:\n  - {name: u}\n  - {name: t}",
         "agent.yaml:6: two agents are called `t`: rename one"),
        ("{name: a, output: {typ: object}}", "agent.yaml:3: JSON Schema has no keyword `typ`"),
        ("{name: a, prompt: x, budget: 0}", "agent.yaml:3: a budget of tokens is a positive"),
        ("{function: text}", "agent.yaml:3: signature `text`: `->` is missing"),
        ("{function: text -> a, fields: {b: x}}", "agent.yaml:3: the signature has no field `b`"),
        ("{function: text -> a, inputs: {b: task}}", "agent.yaml:3: `t` has no input `b`"),
        ("{function: text -> a, demonstrations: [{inputs: {}, outputs: {}}]}",
         "agent.yaml:3: demonstration 0 of function `t`: inputs: `text` is missing"),
        ("{type: react, window: 3}", "agent.yaml:3: a `react` node has no `window`"),
    ],
)  # fmt: skip
def test_faults_are_told_with_file_and_line(tmp_path: Path, node: str, said: str):
    with pytest.raises(AgentFileError) as caught:
        read(tmp_path, f"name: t\nnodes:\n  - {node}\n")
    assert said in str(caught.value)


TEAM = """
name: desk
model: openai:m
team: {pattern: group_chat, speakers: chosen, window: 5, report: Sum up., ends: {turns: 4}}
subagents:
  - {name: ana, instructions: You are Ana.}
  - name: line
    description: Two in a row.
    team: chain
    subagents: [{name: one}, {name: two, node: {type: tool_calling, signals: {broadcast: true}}}]
"""


def test_a_team_in_a_file_is_that_of_python(tmp_path: Path):
    made = read(tmp_path, TEAM).agent
    two = ph.Agent("two", nodes=[ph.ToolCallingNode(signals=Signals(broadcast=True))])
    line = ph.Team.chain("line", [ph.Agent("one"), two], description="Two in a row.")
    same = ph.Team.group_chat(
        "desk",
        [ph.Agent("ana", instructions="You are Ana."), line],
        speakers="chosen",
        window=5,
        report="Sum up.",
        ends={"turns": 4},
        model="openai:m",
    )
    assert made.config() == same.config()
    assert isinstance(made, ph.Team)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("team: choir", "agent.yaml:2: `team`"),
        ("team: {pattern: chain, speakers: chosen}", "agent.yaml:2: a team `chain` has no `speak"),
        ("team: {pattern: chain, ends: {turn: 3}}", "agent.yaml:2: there is no `turn` here"),
        ("team: chain", "agent.yaml:2: team `t` has 0 members"),
        ("team: chain\nnode: react", "agent.yaml:2: a team has nodes of its own"),
        ("team: {pattern: chain, ends: {check: {cel: '1 +'}}}", "agent.yaml:2: `1 +` is no CEL"),
    ],
)  # fmt: skip
def test_faults_of_teams_are_told_with_file_and_line(tmp_path: Path, lines: str, said: str):
    with pytest.raises(AgentFileError) as caught:
        read(tmp_path, f"name: t\n{lines}\n")
    assert said in str(caught.value)
