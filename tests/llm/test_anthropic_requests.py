"""What Claude is sent: prompts of any shape become what the Messages API takes."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_wire import HIDDEN, SIGNATURE, redacted, said, text, thinking, tool_use
from model_server import KEY, FakeServer

from playhead.errors import ModelRequestError
from playhead.llm import AnthropicModel, ModelRequest, OpenAIModel, Prompt, ToolSchema
from playhead.tape import (
    BlobPart,
    Message,
    ReasoningPart,
    ToolCallPart,
    ToolResponsePart,
    assistant,
    system,
    user,
)

SEARCH = ToolSchema("email.search", "Find mail.", {"type": "object", "properties": {}})


@pytest.fixture
async def sent(server: FakeServer, claude: AnthropicModel):
    async def sent(*messages: Message, model: AnthropicModel = claude, **more: Any) -> dict:
        server.says(said(text("x")))
        await model.complete(ModelRequest(Prompt.of(*messages), **more))
        return server.bodies[-1]

    yield sent
    await claude.aclose()


def call(id: str | None, arguments: Any = None, name: str = "email.search") -> ToolCallPart:
    return ToolCallPart(id=id, name=name, arguments=arguments)


def result(id: str, response: Any) -> Message:
    return Message(role="tool", parts=(ToolResponsePart(id=id, response=response),))


def words(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


async def test_a_plain_prompt(sent) -> None:
    assert await sent(system("Be brief."), user("hi"), tools=(SEARCH,)) == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 16_384,
        "stream": False,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [words("hi")]}],
        "tools": [
            {
                "name": "email_search",
                "description": "Find mail.",
                "input_schema": {"type": "object", "properties": {}},
            }
        ],
    }


async def test_settings(sent, server: FakeServer) -> None:
    url = server.url.removesuffix("/v1")
    model = AnthropicModel(
        "m",
        base_url=url,
        api_key=KEY,
        cache="1h",
        max_tokens=100,
        settings={"thinking": {"type": "adaptive"}, "brand_new": 1},
    )
    settings = {"max_tokens": 200, "tool_choice": {"type": "tool", "name": "email.search"}}
    body = await sent(user("hi"), model=model, tools=(SEARCH,), settings=settings)
    assert body["max_tokens"] == 200
    assert body["thinking"] == {"type": "adaptive"}
    assert body["brand_new"] == 1
    assert body["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert body["tool_choice"] == {"type": "tool", "name": "email_search"}
    await model.aclose()


@pytest.mark.parametrize("name", ["messages", "model", "stream", "system", "tools"])
async def test_what_is_no_setting(sent, name: str) -> None:
    with pytest.raises(ModelRequestError, match="is no setting"):
        await sent(user("hi"), settings={name: 1})


def test_what_is_no_model() -> None:
    with pytest.raises(ModelRequestError, match="max_tokens"):
        AnthropicModel("m", max_tokens=0)
    with pytest.raises(ModelRequestError, match="`5m` or `1h`"):
        AnthropicModel("m", cache="1d")


async def test_calls_and_results(sent) -> None:
    body = await sent(
        user("go"),
        assistant((call("toolu_1", {"q": 1}), call("toolu_2"))),
        result("toolu_2", {"n": 2}),
        user("hurry"),
        result("toolu_1", "one"),
        assistant("Done."),
        user("more"),
    )
    use = {"type": "tool_use", "name": "email_search"}
    assert body["messages"] == [
        {"role": "user", "content": [words("go")]},
        {
            "role": "assistant",
            "content": [
                {**use, "id": "toolu_1", "input": {"q": 1}},
                {**use, "id": "toolu_2", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": '{"n":2}'},
                words("hurry"),
            ],
        },
        {"role": "assistant", "content": [words("Done.")]},
        {"role": "user", "content": [words("more")]},
    ]


async def test_a_call_without_result_and_a_result_without_call(sent) -> None:
    body = await sent(user("go"), assistant((call("a"),)), assistant("hm"), result("gone", "x"))
    assert [m["role"] for m in body["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert body["messages"][2]["content"][0]["content"] == "(no result)"
    assert body["messages"][4]["content"] == [words("Observation: x")]


async def test_ids_that_the_api_refuses_are_renamed_on_both_sides(sent) -> None:
    body = await sent(user("go"), assistant((call("a:b/c"), call(None))), result("a:b/c", "x"))
    first, second = body["messages"][1]["content"]
    assert first["id"].startswith("call_")
    assert second["id"].startswith("call_")
    assert body["messages"][2]["content"][0]["tool_use_id"] == first["id"]


async def test_arguments_are_objects(sent) -> None:
    body = await sent(user("go"), assistant((call("a", '{"q": '), call("b", [1]), call("c", None))))
    inputs = [block["input"] for block in body["messages"][1]["content"]]
    assert inputs == [{"INVALID_JSON": '{"q": '}, {"INVALID_JSON": [1]}, {}]


async def test_a_window_that_begins_with_the_model(sent) -> None:
    body = await sent(assistant("I was saying"), user("what?"))
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]


async def test_system_messages(sent) -> None:
    body = await sent(system("One."), system("Two."), user("hi"), system("Be quick."))
    assert body["system"] == "One.\n\nTwo."
    assert body["messages"] == [
        {"role": "user", "content": [words("hi"), words("System: Be quick.")]}
    ]
    alone = await sent(system("Say hello."))
    assert "system" not in alone
    assert alone["messages"] == [{"role": "user", "content": [words("Say hello.")]}]


async def test_nothing_to_say(sent, server: FakeServer) -> None:
    for nothing in ((), (user("  "),)):
        with pytest.raises(ModelRequestError, match="says nothing"):
            await sent(*nothing)
    assert server.seen == []


async def test_blocks_of_nothing_are_left_out(sent) -> None:
    body = await sent(user("hi"), assistant(""), user(" "), user("there"))
    assert body["messages"] == [{"role": "user", "content": [words("hi"), words("there")]}]


async def test_large_texts_and_names(sent) -> None:
    blob = BlobPart(media_type="image/png", size=9, address="ab", preview="")
    body = await sent(user((blob,)), user("hello", name="ana"))
    assert body["messages"][0]["content"] == [
        words("[image/png, 9 bytes; its content is not shown]"),
        words("ana: hello"),
    ]


@pytest.mark.parametrize("on_delta", [None, id])
async def test_what_the_model_thought_goes_back_as_it_came(
    sent, server: FakeServer, claude: AnthropicModel, on_delta
) -> None:
    blocks = [
        thinking("Let me look."),
        redacted(),
        text("Looking."),
        thinking("", signature="c2lnbmVk"),
        tool_use("email_search", {"q": "ana"}),
    ]
    server.says(said(*blocks, stop_reason="tool_use"))
    asked = ModelRequest(Prompt.of(user("go")), tools=(SEARCH,))
    done = await claude.complete(asked, on_delta)
    again = Message.model_validate_json(done.message.model_dump_json())
    body = await sent(user("go"), again, result(blocks[4]["id"], "found"), tools=(SEARCH,))
    assert body["messages"][1] == {"role": "assistant", "content": blocks}
    assert HIDDEN in str(body)
    assert SIGNATURE in str(body)


async def test_thoughts_of_another_provider_are_not_sent(sent, server: FakeServer) -> None:
    item = {"type": "provider_item", "provider": "acme", "item": {"type": "thinking", "s": 1}}
    message = Message.model_validate(
        {
            "role": "assistant",
            "parts": [
                ReasoningPart(content="Hm."),
                item,
                ReasoningPart(content="Hm."),
                {"type": "text", "content": "Yes."},
            ],
        }
    )
    body = await sent(user("go"), message)
    assert body["messages"][1]["content"] == [words("Yes.")]
    other = OpenAIModel("m", base_url=server.url, api_key=KEY)
    with pytest.raises(ModelRequestError):
        await other.complete(ModelRequest(Prompt.of(user("go"), message)))
    assert server.bodies[-1]["messages"][1] == {"role": "assistant", "content": "Yes."}
    await other.aclose()


async def test_arguments_that_are_no_json(sent) -> None:
    broken = ToolCallPart.model_construct(
        type="tool_call", id="a", name="f", arguments={"x": float("nan")}
    )
    bad = Message.model_construct(role="assistant", parts=(broken,), name=None)
    with pytest.raises(ModelRequestError, match="cannot be sent as JSON"):
        await sent(user("hi"), bad)


async def test_calls_of_tools_that_are_not_offered_any_more(sent) -> None:
    """The API refuses them without a definition; so they are defined, and cannot be called."""
    asked = assistant((call("1", {"q": "x"}),))
    body = await sent(user("hi"), asked, result("1", "found"), user("Sum up."))
    assert body["tools"] == [{"name": "email_search", "input_schema": {"type": "object"}}]
    assert body["tool_choice"] == {"type": "none"}
    assert "tools" not in await sent(user("hi"))
