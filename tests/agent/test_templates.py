"""Templates: what they may say, what they may not, and how large their text becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import playhead as ph
from playhead.agent.prompting import Template
from playhead.errors import AgentError

KNOWN = ("task", "outputs", "plan", "templates", "tools")


def rendered(text: str, **values: object) -> str:
    return Template(text, known=KNOWN).render(values)


def test_values_stand_in_their_places():
    assert rendered("Do {{ task }}.", task="it") == "Do it."
    lines = "{% for item in plan %}\n{{ loop.index }}. {{ item }}\n{% endfor %}"
    assert rendered(lines, plan=["go", "come"]) == "1. go\n2. come\n"
    assert rendered("{{ plan|join(' → ') }}", plan=["a", "b"]) == "a → b"
    assert rendered("{{ 'x' if task in ('a', 'b') else 'y' }}", task="b") == "x"
    assert rendered("{{ outputs|tojson }}", outputs={"a": "<é>'"}) == '{"a": "<é>\'"}'


def test_members_come_before_the_methods_of_a_mapping():
    assert (
        rendered(
            "{{ outputs.act['items'] }}{{ outputs.act.items|first }}",
            outputs={"act": {"items": ["a"]}},
        )
        == "['a']a"
    )
    pairs = "{% for name, value in outputs.items() %}{{ name }}={{ value }};{% endfor %}"
    assert rendered(pairs, outputs={"a": 1, "b": 2}) == "a=1;b=2;"


@given(st.text().filter(lambda text: not any(mark in text for mark in ("{{", "{%", "{#"))))
def test_a_text_without_marks_is_just_a_text(text: str):
    assert rendered(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ outputs.__class__.__mro__ }}",
        "{{ outputs.get.__globals__ }}",
        "{{ outputs|attr('__class__') }}",
        "{{ plan|sort(attribute='__class__') }}",
        "{{ outputs.pop('a') }}",
        "{{ outputs.update({'a': 1}) }}",
        "{{ task.format(1) }}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
        "{{ self }}",
        "{% include 'secret.txt' %}",
        "{% import 'os' as os %}",
        "{% macro f() %}{% endmacro %}",
        "{{ cycler }}",
    ],
)
def test_nothing_leads_out_of_the_sandbox(text: str):
    with pytest.raises(AgentError):
        rendered(text, task="t", outputs={"a": {"b": 1}}, plan=["x", "y"])


@pytest.mark.parametrize(
    "text",
    [
        "{{ task * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ task|center(1000000000) }}",
        "{{ task|indent(1000000000) }}",
        "{{ task|list|join(task) }}",
        "{% set a = task + task %}{% set b = a + a %}{% set c = b + b %}{{ c }}",
        "{{ [task, task]|join }}",
        "{{ task ~ task }}",
        "{% set a %}{{ task }}{{ task }}{% endset %}{{ a }}",
        "{{ task }}{{ task }}{{ task }}",
    ],
)
def test_no_text_becomes_endless(text: str):
    with pytest.raises(AgentError):
        rendered(text, task="x" * 90_000)


def test_what_is_not_there_is_an_error_and_never_an_empty_text():
    with pytest.raises(AgentError, match="the template names `tsk`: there is"):
        rendered("{{ tsk }}")
    with pytest.raises(AgentError, match=r"needs what is not there.*no attribute 'b'"):
        rendered("{{ outputs.a.b }}", outputs={"a": {}})
    with pytest.raises(AgentError, match="line 2 of the template"):
        rendered("a\n{{ b")


def agent(prompt: str, **more: object) -> ph.Agent:
    node = ph.PromptNode("say", prompt=prompt)
    return ph.Agent("a", nodes=[node], model=ph.ScriptedModel(["ok"]), **more)


def asked(made: ph.Agent, task: str = "Go.") -> str:
    tape = ph.run_sync(made, task, store=ph.MemoryStore())
    from playhead.llm import read_prompt

    call = next(step for step in tape if step.kind == "playhead.model_call")
    return read_prompt(tape, call)[-1].text


def test_templates_use_templates_of_the_agent():
    made = agent(
        "{{ templates.outer }}!",
        templates={"outer": "({{ templates.inner }})", "inner": "{{ agent }}"},
    )
    assert asked(made) == "(a)!"


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        ({}, "there is no template `outer`"),
        ({"outer": "{{ templates.outer }}"}, "uses itself: outer → outer"),
        ({"outer": "{{ templates.b }}", "b": "{{ templates.outer }}"}, "outer → b → outer"),
    ],
)
def test_templates_that_lead_nowhere_are_refused_before_anything_is_asked(
    templates: dict[str, str], said: str
):
    made = agent("{{ templates.outer }}", templates=templates)
    with pytest.raises(AgentError, match=said):
        made.bound()


def test_what_a_person_says_is_never_a_template():
    assert (
        asked(agent("Task: {{ task }}"), "{{ agent }} {% raw %}") == "Task: {{ agent }} {% raw %}"
    )


def test_templates_are_part_of_the_config():
    assert agent("x").config_digest != agent("x", templates={"a": "b"}).config_digest
    assert "templates" not in agent("x").config()
