"""An agent as a model of OpenAI's API: what is answered, and on which tape."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import openai
import pytest
from serve_kit import Talk, caller, client_of, echo, tapes_of

import playhead as ph
from playhead.errors import ModelUnavailableError, RecordError
from playhead.llm import ModelRequest
from playhead.serve import AgentServer, Served
from playhead.tape import TextPart, ToolCallPart
from playhead.tape.kinds import Effects, ModelCall, UserMessage


def texts(tape: ph.Tape) -> list[str]:
    return [step.body.text for step in tape if step.kind == UserMessage.kind]


async def test_an_answer(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store) as client:
        answer = await client.chat.completions.with_raw_response.create(
            model="echo", messages=[{"role": "user", "content": "hi"}], temperature=0.3
        )
        parsed = answer.parse()
        assert parsed.choices[0].message.content == "1: hi"
        assert parsed.choices[0].finish_reason == "stop"
        assert (parsed.object, parsed.model) == ("chat.completion", "echo")
        tape = await store.open(answer.headers["x-playhead-tape"])
        assert tape.answer == "1: hi"
        models = [model.id async for model in client.models.list()]
        assert models == ["echo"]
        assert (await client.models.retrieve("echo")).owned_by == "playhead"


async def test_a_conversation_is_one_tape(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store) as client:
        talk, other = Talk(client, "echo"), Talk(client, "echo")
        assert await talk.say("a") == "1: a"
        assert await other.say("b") == "1: b"
        assert await talk.say("c") == "2: c"
        assert await other.say("d") == "2: d"
        assert await talk.say("e") == "3: e"
    assert [texts(tape) for tape in await tapes_of(store)] == [["a", "c", "e"], ["b", "d"]]


async def test_conversations_are_found_again_by_another_process(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store) as client:
        talk = Talk(client, "echo")
        await talk.say("a")
    async with client_of(echo(), store) as client:
        again = Talk(client, "echo")
        again.messages = talk.messages
        assert await again.say("b") == "2: b"
    assert len(await tapes_of(store)) == 1


async def test_of_conversations_of_before_only_those_that_begin_so_are_read(
    store: ph.SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(echo(), store) as client:
        talks = [Talk(client, "echo") for _ in range(6)]
        for number, talk in enumerate(talks):
            await talk.say(f"hello {number}")
        await talks[3].say("and more")
    await ph.run(ph.Agent("other", model=ph.ScriptedModel(["x"])), "hello 3", store=store)
    names = [tape.id for tape in await tapes_of(store)]
    opened: list[str] = []
    opening = ph.SqliteStore.open

    async def watched(self: ph.SqliteStore, tape: str) -> ph.Tape:
        opened.append(tape)
        return await opening(self, tape)

    monkeypatch.setattr(ph.SqliteStore, "open", watched)
    async with client_of(echo(), store) as client:
        await Talk(client, "echo").say("something new")
        assert set(opened) & set(names) == set()
        again = Talk(client, "echo")
        again.messages = talks[3].messages
        assert await again.say("again") == "3: again"
        assert set(opened) & set(names) == {names[3]}


async def test_requests_at_once_find_what_was_before(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store) as client:
        talks = [Talk(client, "echo") for _ in range(3)]
        for talk in talks:
            await talk.say("the same" if talk is talks[0] else f"hi {talks.index(talk)}")
    async with client_of(echo(), store) as client:
        later = [Talk(client, "echo") for _ in talks]
        for again, talk in zip(later, talks, strict=True):
            again.messages = talk.messages
        assert await asyncio.gather(*(each.say("on") for each in later)) == ["2: on"] * 3
    assert len(await tapes_of(store)) == 3


async def test_forks_and_what_was_said_twice_are_found_again(store: ph.SqliteStore) -> None:
    def says(*texts: str) -> list[dict[str, str]]:
        roles = ("user", "assistant")
        return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]

    async with client_of(echo(), store) as client:
        for messages in (says("a"), says("a", "1: a", "b"), says("a", "1: a", "c")):
            await client.chat.completions.create(model="echo", messages=messages)
    (_, fork) = await tapes_of(store)
    assert fork.header.parent is not None
    agent = echo()
    twice = await ph.run(agent, "d", store=store, budget=ph.Budget(model_calls=0))
    assert twice.status == "paused"
    await ph.run(agent, "e", tape=twice, store=store)
    async with client_of(echo(), store) as client:
        answers = []
        for messages in (says("a", "1: a", "c", "2: c", "x"), says("d\n\ne", "2: e", "y")):
            done = await client.chat.completions.with_raw_response.create(
                model="echo", messages=messages
            )
            answers.append(done.headers["x-playhead-tape"])
    assert answers == [fork.id, twice.id]


async def test_a_name_says_which_conversation_it_is(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store) as client:
        for name in ("one", "two", "one"):
            await client.chat.completions.create(
                model="echo",
                messages=[{"role": "user", "content": "hi"}],
                extra_headers={"X-Playhead-Session": name},
            )
    async with client_of(echo(), store) as client:
        answer = await client.chat.completions.create(
            model="echo",
            messages=[{"role": "user", "content": "again"}],
            extra_headers={"X-Playhead-Session": "two"},
        )
        assert answer.choices[0].message.content == "2: again"
    assert [texts(tape) for tape in await tapes_of(store)] == [["hi", "hi"], ["hi", "again"]]


async def test_what_was_said_elsewhere_is_told(store: ph.SqliteStore) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Hello from another program."},
        {"role": "user", "content": "and now?"},
    ]
    async with client_of(echo(), store) as client:
        talk = Talk(client, "echo")
        talk.messages = messages[:-1]
        assert (await talk.say("and now?")).startswith("1: What was said before")
        assert await talk.say("and then?") == "2: and then?"  # from here on, it is known
    (tape,) = await tapes_of(store)
    told, _ = texts(tape)
    assert told.startswith("What was said before:\n\nuser: Be kind.\n\nhi\n\nassistant: Hello from")
    assert told.endswith("What is said now:\n\nand now?")


async def test_what_is_said_instead_is_a_fork(store: ph.SqliteStore) -> None:
    ledger: list[str] = []
    async with client_of(caller(ledger), store) as client:
        talk = Talk(client, "caller")
        await talk.say("a")
        await talk.say("b")
        other = Talk(client, "caller")
        other.messages = talk.messages[:2]
        await other.say("c")
        regenerated = Talk(client, "caller")
        regenerated.messages = talk.messages[:2]
        await regenerated.say("b")  # the same once more: what was done is not done again
    assert ledger == ["a", "b", "c"]
    first, second, third = await tapes_of(store)
    assert [texts(tape) for tape in (first, second, third)] == [["a", "b"], ["a", "c"], ["a", "b"]]
    assert second.parent is not None
    assert third.parent is not None
    assert any(step.kind == Effects.kind for step in third)


async def test_a_fork_that_failed_is_made_again(store: ph.SqliteStore) -> None:
    broken = iter([False, False, True, False])

    def say(request: ModelRequest) -> Any:
        if next(broken):
            raise ModelUnavailableError("overloaded")
        return request.prompt.messages()[-1].text

    async with client_of(ph.Agent("a", model=ph.ScriptedModel(say)), store) as client:
        talk = Talk(client, "a")
        await talk.say("one")
        await talk.say("two")
        for attempt in (1, 2):
            other = Talk(client, "a")
            other.messages = talk.messages[:2]
            if attempt == 1:
                with pytest.raises(openai.APIStatusError):
                    await other.say("three")
            else:
                assert await other.say("three") == "three"


async def test_messages_of_one_conversation_come_one_after_another(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store) as client:

        async def ask(text: str) -> str | None:
            answer = await client.chat.completions.create(
                model="echo",
                messages=[{"role": "user", "content": text}],
                extra_headers={"X-Playhead-Session": "s"},
            )
            return answer.choices[0].message.content

        said = await asyncio.gather(*(ask(str(number)) for number in range(8)))
    assert sorted(str(text)[0] for text in said) == list("12345678")
    assert len(await tapes_of(store)) == 1


async def test_tokens_of_all_model_calls_are_told(store: ph.SqliteStore) -> None:
    from playhead.llm import Completion
    from playhead.tape.kinds import Usage

    def say(request: ModelRequest) -> Completion:
        return Completion(ph.assistant("x"), usage=Usage(input_tokens=5, output_tokens=2))

    nodes = [ph.PromptNode("think", becomes="reflection"), ph.PromptNode("answer")]
    agent = ph.Agent("two", model=ph.ScriptedModel(say), nodes=nodes)
    async with client_of(agent, store) as client:
        messages: list[Any] = [{"role": "user", "content": "hi"}]
        answer = await client.chat.completions.create(model="two", messages=messages)
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (10, 14)
        messages += [{"role": "assistant", "content": "x"}, {"role": "user", "content": "more"}]
        answer = await client.chat.completions.create(model="two", messages=messages)
        assert answer.usage is not None
        assert answer.usage.total_tokens == 14


async def streamed(client: openai.AsyncOpenAI, model: str, **options: Any) -> list[Any]:
    stream = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "hi"}], stream=True, **options
    )
    return [chunk async for chunk in stream]


class Slow(ph.ScriptedModel):
    """Says its words one after the other."""

    async def complete(self, request: ModelRequest, on_delta: Any = None) -> Any:
        answer = await super().complete(request)
        for word in answer.text.split(" "):
            if on_delta is not None:
                from playhead.llm import Delta

                on_delta(Delta(text=word if word == answer.text.split(" ")[0] else f" {word}"))
                await asyncio.sleep(0)
        return answer


async def test_an_answer_comes_in_pieces(store: ph.SqliteStore) -> None:
    agent = ph.Agent("slow", model=Slow(["one two three"]))
    async with client_of(agent, store) as client:
        chunks = await streamed(client, "slow", stream_options={"include_usage": True})
    pieces = [
        c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content
    ]
    assert pieces == ["one", " two", " three"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    (tape,) = await tapes_of(store)
    assert tape.answer == "one two three"


async def test_words_before_a_tool_call_are_not_the_answer(store: ph.SqliteStore) -> None:
    ledger: list[str] = []
    async with client_of(caller(ledger), store) as client:
        chunks = await streamed(client, "caller")
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "done 1"


async def test_words_before_a_call_to_an_environment_are_not_the_answer(
    store: ph.SqliteStore,
) -> None:
    @ph.tool(effect="read", thread=False)
    def look() -> str:
        """Look."""
        return "seen"

    def say(request: ModelRequest) -> Any:
        if request.prompt.messages()[-1].role == "tool":
            return "Seen."
        call = ToolCallPart(id="1", name="look", arguments={})
        return ph.assistant((TextPart(content="Let me look."), call))

    agent = ph.Agent("looker", model=ph.ScriptedModel(say))
    around = ph.Toolbox([look])
    async with client_of(agent, store, environments=lambda: (around,)) as client:
        chunks = await streamed(client, "looker")
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Seen."


async def test_only_nodes_that_answer_are_heard(store: ph.SqliteStore) -> None:
    nodes = [ph.PromptNode("think", becomes="reflection"), ph.PromptNode("answer")]
    agent = ph.Agent("two", model=Slow(["deep thoughts", "An answer."]), nodes=nodes)
    async with client_of(agent, store) as client:
        chunks = await streamed(client, "two")
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "An answer."


async def test_the_same_request_again_finishes_what_failed(store: ph.SqliteStore) -> None:
    ledger: list[str] = []
    agent = caller(ledger)
    script = agent.model

    def broken(request: ModelRequest) -> Any:
        if request.prompt.messages()[-1].role == "tool" and len(asked) < 1:
            asked.append(1)
            raise ModelUnavailableError("overloaded")
        return script._function(request)

    asked: list[int] = []
    agent.model = ph.ScriptedModel(broken)
    async with client_of(agent, store) as client:
        talk = Talk(client, "caller")
        with pytest.raises(openai.APIStatusError) as caught:
            await talk.say("a")
        assert caught.value.status_code == 502
        assert caught.value.body["code"] == "model_unavailable"
        talk.messages.clear()
        assert await talk.say("a") == "done 1"
    assert ledger == ["a"]  # the effect happened once
    assert len(await tapes_of(store)) == 1


async def test_a_client_that_hangs_up_leaves_a_tape_that_can_go_on(store: ph.SqliteStore) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def say(request: ModelRequest) -> str:
        begun.set()
        await go.wait()
        return "at last"

    agent = ph.Agent("slow", model=ph.ScriptedModel(say))
    async with client_of(agent, store) as client:
        talk = Talk(client, "slow")
        asking = asyncio.ensure_future(talk.say("a"))
        await begun.wait()
        asking.cancel()
        async with asyncio.timeout(30):
            while not [t for t in await tapes_of(store) if t.status == "paused"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        go.set()
        talk.messages.clear()
        assert await talk.say("a") == "at last"
    assert len(await tapes_of(store)) == 1


async def test_what_waits_for_a_decision_is_told_and_goes_on(store: ph.SqliteStore) -> None:
    ledger: list[str] = []
    agent = caller(ledger, "irreversible")
    async with client_of(agent, store, approval=ph.Approval()) as client:
        talk = Talk(client, "caller")
        with pytest.raises(openai.ConflictError) as caught:
            await talk.say("a")
        assert caught.value.body["code"] == "decision_needed"
        assert ledger == []
        (tape,) = await tapes_of(store)
        (action,) = tape.fold().open
        await ph.decide(tape, {action: "approve"}, store=store)
        talk.messages.clear()
        assert await talk.say("a") == "done 1"
    assert ledger == ["a"]


async def test_an_agent_without_an_answer_is_an_error(store: ph.SqliteStore) -> None:
    node = ph.PromptNode("find", output={"type": "object"}, retries=0)
    agent = ph.Agent("finder", model=ph.ScriptedModel(lambda r: "no json"), nodes=[node])
    async with client_of(agent, store) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await Talk(client, "finder").say("a")
        assert caught.value.body["code"] == "no_answer"
    (tape,) = await tapes_of(store)
    assert sum(step.kind == ModelCall.kind for step in tape) == 1  # the client did not ask again


async def test_an_error_in_a_stream_is_told_in_it(store: ph.SqliteStore) -> None:
    model = ph.ScriptedModel(lambda request: ModelUnavailableError("overloaded"))
    async with client_of(ph.Agent("a", model=model), store) as client:
        with pytest.raises(openai.APIError, match="the agent's model failed: overloaded"):
            await streamed(client, "a")


USER = {"role": "user", "content": "x"}
PICTURE = [{"type": "image_url", "image_url": {"url": "x"}}]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_request"),
        (b"[]", 400, "invalid_request"),
        (b'{"a": 1, "a": 2}', 400, "invalid_request"),
        ({}, 400, "invalid_request"),
        ({"messages": []}, 400, "invalid_request"),
        ({"messages": "hi"}, 400, "invalid_request"),
        ({"messages": [{**USER, "role": "wizard"}]}, 400, "invalid_request"),
        ({"messages": [{**USER, "role": "assistant"}]}, 400, "invalid_request"),
        ({"messages": [{**USER, "role": "tool", "tool_call_id": "1"}]}, 400, "invalid_request"),
        ({"messages": [{**USER, "content": PICTURE}]}, 400, "invalid_request"),
        ({"messages": [USER], "model": "other"}, 404, "model_not_found"),
        ({"messages": [USER], "model": 3}, 400, "invalid_request"),
        ({"messages": [USER], "n": 2}, 400, "invalid_request"),
        ({"messages": [USER], "tools": [{}]}, 400, "invalid_request"),
        ({"messages": [USER], "response_format": {"type": "json_object"}}, 400, "invalid_request"),
    ],
)
async def test_bad_requests_get_errors_in_their_form(
    store: ph.SqliteStore, body: Any, status: int, code: str
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        AgentServer(Served(echo(), store=store)).serve() as url,
        httpx2.AsyncClient() as http,
    ):
        answer = await http.post(
            f"{url}/v1/chat/completions",
            content=content,
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == status
        error = answer.json()["error"]
        assert (error["code"], error["type"]) == (code, "invalid_request_error")
        assert answer.headers["x-should-retry"] == "false"
    assert await tapes_of(store) == []


async def test_others_pages_cannot_use_it(store: ph.SqliteStore) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "x"}]}
    async with (
        AgentServer(Served(echo(), store=store)).serve() as url,
        httpx2.AsyncClient() as http,
    ):
        path = f"{url}/v1/chat/completions"
        rebound = await http.post(path, json=body, headers={"host": "evil.example"})
        form = await http.post(
            path, content=json.dumps(body), headers={"content-type": "text/plain"}
        )
        nowhere = await http.get(f"{url}/elsewhere")
        assert [rebound.status_code, form.status_code, nowhere.status_code] == [421, 415, 404]
    assert await tapes_of(store) == []


async def test_a_key_is_asked_for(store: ph.SqliteStore) -> None:
    async with client_of(echo(), store, key="sesame") as client:
        assert await Talk(client, "echo").say("hi") == "1: hi"
        with pytest.raises(openai.AuthenticationError):
            await Talk(client.with_options(api_key="wrong"), "echo").say("hi")


async def test_it_is_not_offered_to_others_without_a_key(store: ph.SqliteStore) -> None:
    with pytest.raises(RecordError, match="give it a `key`"):
        AgentServer(Served(echo(), store=store)).serve(host="0.0.0.0")


async def test_each_conversation_has_its_own_environment(store: ph.SqliteStore) -> None:
    closed: list[int] = []

    class Counter(ph.Environment):
        def __init__(self) -> None:
            self.count = 0

        def tools(self) -> list[ph.Tool]:
            def add() -> int:
                """Count on."""
                self.count += 1
                return self.count

            return [ph.tool(effect="read", thread=False)(add).__playhead_tool__]

        async def close(self) -> None:
            closed.append(self.count)

    def say(request: ModelRequest) -> Any:
        last = request.prompt.messages()[-1]
        if last.role == "tool":
            return str(last.parts[0].response)
        from playhead.tape import ToolCallPart

        return ph.assistant((ToolCallPart(id=None, name="add", arguments={}),))

    agent = ph.Agent("counter", model=ph.ScriptedModel(say))
    async with client_of(agent, store, environments=lambda: (Counter(),)) as client:
        one, two = Talk(client, "counter"), Talk(client, "counter")
        said = [await one.say("a"), await two.say("b"), await one.say("c")]
    assert said == ["1", "1", "2"]
    assert sorted(closed) == [1, 2]
