"""What `playhead new` makes, with a model by name and address: over HTTP, through OpenAI's SDK.

No language model is here: the rule model of each project answers behind the endpoint.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from examples.forms.rules import RuleServer

import playhead as ph
from playhead.cli._new import begin
from playhead.llm import ScriptedModel
from playhead.tape.kinds import ModelCall

TASKS = {
    "monolithic": "When does the shop in Lima open?",
    "team": "Announce our new shop in Oslo",
    "llm-function": "The parcel came late again.",
    "form": "My name is Ana, I stay 3 nights",
}
RULES = "{use: rules.py:model}"
BY_NAME = '{name: "openai:rules", base_url: "${BASE}", api_key: "${KEY}"}'


def moves(tape: ph.Tape) -> list[tuple[str, str]]:
    return [(s.kind, s.body.model_dump_json()) for s in tape if s.role != "note"]


@pytest.mark.parametrize("kind", TASKS)
async def test_one_line_puts_a_model_by_name_in_the_place_of_the_rules(
    tmp_path: Path, kind: str
) -> None:
    begin(tmp_path, RULES, kind=kind)
    file = tmp_path / "agent.yaml"
    inside = ph.read_agent(file).agent
    assert isinstance(inside.model, ScriptedModel)
    wanted = await ph.run(inside, TASKS[kind], store=ph.MemoryStore())

    server = RuleServer()
    server.models = {"rules": inside.model}  # type: ignore[dict-item]
    server.answered = {"rules": 0}
    written = file.read_text()
    assert written.count(RULES) == 1
    file.write_text(written.replace(RULES, BY_NAME))
    async with server.serve() as url:
        outside = ph.read_agent(file, variables={"BASE": url, "KEY": "none"}).agent
        tape = await ph.run(outside, TASKS[kind], store=ph.MemoryStore())
    asked = [step.body for step in tape if isinstance(step.body, ModelCall)]
    assert {call.provider for call in asked} == {"openai"}
    assert server.answered == {"rules": len(asked)}
    assert tape.answer == wanted.answer
    assert moves(tape) == moves(wanted)
