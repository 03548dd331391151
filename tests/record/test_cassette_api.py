"""What a test's own code asks of models over HTTP: recorded once, replayed with nobody there."""

from __future__ import annotations

import json
from pathlib import Path

import anthropic  # noqa: F401  (so that runs in this process need not import them each time)
import openai  # noqa: F401
import pytest
from test_pytest_plugin import files, project, run  # noqa: F401  (a fixture)
from upstream import Asked, reply, serving, weather_agent

from playhead.tape import assistant

pytest_plugins = ["pytester"]

KEY = "sk-test-0123456789abcdef0123456789"
HELPER = '''
import json

import anthropic
import openai

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}


def chat(question):
    """A program that knows nothing of Playhead."""
    tools = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]
    messages = [{"role": "user", "content": question}]
    with openai.OpenAI(max_retries=1) as client:
        while True:
            done = client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)
            message = done.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            if not message.tool_calls:
                return message.content
            for call in message.tool_calls:
                result = "rain in " + json.loads(call.function.arguments)["city"]
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


async def claude(question):
    async with anthropic.AsyncAnthropic(max_retries=1) as client:
        messages = [{"role": "user", "content": question}]
        request = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": messages}
        async with client.messages.stream(**request) as events:
            return "".join([text async for text in events.text_stream])


def embedded(text):
    with openai.OpenAI(max_retries=1) as client:
        found = client.embeddings.create(model="small", input=text, encoding_format="float")
        return found.data[0].embedding


def told(question):
    with openai.OpenAI(max_retries=1) as client:
        with client.responses.stream(model="gpt-5", input=question) as events:
            for _ in events:
                pass
            return events.get_final_response().output_text
'''
TESTS = """
from helper import chat, claude, embedded, told


def test_chat(cassette_api):
    assert chat("Where?").startswith("After 2 looks")


async def test_claude(playhead_api):
    assert await claude("Who?") == "You said: Who?"


def test_others(cassette_api):
    assert embedded("x") == [0.5, 0.25]
    assert told("What?") == "You said: What?"
"""


def answers(asked: Asked) -> None:
    """An API, as far as the tests ask it."""
    if asked.path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        body = {"object": "list", "data": data, "model": "small", "usage": {}}
        asked.answer(json.dumps(body).encode())
    elif "chat" in asked.path:
        weather_agent(asked)
    else:
        said = asked.json.get("messages") or asked.json["input"]
        reply(
            asked, assistant(f"You said: {said if isinstance(said, str) else said[0]['content']}")
        )


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def upstream_is(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)


@pytest.fixture
def recorded(
    project: pytest.Pytester,  # noqa: F811
    keys: None,
    monkeypatch: pytest.MonkeyPatch,
) -> pytest.Pytester:
    """A project whose tests are recorded; the API is gone, and so are the keys."""
    project.makepyfile(helper=HELPER, test_it=TESTS)
    project.makeini("[pytest]\nasyncio_mode = auto\nfilterwarnings = error")
    with serving(answers) as upstream:
        upstream_is(monkeypatch, upstream.url)
        run(project, "--playhead=record").assert_outcomes(passed=3)
        assert len(upstream.seen) == 6
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    return project


def test_recorded_then_replayed_with_nobody_there(recorded: pytest.Pytester) -> None:
    made = files(recorded)
    assert {Path(name).name for name in made} == {
        "test_chat.json", "test_claude.json", "test_others.json",
    }  # fmt: skip
    for words in ((), ("--playhead=new",)):
        run(recorded, *words).assert_outcomes(passed=3)
    assert files(recorded) == made


def test_a_cassette_can_be_reviewed_and_holds_no_key(recorded: pytest.Pytester) -> None:
    made = files(recorded)
    assert not any(KEY in text for text in made.values())
    calls = json.loads(made["cassettes/test_it/test_chat.json"])["calls"]
    assert [call["request"] for call in calls] == ["POST /openai/v1/chat/completions"] * 3
    assert [call["messages"].get("of_call") for call in calls] == [None, 0, 1]
    assert calls[0]["answer"]["body"]["choices"][0]["message"]["tool_calls"]
    (streamed,) = json.loads(made["cassettes/test_it/test_claude.json"])["calls"]
    assert streamed["answer"]["events"][0]["type"] == "message_start"


def test_what_is_not_recorded_fails_the_test_with_the_difference(
    recorded: pytest.Pytester,
) -> None:
    recorded.makepyfile(test_it=TESTS.replace('"Where?"', '"Where, please?"'))
    result = run(recorded, "-k", "chat")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*is not on the cassette*The nearest is call 0*was Where?, now Where, please?*"]
    )
    recorded.makepyfile(test_it=TESTS.replace("test_chat", "test_new"))
    result = run(recorded, "-k", "new")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no cassette*test_new.json* yet*--playhead=new*"])


def test_live_goes_to_the_api_and_keeps_nothing(
    project: pytest.Pytester,  # noqa: F811
    keys: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.makepyfile(helper=HELPER, test_it=TESTS)
    with serving(answers) as upstream:
        upstream_is(monkeypatch, upstream.url)
        words = ("--playhead=live", "-o", "asyncio_mode=auto")
        run(project, *words).assert_outcomes(passed=3)
    assert files(project) == {}


def test_secrets_are_in_no_cassette_also_where_a_stream_spells_them(
    project: pytest.Pytester,  # noqa: F811
    keys: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planted = "ghp_0123456789abcdefABCDEF0123456789abcd"

    def tells(asked: Asked) -> None:
        reply(asked, assistant(f"The key {KEY}, the token {planted}."))

    project.makepyfile(
        helper=HELPER,
        test_it=f"""
        from helper import chat, claude, told

        def test_whole(cassette_api):
            assert "The key" in chat("Is {planted} mine?")

        async def test_streamed(cassette_api):
            assert "The key" in await claude("Tell.")
            assert "The key" in told("Tell.")
        """,
    )
    auto = ("-o", "asyncio_mode=auto")
    with serving(tells) as upstream:
        upstream_is(monkeypatch, upstream.url)
        run(project, "--playhead=new", *auto).assert_outcomes(passed=2)
    made = "".join(files(project).values())
    assert "The key" in made
    assert KEY not in made
    assert KEY[8:20] not in made
    assert planted not in made
    assert planted[8:20] not in made
    run(project, *auto).assert_outcomes(passed=2)


def test_a_redactor_that_fails_at_an_answer_fails_the_test(
    project: pytest.Pytester,  # noqa: F811
    keys: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.makepyfile(
        helper=HELPER,
        test_it="""
        import pytest
        from helper import chat
        from playhead.govern import Redactor

        def fails(text):
            if "rain" in text:
                raise KeyError(text)
            return text

        @pytest.fixture
        def playhead_redactor():
            return Redactor(also=fails)

        def test_it(cassette_api):
            assert "rain" in chat("Where?")
        """,
    )
    with serving(lambda asked: reply(asked, assistant("rain"))) as upstream:
        upstream_is(monkeypatch, upstream.url)
        result = run(project, "--playhead=record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the redactor of*failed with KeyError*"])
    assert files(project) == {}


def test_refusals_are_recorded_and_what_broke_off_is_not(
    project: pytest.Pytester,  # noqa: F811
    keys: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def faulty(asked: Asked) -> None:
        number = len(asked.upstream.seen)
        if number == 1:
            asked.answer(b'{"error": {"message": "slow down"}}', status=429)
        elif number == 2:
            asked.cut()
        else:
            reply(asked, assistant("At last."))

    project.makepyfile(
        helper=HELPER.replace("max_retries=1", "max_retries=3"),
        test_it="""
        from helper import chat

        def test_it(cassette_api):
            assert chat("Now?") == "At last."
        """,
    )
    with serving(faulty) as upstream:
        upstream_is(monkeypatch, upstream.url)
        run(project, "--playhead=record").assert_outcomes(passed=1)
    (made,) = files(project).values()
    assert [call["answer"]["status"] for call in json.loads(made)["calls"]] == [429, 200]
    run(project).assert_outcomes(passed=1)
