"""Frameworks that nobody here wrote, through the proxy: recorded, then run with the model gone."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from frameworks import (
    KEY,
    Framework,
    agents_sdk_agent,
    agents_sdk_handoff,
    langgraph_agent,
    pydantic_ai_agent,
)
from upstream import Asked, reply, serving, wire_for

from playhead.record import LLMProxy, LLMReplay
from playhead.store import SqliteStore, Store
from playhead.tape import Tape, ToolCallPart, assistant
from playhead.tape.kinds import ToolCall, ToolResult

CITIES = ("Montréal", "Québec", "Trois-Rivières")
CONVERSATION = [
    "user_message", "model_call", "tool_call", "tool_call", "tool_result", "tool_result",
    "model_call", "assistant_message",
    "user_message", "model_call", "tool_call", "tool_result",
    "model_call", "assistant_message",
]  # fmt: skip


def travel_agent(asked: Asked) -> None:
    """A model that asks for two cities at once, later for a third, under ids that never recur.

    In the Responses API it thinks before it acts.
    """
    messages = wire_for(asked.path).asked(asked.json).messages
    looks = sum(message.role == "tool" for message in messages)
    turn = sum(message.role == "user" for message in messages)
    wanted = {(1, 0): CITIES[:2], (2, 2): CITIES[2:]}.get((turn, looks))
    if wanted is None:
        reply(asked, assistant(f"After {looks} looks and {turn} questions: rain. ☔"))
        return
    number = f"{id(asked.upstream):x}_{len(asked.upstream.seen)}"
    calls = [
        ToolCallPart(id=f"call_{number}_{at}", name="weather", arguments={"city": city})
        for at, city in enumerate(wanted)
    ]
    reply(asked, assistant(tuple(calls)), thinks=True)


def kinds(tape: Tape) -> list[str]:
    return [step.kind.removeprefix("playhead.") for step in tape][1:]


async def only_tape(store: Store) -> Tape:
    (info,) = await store.tapes()
    tape = await store.open(info.id)
    tape.verify()
    return tape


FRAMEWORKS = (langgraph_agent, agents_sdk_agent, pydantic_ai_agent)
WAYS = [*itertools.product(FRAMEWORKS, ("chat", "responses"), (False, True))]


@pytest.mark.parametrize(
    ("framework", "api", "stream"),
    WAYS,
    ids=[f"{f.__name__}-{api}-{'stream' if s else 'whole'}" for f, api, s in WAYS],
)
async def test_a_framework_is_one_tape_a_conversation_and_runs_again_with_the_upstream_gone(
    framework: Framework, api: str, stream: bool, tmp_path: Path
) -> None:
    async with SqliteStore(tmp_path / "tapes.db") as store:
        with serving(travel_agent) as upstream:
            proxy = LLMProxy(upstream.url, store=store)
            async with proxy.serve() as url:
                live = await framework(url, api=api, stream=stream)
        assert live == [
            "After 2 looks and 1 questions: rain. ☔",
            "After 3 looks and 2 questions: rain. ☔",
        ]
        assert (proxy.recorder.recorded, proxy.recorder.faults) == (4, 0)
        tape = await only_tape(store)
        assert kinds(tape) == CONVERSATION
        calls = [step for step in tape if isinstance(step.body, ToolCall)]
        assert [call.body.arguments for call in calls] == [{"city": city} for city in CITIES]
        results = [step for step in tape if isinstance(step.body, ToolResult)]
        assert [result.body.result for result in results] == [f"rain in {city}" for city in CITIES]
        assert [result.re for result in results] == [(call.id,) for call in calls]
        assert tape.answer == live[-1]
        assert not any(KEY.encode() in (step.data or b"") for step in tape)
        replay = LLMReplay(store, [tape.id])
        async with replay.serve() as url:
            assert await framework(url, api=api, stream=stream) == live
            assert await framework(url, api=api, stream=not stream) == live
        assert (replay.answered, replay.missed) == (8, 0)


async def test_a_hand_over_to_another_agent_stays_on_its_tape(tmp_path: Path) -> None:
    def answers(asked: Asked) -> None:
        if asked.json["instructions"] == "Hand over.":
            call = ToolCallPart(id="call_h", name="transfer_to_expert", arguments={})
            reply(asked, assistant((call,)))
        else:
            reply(asked, assistant("It rains in Montréal."))

    async with SqliteStore(tmp_path / "tapes.db") as store:
        with serving(answers) as upstream:
            async with LLMProxy(upstream.url, store=store).serve() as url:
                live = await agents_sdk_handoff(url)
        tape = await only_tape(store)
        assert kinds(tape) == [
            "user_message", "model_call", "tool_call", "tool_result",
            "model_call", "assistant_message",
        ]  # fmt: skip
        async with LLMReplay(store, [tape.id]).serve() as url:
            assert await agents_sdk_handoff(url) == live == ["It rains in Montréal."]


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_instructions_that_change_with_each_call_do_not_tear_a_conversation(
    api: str, tmp_path: Path
) -> None:
    def clock() -> Any:
        minutes = itertools.count()
        return lambda: f"Use the tool. It is 12:{next(minutes):02}."

    async with SqliteStore(tmp_path / "tapes.db") as store:
        with serving(travel_agent) as upstream:
            async with LLMProxy(upstream.url, store=store).serve() as url:
                live = await pydantic_ai_agent(url, api=api, stream=False, instructions=clock())
        tape = await only_tape(store)
        assert kinds(tape) == CONVERSATION
        async with LLMReplay(store, [tape.id]).serve() as url:
            again = await pydantic_ai_agent(url, api=api, stream=False, instructions=clock())
        assert again == live


@pytest.mark.parametrize("stream", [False, True])
async def test_a_conversation_that_the_server_keeps_is_one_tape(
    stream: bool, tmp_path: Path
) -> None:
    kept: dict[str | None, list[Any]] = {}

    def answers(asked: Asked) -> None:
        """Keeps conversations by the id of the response, as the provider does."""
        whole = [*kept.get(asked.json.get("previous_response_id"), []), *asked.json["input"]]
        asked.body = json.dumps({**asked.json, "input": whole}).encode()
        said = len(asked.upstream.seen)
        travel_agent(asked)
        kept[f"resp_{said}"] = [*whole, {"role": "assistant", "content": "…"}]

    def agent(url: str) -> Any:
        return agents_sdk_agent(url, api="responses", stream=stream, chained=True)

    async with SqliteStore(tmp_path / "tapes.db") as store:
        with serving(answers) as upstream:
            async with LLMProxy(upstream.url, store=store).serve() as url:
                live = await agent(url)
            sent = [asked.json["input"] for asked in upstream.seen]
        assert len(sent[-1]) > 5  # it was the server that knew
        tape = await only_tape(store)
        assert kinds(tape) == CONVERSATION
        async with LLMReplay(store, [tape.id]).serve() as url:
            assert await agent(url) == live
