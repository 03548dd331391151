"""The ReAct parser on texts as models write them, and the node around it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import playhead as ph
from playhead.agent import parse_action
from playhead.errors import AgentError
from playhead.llm import ModelRequest
from playhead.tape.kinds import AssistantMessage, ParseError, ToolCall


def call(text: str) -> ToolCall:
    found = parse_action(text)
    assert isinstance(found, ToolCall), found
    assert found.call_id is None
    return found


def fault(text: str) -> str:
    found = parse_action(text)
    assert isinstance(found, ParseError), found
    assert found.call_id is None
    assert "I could not read that" in found.message
    return found.message


PLAIN = '{"action": "look", "action_input": {"at": "sky"}}'


@pytest.mark.parametrize(
    "text",
    [
        f"Thought: hm\nAction:\n```\n{PLAIN}\n```",
        f"Action:\n```json\n{PLAIN}\n```",
        f"Action:\n```JSON\n{PLAIN}\n```",
        f"Action:\n``` json \n{PLAIN}\n```",
        f"```json5\n{PLAIN}\n```",
        f"```tool-call\n{PLAIN}```",
        f"```{PLAIN}```",
        f"```json{PLAIN}```",
        f"```\n\n\n   {PLAIN}   \n\n```",
        f"```\n[{PLAIN}]\n```",
        f'```\n[{PLAIN}, {{"action": "other"}}]\n```',
        f"```\n{PLAIN}\n```\nObservation: it is green\nThought: hm\n```\n{{no json\n```",
        f'```\n{PLAIN}\n```\nObservation: x\nAction:\n```\n{{"action": "Final Answer"}}\n```',
        f"```\n{PLAIN}\n``` and that is what I would do, because ```of``` this.",
        f"```\n{PLAIN}",
        f"```\n{PLAIN} and then\n```",
        f"Action: {PLAIN}",
        f"Thought: x\nAction:\n{PLAIN}",
        f"I would write ```python\nprint(1)\n``` but:\n```\n{PLAIN}\n```",
        f'The data is ```json\n{{"rows": []}}\n``` so:\n```\n{PLAIN}\n```',
        f"````\n{PLAIN}\n````",
        '```\n{"action": "  look \\n", "action_input": {"at": "sky"}}\n```',
        '```\n{"thought": "x", "action": "look", "action_input": {"at": "sky"}}\n```',
    ],
)
def test_actions_in_many_shapes(text: str) -> None:
    found = call(text)
    assert (found.name, found.arguments) == ("look", {"at": "sky"})


def test_control_characters_in_strings() -> None:
    text = '```\n{"action": "write", "action_input": {"text": "one\ntwo\tthree\x01"}}\n```'
    assert call(text).arguments == {"text": "one\ntwo\tthree\x01"}


def test_fences_within_arguments() -> None:
    code = "Use:\n```python\nprint('```')\n```\ndone"
    text = f"```\n{json.dumps({'action': 'write', 'action_input': {'text': code}})}\n```"
    assert call(text).arguments == {"text": code}


def test_fences_within_arguments_with_raw_line_breaks() -> None:
    text = '```\n{"action": "write", "action_input": {"text": "```\nx\n```"}}\n```'
    assert call(text).arguments == {"text": "```\nx\n```"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('"Paris"', "Paris"),
        ("[1, 2]", [1, 2]),
        ("null", None),
        ("5", 5),
        ('{"a": {"b": [1]}}', {"a": {"b": [1]}}),
    ],
)
def test_arguments_of_every_type(arguments: str, expected: object) -> None:
    text = f'```\n{{"action": "look", "action_input": {arguments}}}\n```'
    assert call(text).arguments == expected


def test_no_arguments_are_an_empty_object() -> None:
    assert call('```\n{"action": "now"}\n```').arguments == {}


@pytest.mark.parametrize("name", ["Final Answer", "final answer", "FINAL ANSWER", " Final Answer "])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [('"It rains."', "It rains."), ('{"rain": true}', '{"rain":true}'), ("42", "42")],
)
def test_final_answers(name: str, arguments: str, text: str) -> None:
    found = parse_action(f'```\n{{"action": "{name}", "action_input": {arguments}}}\n```')
    assert isinstance(found, AssistantMessage)
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    [
        "It rains.",
        "",
        "   \n It rains. \n",
        "Use ```python\nprint(1)\n``` for that.",
        "``` ``` ```",
        "An empty block: ```\n```",
        "Action: none",
        "Look: `{}`",
        "{not a block}",
    ],
)
def test_text_without_a_block_is_the_answer(text: str) -> None:
    found = parse_action(text)
    assert isinstance(found, AssistantMessage)
    assert found.text == text.strip()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```\n{\n```", "no JSON"),
        ("```\n{'action': 'look'}\n```", "no JSON"),
        ('```\n{"action": "look",}\n```', "no JSON"),
        ('```\n{"action": "look" "x"}\n```', "no JSON"),
        ('```\n{"actoin": "look"}\n```', "no text `action`"),
        ('```\n{"action": 5}\n```', "no text `action`"),
        ('```\n{"action": ["look"]}\n```', "no text `action`"),
        ("```\n[]\n```", "no text `action`"),
        ("```\n[5]\n```", "no text `action`"),
        ('```\n{"action": "look", "action_input": {"x": NaN}}\n```', "no JSON"),
        ('```\n{"action": "look", "action_input": {"x": 1e999}}\n```', "no JSON"),
        ('```\n{"action": "look", "action_input": {"x": "\\ud83d"}}\n```', "no JSON"),
        ('```\n{"action": "look", "action": "leap"}\n```', "twice"),
        ('```\n{"action": "look", "action_input": ' + "9" * 5000 + "}\n```", "no JSON"),
        ("```\n" + "[" * 200 + "]" * 200 + "\n```", "no JSON"),
        ("```\n" + "[" * 100_000, "no JSON"),
        ('```\n{"action": "look\n', "no JSON"),
        (f"```\n{{broken\n```\nObservation: made up\n```\n{PLAIN}\n```", "no JSON"),
    ],
    ids=range(18),
)
def test_what_cannot_be_read_is_said(text: str, told: str) -> None:
    assert told in fault(text)


def test_hostile_texts_are_read_in_linear_time() -> None:
    """Nothing here takes long; a search that goes back and forth would not end."""
    for text in ("``` " * 50_000, "```" + " " * 200_000, "```" + "a" * 200_000, "Action:" * 30_000):
        parse_action(text)
        parse_action(text + "{")


@given(st.text())
def test_every_text_gives_a_step_that_can_be_stored(text: str) -> None:
    tape = ph.Tape.new().append(parse_action(text))
    tape.verify()


pieces = st.sampled_from(
    ["```", "json", "\n", "{", "}", '"action"', ":", '"look"', ",", "[", "]", '"action_input"', " "]
)


@given(st.lists(pieces).map("".join))
def test_every_text_of_such_pieces_gives_a_step(text: str) -> None:
    ph.Tape.new().append(parse_action(text)).verify()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values, st.booleans(), st.sampled_from(["", "json", " json ", "x"]))
def test_what_is_written_properly_is_read(value: object, ascii_only: bool, language: str) -> None:
    block = json.dumps({"action": "do", "action_input": value}, ensure_ascii=ascii_only, indent=1)
    assert call(f"Thought\n```{language}\n{block}\n```\nObservation: no").arguments == value


async def test_the_prompt_names_tools_and_instructions() -> None:
    @ph.tool(effect="read", thread=False)
    def look(at: str) -> str:
        """See something.

        Args:
            at: Where.
        """
        return at

    prompts: list[list[ph.Message]] = []

    def script(request: ModelRequest) -> str:
        prompts.append(request.prompt.messages())
        return '```\n{"action": "Final Answer", "action_input": "ok"}\n```'

    agent = ph.Agent(
        "a",
        model=ph.ScriptedModel(script),
        tools=[look],
        nodes=[ph.ReActNode()],
        instructions="Be {brief}.",
    )
    tape = await ph.run(agent, "Go.", store=ph.MemoryStore())
    opening = prompts[0][0].text
    assert opening.startswith("Be {brief}.")
    assert "look: See something. Parameters: {" in opening
    assert '"description":"Where."' in opening
    assert tape.answer == "ok"


async def test_a_template_of_ones_own() -> None:
    seen: list[str] = []

    def script(request: ModelRequest) -> str:
        seen.append(request.prompt.messages()[0].text)
        return "done"

    node = ph.ReActNode(template="{instructions} Tools: {tools} {{}}")
    agent = ph.Agent("a", model=ph.ScriptedModel(script), nodes=[node], instructions="Hi.")
    await ph.run(agent, "Go.", store=ph.MemoryStore())
    assert seen == ["Hi. Tools:  {}"]
    assert agent.config_digest != ph.Agent("a", nodes=[ph.ReActNode()]).config_digest


@pytest.mark.parametrize("template", ["{tool}", "{", "{0}", "{instructions!x}"])
async def test_a_template_with_other_fields(template: str) -> None:
    agent = ph.Agent("a", model=ph.ScriptedModel(["x"]), nodes=[ph.ReActNode(template=template)])
    with pytest.raises(AgentError, match="template"):
        await ph.run(agent, "Go.", store=ph.MemoryStore())
