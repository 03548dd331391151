"""After a restart, and beside another proxy, conversations without a name go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from exchanges import BRIEF, STARTED, chat, heard, result, said
from hypothesis import given
from hypothesis import strategies as st
from upstream import serving, weather_agent

from playhead.llm import read_prompt
from playhead.record import OPENAI_CHAT, Exchange, LLMProxy, Sessions
from playhead.record import _earlier as limits
from playhead.record.wire import WIRES, Reply
from playhead.store import Batch, MemoryStore, SqliteStore, Store
from playhead.tape import Body, Draft, Tape, assistant
from playhead.tape.kinds import AssistantMessage, ModelCall, UserMessage

WEATHER = said(None, ("c1", "weather", '{"city": "Montreal"}'))
FIRST = [BRIEF, heard("Is it raining?")]
SECOND = [*FIRST, WEATHER, result("c1", "rain")]
THIRD = [*SECOND, said("Yes."), heard("Until when?")]


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "tapes.db")
    yield made
    await made.close()


def shape(tape: Tape) -> list[Any]:
    """What a tape says, without ids and times."""
    numbers = {step.id: step.seq for step in tape}
    return [
        (step.kind, step.by.type, [numbers[id] for id in step.re], said_by(step.body))
        for step in tape
    ]


def said_by(body: Body) -> object:
    if isinstance(body, ModelCall):
        return body.prompt, body.message
    return body.parts if isinstance(body, UserMessage | AssistantMessage) else None


async def two_turns(store: Store) -> str:
    sessions = Sessions(store)
    await sessions.take(chat(FIRST, WEATHER))
    return await sessions.take(chat(SECOND, said("Yes.")))


async def test_a_conversation_goes_on_after_a_restart_as_without_one(store: Store) -> None:
    begun = await two_turns(store)
    later = Sessions(store)
    assert await later.take(chat(THIRD, said("Noon."))) == begun
    assert await later.take(chat([*THIRD, said("Noon."), heard("Sure?")], said("Y"))) == begun
    tape = await store.open(begun)
    tape.verify()
    one = Sessions(MemoryStore())
    for messages, answer in ((FIRST, WEATHER), (SECOND, said("Yes.")), (THIRD, said("Noon."))):
        await one.take(chat(messages, answer))
    whole = await one.take(chat([*THIRD, said("Noon."), heard("Sure?")], said("Y")))
    assert shape(tape) == shape(await one._store.open(whole))


async def test_a_branch_after_a_restart_is_the_fork_that_it_would_have_been(store: Store) -> None:
    begun = await two_turns(store)
    branches = {2: FIRST, 4: [*SECOND[:3], result("c1", "snow")]}
    for at, messages in branches.items():
        child = await store.open(await Sessions(store).take(chat(messages, said("Other."))))
        assert child.parent is not None
        assert (child.parent.tape, child.start) == (begun, at)
        on = [*messages, said("Other."), heard("And?")]
        assert await Sessions(store).take(chat(on, said("Well."))) == child.id
    assert await Sessions(store).take(chat(THIRD, said("Noon."))) == begun


async def test_instructions_may_change_over_a_restart_and_part_what_only_begins(
    store: Store,
) -> None:
    begun = await two_turns(store)
    other = {"role": "system", "content": "Other."}
    assert await Sessions(store).take(chat([other, *THIRD[1:]], said("Noon."))) == begun
    third = {"role": "system", "content": "Third."}
    elsewhere = await store.open(await Sessions(store).take(chat([third, FIRST[1]], said("1"))))
    assert elsewhere.parent is None


async def test_a_retry_after_a_restart_names_what_failed_before(store: Store) -> None:
    begun = await Sessions(store).take(chat(FIRST, None, status=429))
    assert await Sessions(store).take(chat(FIRST, WEATHER)) == begun
    tape = await store.open(begun)
    assert tape[3].re == (tape[2].id,)


async def test_large_texts_are_known_again(store: Store) -> None:
    large = "rain " * 20_000
    first = [heard(large)]
    second = [*first, WEATHER, result("c1", large)]
    third = [*second, said(large), heard("b")]
    ids = {
        await Sessions(store).take(chat(messages, answer))
        for messages, answer in ((first, WEATHER), (second, said(large)), (third, said("1")))
    }
    assert len(ids) == 1
    other = await store.open(await Sessions(store).take(chat([heard(large + "x")], said("2"))))
    assert other.parent is None


def response(turn: int, previous: str | None, *, streamed: bool) -> tuple[Exchange, str]:
    """An exchange of the Responses API that names the one before by its id, and its own id."""
    wire = WIRES["openai.responses"]
    asked: dict[str, Any] = {"model": "m", "input": f"q{turn}", "stream": streamed}
    body = wire.response(Reply("m", assistant(f"a{turn}"), id=f"0{turn}a7d4c2e9b1f84d6a93c5e7f1"))
    body["previous_response_id"] = asked["previous_response_id"] = previous
    told = wire.stream(body, asked=asked) if streamed else json.dumps(body).encode()
    request = json.dumps(asked).encode()
    made = Exchange(wire.name, request, told, status=200, streamed=streamed, started=STARTED)
    return made, str(body["id"])


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_response_is_known_again_by_its_id(store: Store, streamed: bool) -> None:
    names: list[str | None] = [None]
    ids: set[str] = set()
    for turn in range(3):
        exchange, name = response(turn, names[-1], streamed=streamed)
        ids.add(await Sessions(store).take(exchange))
        names.append(name)
    (begun,) = ids
    tape = await store.open(begun)
    said = [message.text for message in read_prompt(tape, tape[-2])]
    assert said == ["q0", "a0", "q1", "a1", "q2"]
    assert tape.answer == "a2"
    exchange, _ = response(5, names[1], streamed=streamed)
    child = await store.open(await Sessions(store).take(exchange))
    assert child.parent is not None
    assert (child.parent.tape, child.start, child.answer) == (begun, 4, "a5")
    alone, _ = response(6, "resp_of_before", streamed=streamed)
    assert (await store.open(await Sessions(store).take(alone))).parent is None


async def test_what_is_not_a_proxys_own_is_left_alone(store: Store) -> None:
    named = await Sessions(store).take(chat(FIRST, WEATHER, session="run"))
    native = Tape.new().append(UserMessage(parts=()), Draft(UserMessage(parts=())))
    await store.append(Batch(native.id, 0, native[0:]))
    begun = await Sessions(store).take(chat(SECOND, said("Yes.")))
    assert begun not in (named, native.id)
    assert (await store.open(begun)).parent is None


async def test_what_was_erased_or_removed_is_not_found(store: Store) -> None:
    begun = await two_turns(store)
    await store.erase(begun, [1])
    other = await Sessions(store).take(chat(THIRD, said("Noon.")))
    assert other != begun
    await store.remove(other)
    assert await Sessions(store).take(chat(THIRD, said("Noon."))) not in (begun, other)


async def test_a_conversation_whose_tape_was_removed_meanwhile_begins_anew(store: Store) -> None:
    sessions = Sessions(store)
    begun = await sessions.take(chat(FIRST, WEATHER))
    await store.remove(begun)
    again = await store.open(await sessions.take(chat(SECOND, said("Yes."))))
    assert (again.id != begun, again.answer) == (True, "Yes.")


async def test_only_the_newest_tapes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST", 3)
    store = MemoryStore()
    old, sessions = await two_turns(store), Sessions(store)
    for number in range(3):
        await sessions.take(chat([heard(f"{number}")], said("x")))
    assert await Sessions(store).take(chat(THIRD, said("Noon."))) != old


async def test_two_proxies_take_turns_on_one_tape(store: Store) -> None:
    one, other = Sessions(store), Sessions(store)
    await other.take(chat([heard("else")], said("x")))  # it has looked at the store before
    messages, ids = [BRIEF, heard("0")], set()
    for turn in range(6):
        ids.add(await (one, other)[turn % 2].take(chat(messages, said(f"a{turn}"))))
        messages = [*messages, said(f"a{turn}"), heard(f"{turn + 1}")]
    (name,) = ids
    tape = await store.open(name)
    tape.verify()
    assert [s.kind for s in tape].count(ModelCall.kind) == 6
    assert tape.answer == "a5"


async def test_where_both_go_on_at_once_the_later_one_forks(store: Store) -> None:
    begun = await two_turns(store)
    one, other = Sessions(store), Sessions(store)
    await one.take(chat([heard("else")], said("x")))
    on = [*SECOND, said("Yes.")]
    assert await one.take(chat([*on, heard("a")], said("1"))) == begun
    branch = await store.open(await other.take(chat([*on, heard("b")], said("2"))))
    assert branch.parent is not None
    assert (branch.parent.tape, branch.start, branch.answer) == (begun, 6 + 1, "2")
    back = [*on, heard("a"), said("1"), heard("c")]
    assert await other.take(chat(back, said("3"))) == begun
    stale = [*on, heard("a"), said("1"), heard("d")]
    fork = await store.open(await one.take(chat(stale, said("4"))))
    assert fork.parent is not None
    assert fork.parent.tape == begun
    assert (await store.open(begun)).answer == "3"


async def test_two_proxies_at_work_at_once_lose_nothing(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "t.db") as one, SqliteStore(tmp_path / "t.db") as other:
        begun = await two_turns(one)
        proxies = [Sessions(one), Sessions(other)]

        async def talk(number: int) -> None:
            messages = [*SECOND, said("Yes."), heard(f"{number}.0")]
            for turn in range(4):
                answer = said(f"{number}.{turn}!")
                await proxies[number].take(chat(messages, answer))
                messages = [*messages, answer, heard(f"{number}.{turn + 1}")]

        await asyncio.gather(talk(0), talk(1))
        tapes = [await one.open(info.id) for info in await one.tapes()]
    for tape in tapes:
        tape.verify()
    assert sorted(tape.answer or "" for tape in tapes) == ["0.3!", "1.3!"]
    assert {tape.parent.tape if tape.parent else None for tape in tapes} == {None, begun}


async def test_a_tape_that_somebody_owns_is_forked(store: Store) -> None:
    begun = await two_turns(store)
    lease = await store.acquire(begun)
    child = await store.open(await Sessions(store).take(chat(THIRD, said("Noon."))))
    await store.release(lease)
    assert child.parent is not None
    assert (child.parent.tape, child.answer) == (begun, "Noon.")
    assert (await store.open(begun)).answer == "Yes."


async def test_the_proxy_is_stopped_and_started_again(tmp_path: Path) -> None:
    messages: list[Any] = [{"role": "user", "content": "Where does it rain?"}]
    with serving(weather_agent) as upstream:
        for _ in range(4):
            async with SqliteStore(tmp_path / "tapes.db") as store:
                proxy = LLMProxy(upstream.url, store=store)
                async with proxy.serve() as url, httpx2.AsyncClient(base_url=url) as client:
                    request = {"model": "m", "messages": messages}
                    got = (await client.post("/v1/chat/completions", json=request)).json()
            message = got["choices"][0]["message"]
            messages.append(message)
            for call in message.get("tool_calls") or ():
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": "rain"})
            if not message.get("tool_calls"):
                messages.append({"role": "user", "content": "Sure?"})
    async with SqliteStore(tmp_path / "tapes.db") as store:
        (info,) = await store.tapes()
        tape = await store.open(info.id)
        tape.verify()
    assert [step.kind for step in tape].count(ModelCall.kind) == 4
    assert tape.answer == "After 2 looks and 2 questions: rain. ☔"


TEXTS = st.sampled_from(["a", "b", "c"])
TURNS = st.lists(st.tuples(st.integers(0, 6), TEXTS, TEXTS, st.integers(0, 3)), max_size=12)
Turns = list[tuple[int, str, str, int]]


@given(TURNS)
async def test_restarts_anywhere_change_no_tape(turns: Turns) -> None:
    """Conversations that branch anywhere: the same trees as of a proxy that was never stopped.

    Of two that are equal to the letter either one may go on, so that no two answers are.
    """
    stores = [MemoryStore(), MemoryStore()]
    restarted, lone = (Sessions(store) for store in stores)
    known: list[list[dict[str, Any]]] = [[BRIEF]]
    for number, (at, asks, answers, restarts) in enumerate(turns):
        messages = [*known[at % len(known)], heard(asks)]
        exchange = chat(messages, said(f"{answers}{number}"))
        restarted = Sessions(stores[0]) if restarts else restarted
        await restarted.take(exchange)
        await lone.take(exchange)
        known.append([*messages, said(f"{answers}{number}")])
    trees = [
        [shape(await store.open(info.id)) for info in await store.tapes(limit=100)]
        for store in stores
    ]
    assert trees[0] == trees[1]


@given(TURNS)
async def test_with_proxies_side_by_side_every_prompt_is_read_back(turns: Turns) -> None:
    store = MemoryStore()
    proxies = [Sessions(store), Sessions(store)]
    known: list[list[dict[str, Any]]] = [[BRIEF]]
    for at, asks, answers, who in turns:
        messages = [*known[at % len(known)], heard(asks)]
        tape = await store.open(await proxies[who % 2].take(chat(messages, said(answers))))
        known.append([*messages, said(answers)])
        tape.verify()
        (call,) = [step for step in tape if step.kind == ModelCall.kind][-1:]
        request: Any = {"model": "m", "messages": messages}
        assert tuple(read_prompt(tape, call)) == OPENAI_CHAT.asked(request).messages
