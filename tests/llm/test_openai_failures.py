"""Refusals, retries, time-outs, broken connections, cancellation, event loops and secrets."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import socket
import subprocess
import sys
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import openai
import pytest
import stamina
from model_server import (
    KEY,
    NO_WAIT,
    FakeServer,
    answer,
    chunk,
    completion,
    cut_after,
    error,
    events,
    http,
    silence,
    stream,
    trickle,
)

from playhead.errors import (
    CutCompletionError,
    ModelError,
    ModelRequestError,
    ModelUnavailableError,
    PlayheadError,
)
from playhead.llm import ModelRequest, OpenAIModel, Prompt
from playhead.llm._api import retry_after
from playhead.llm._attempts import Attempts, Backoff
from playhead.tape import user

ASK = ModelRequest(Prompt.of(user("hi")))
GOOD = answer(completion({"content": "Yes."}))


@pytest.fixture
async def ask(server: FakeServer, model: OpenAIModel):
    async def ask(*replies, on_delta=None):
        server.says(*replies)
        return await model.complete(ASK, on_delta)

    yield ask
    await model.aclose()


@pytest.fixture
def waits():
    """The waits between attempts, as they are planned; none is waited for."""
    planned: list[float] = []
    stamina.instrumentation.set_on_retry_hooks([lambda told: planned.append(told.wait_for)])
    yield planned
    stamina.instrumentation.set_on_retry_hooks(None)


async def test_each_failed_attempt_is_in_the_log_without_what_was_said(
    ask, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(error(429, "heliotrope"), GOOD)
    [record] = [record for record in caplog.records if record.name == "playhead.llm"]
    assert "attempt 1 of 4 failed with HTTP 429" in record.getMessage()
    assert "heliotrope" not in caplog.text


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_asked_again(ask, status: int) -> None:
    done = await ask(error(status, "busy"), GOOD)
    assert done.text == "Yes."
    first, second = done.attempts
    assert first.error == f"HTTP {status}: busy"
    assert second.error is None
    assert first.started < second.started
    assert done.seconds >= first.seconds + second.seconds


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "Change the request"),
        (401, "Check the API key"),
        (403, "access"),
        (404, "name of the model"),
        (413, "Shorten"),
        (418, "base_url"),
        (422, "Change the request"),
    ],
)
async def test_refused(ask, server: FakeServer, status: int, advice: str) -> None:
    with pytest.raises(ModelRequestError) as caught:
        await ask(error(status, "this will not do"))
    fault = caught.value
    assert f"HTTP {status}: this will not do" in str(fault)
    assert advice in str(fault)
    assert "gpt-4o-mini" in str(fault)
    assert fault.status == status
    assert [attempt.error for attempt in fault.attempts] == [f"HTTP {status}: this will not do"]
    assert len(server.seen) == 1
    assert fault.__cause__ is None
    assert fault.__context__ is None


async def test_refusals_that_look_passing(ask, server: FakeServer) -> None:
    with pytest.raises(ModelRequestError, match="Add credit"):
        await ask(error(429, "You exceeded your quota", code="insufficient_quota"))
    with pytest.raises(ModelRequestError, match="Shorten"):
        await ask(error(400, "too many tokens", code="context_length_exceeded"))
    with pytest.raises(ModelRequestError, match="HTTP 500"):
        await ask(error(500, "no use", headers={"x_should_retry": "false"}))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "HTTP 400"),
        (b"<h1>Bad Gateway</h1>", "<h1>Bad Gateway</h1>"),
        (b'{"message": "flat", "code": 400}', "flat"),
        (b'{"detail": [{"loc": ["body", "n"]}]}', '"loc"'),
        (b'{"error": "a text"}', "a text"),
        (b'{"error": {"message": 5}}', "5"),
        (b"\xff\xfe", "HTTP 400"),
        (b"x" * 1_000_000, "x" * 500 + "…"),
        (b'{"error": {"message": "\\ud800"}}', "\\ud800"),
    ],
)
async def test_refusals_in_any_form(ask, body: bytes, expected: str) -> None:
    with pytest.raises(ModelRequestError) as caught:
        await ask(http(body, status=400))
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 800
    caught.value.attempts[0].model_dump_json().encode()


async def test_all_attempts_fail(ask, server: FakeServer) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        await ask(error(500, "first"), error(502, "later"))
    assert len(server.seen) == 4
    attempts = caught.value.attempts
    assert [attempt.error for attempt in attempts] == ["HTTP 500: first"] + ["HTTP 502: later"] * 3
    assert "4 attempts" in str(caught.value)
    assert caught.value.status == 502
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.attempts) == (str(caught.value), attempts)


async def test_waits(server: FakeServer, waits: list[float]) -> None:
    soon = {"retry_after_ms": "1"}
    server.says(
        error(429, headers={"retry_after": "0.001"}),
        error(429, headers={"retry_after": "3600"}),
        error(429, headers={"retry_after": "3600", **soon}),
        error(500, headers={"retry_after": "soon"}),
        GOOD,
    )
    backoff = Backoff(initial=0.003, maximum=0.004, jitter=0, longest_retry_after=0.005)
    model = OpenAIModel("m", base_url=server.url, api_key=KEY, attempts=5, backoff=backoff)
    await model.complete(ASK)
    await model.aclose()
    assert waits == pytest.approx([0.001, 0.005, 0.001, 0.004])


async def test_waits_grow_with_jitter(waits: list[float], monkeypatch) -> None:
    async def no_sleep(seconds: float) -> None:
        return None

    monkeypatch.setattr("stamina._core._smart_sleep", no_sleep)
    attempts = Attempts("`m`", limit=8, backoff=Backoff())

    async def fail():
        from playhead.llm._attempts import AttemptError

        raise AttemptError("no", retry=True)

    with pytest.raises(ModelUnavailableError):
        await attempts.complete(lambda: attempts.timed(fail))
    floors = [0.5, 1, 2, 4, 8, 16, 30]
    jitter = [wait - floor for wait, floor in zip(waits, floors, strict=True)]
    assert all(-1e-6 < extra < 1 + 1e-6 for extra in jitter)
    assert any(extra > 1e-6 for extra in jitter)


def test_retry_after() -> None:
    assert retry_after({}) is None
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "-7"}) == 0
    assert retry_after({"retry-after-ms": "1500", "retry-after": "7"}) == 1.5
    for odd in ("", "soon", "nan", "inf", "99999999999999999999"):
        assert retry_after({"retry-after": odd}) in (None, 1e20)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert 3000 < (retry_after({"retry-after": format_datetime(later, usegmt=True)}) or 0) <= 3600
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


async def test_a_slow_answer(server: FakeServer) -> None:
    model = OpenAIModel(
        "m", base_url=server.url, api_key=KEY, timeout=0.2, attempts=2, backoff=NO_WAIT
    )
    server.says(silence())
    with pytest.raises(ModelUnavailableError, match="no answer in time") as caught:
        await model.complete(ASK)
    assert len(caught.value.attempts) == 2
    with pytest.raises(ModelUnavailableError, match="no answer in time"):
        await model.complete(ASK, lambda delta: None)
    await model.aclose()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def test_a_trickling_answer_has_a_time_for_all_of_it(server: FakeServer) -> None:
    model = OpenAIModel("m", base_url=server.url, api_key=KEY, timeout=0.3, attempts=1)
    body = json.dumps(completion({"content": "late"})).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body) + 60}\r\n\r\n".encode()
    server.says(trickle(head, [b" "] * 60, 0.02, tail=body))
    with pytest.raises(ModelUnavailableError, match="no answer in time"):
        await model.complete(ASK)
    await model.aclose()


async def test_a_trickling_stream_has_a_time_between_bytes(server: FakeServer) -> None:
    model = OpenAIModel("m", base_url=server.url, api_key=KEY, timeout=1.5, attempts=1)
    data = [events(chunk({"content": str(n)})) for n in range(10)]
    end = events(chunk(finish_reason="stop"), "[DONE]")

    def slowly(exchange) -> None:
        trickle(HEAD, data, 0.2, tail=end)(exchange)
        exchange.socket.shutdown(socket.SHUT_RDWR)

    server.says(slowly)
    assert (await model.complete(ASK, lambda delta: None)).text == "0123456789"
    await model.aclose()


async def test_a_stream_that_falls_silent_is_cut(server: FakeServer) -> None:
    model = OpenAIModel("m", base_url=server.url, api_key=KEY, timeout=0.5, backoff=NO_WAIT)
    server.says(silence(HEAD + events(chunk({"content": "Hel"}))))
    with pytest.raises(CutCompletionError, match="no answer in time") as caught:
        await model.complete(ASK, lambda delta: None)
    assert caught.value.completion.text == "Hel"
    await model.aclose()


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    model = OpenAIModel("m", base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY, backoff=NO_WAIT)
    with pytest.raises(ModelUnavailableError, match="connection failed") as caught:
        await model.complete(ASK)
    assert len(caught.value.attempts) == 4
    await model.aclose()


@pytest.mark.parametrize("shown", [None, lambda delta: None])
@pytest.mark.parametrize(
    "broken",
    [
        cut_after(b""),
        cut_after(b"HTTP/1.1 200 OK\r\ncontent-le"),
        cut_after(
            b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\ncontent-type: application/json\r\n\r\n{"
        ),
        cut_after(b"HTTP/1.1 500 Oh\r\ncontent-length: 90\r\n\r\n{"),
        cut_after(b"SSH-2.0-OpenSSH_9.6\r\n"),
        cut_after(
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-encoding: gzip\r\n"
            b"content-type: application/json\r\n\r\nnope"
        ),
    ],
)
async def test_a_broken_connection_is_asked_again(ask, broken, shown) -> None:
    good = GOOD if shown is None else stream(chunk({"content": "Yes."}), "[DONE]")
    done = await ask(broken, good, on_delta=shown)
    assert done.text == "Yes."
    assert "connection failed" in done.attempts[0].error


async def test_compressed_answers_are_kept_as_text(ask) -> None:
    import gzip

    body = json.dumps(completion({"content": "Yes."})).encode()
    done = await ask(http(gzip.compress(body), content_encoding="gzip"))
    assert done.raw.encode() == body


@pytest.mark.parametrize("shown", [None, lambda delta: None])
@pytest.mark.parametrize("before", [b"", HEAD + events(chunk({"content": "x"}))])
async def test_cancelling_hangs_up(server: FakeServer, model, shown, before: bytes) -> None:
    server.says(silence(before))
    task = asyncio.create_task(model.complete(ASK, shown))
    assert await asyncio.to_thread(server.asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.hung_up.wait, 10)
    await model.aclose()


async def test_cancelling_while_waiting(server: FakeServer) -> None:
    backoff = Backoff(initial=1000, maximum=1000)
    model = OpenAIModel("m", base_url=server.url, api_key=KEY, backoff=backoff)
    server.says(error(500))
    waiting = asyncio.Event()
    stamina.instrumentation.set_on_retry_hooks([lambda told: waiting.set()])
    task = asyncio.create_task(model.complete(ASK))
    await asyncio.wait_for(waiting.wait(), 10)
    stamina.instrumentation.set_on_retry_hooks(None)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await model.aclose()


async def test_a_time_limit_from_outside(server: FakeServer, model: OpenAIModel) -> None:
    server.says(silence())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await model.complete(ASK)
    await model.aclose()


def test_event_loops_one_after_the_other(server: FakeServer, model: OpenAIModel) -> None:
    server.says(GOOD)

    async def twice() -> list[str]:
        return [(await model.complete(ASK)).text for _ in range(2)]

    for _ in range(3):
        assert asyncio.run(twice()) == ["Yes.", "Yes."]
    # One connection a loop, closed with the loop: what is left open is a warning, and so an error.
    assert [exchange.connection for exchange in server.seen] == [1, 1, 2, 2, 3, 3]


async def test_closed_and_used_again(server: FakeServer, model: OpenAIModel) -> None:
    server.says(GOOD)
    await model.aclose()
    for _ in range(2):
        await model.complete(ASK)
        await model.aclose()
        await model.aclose()
    assert [exchange.connection for exchange in server.seen] == [1, 2]


async def test_a_model_that_is_dropped_closes_its_connections(server: FakeServer) -> None:
    server.says(GOOD)
    model = OpenAIModel("m", base_url=server.url, api_key=KEY, backoff=NO_WAIT)
    model.itself = model  # type: ignore[attr-defined]  # only the collector of cycles finds it
    await model.complete(ASK)
    assert clients_of(server) == 1
    del model
    gc.collect()  # a connection that is collected open is a warning, and so an error
    for _ in range(1_000):
        gc.collect()
        if clients_of(server) == 0:
            break
        await asyncio.sleep(0.01)
    assert clients_of(server) == 0


def clients_of(server: FakeServer) -> int:
    found = [thing for thing in gc.get_objects() if isinstance(thing, openai.AsyncOpenAI)]
    return sum(str(client.base_url).startswith(server.url) for client in found)


async def test_many_calls_at_once(server: FakeServer, model: OpenAIModel) -> None:
    server.says(GOOD)
    done = await asyncio.gather(*[model.complete(ASK) for _ in range(20)])
    assert {completion.text for completion in done} == {"Yes."}
    await model.aclose()


async def test_a_client_of_your_own(server: FakeServer) -> None:
    async with openai.AsyncOpenAI(api_key=KEY, base_url=server.url, max_retries=5) as client:
        model = OpenAIModel("m", client=client, attempts=2, backoff=NO_WAIT)
        server.says(error(500, f"bad key {KEY}"), error(500), GOOD)
        with pytest.raises(ModelUnavailableError) as caught:
            await model.complete(ASK)
        assert KEY not in repr(caught.value.attempts)
        await model.aclose()
        assert not client.is_closed()
        assert (await model.complete(ASK)).text == "Yes."
        assert client.max_retries == 5
        await model.aclose()


@pytest.mark.parametrize("base_url", ["localhost:8000/v1", "", "ftp://x/v1", "http://[::1/v1"])
def test_a_url_that_is_none(base_url: str) -> None:
    with pytest.raises(ModelRequestError, match="http://"):
        OpenAIModel("m", base_url=base_url)


async def test_arguments_that_contradict_each_other() -> None:
    async with openai.AsyncOpenAI(api_key=KEY) as client:
        with pytest.raises(ModelRequestError, match="either"):
            OpenAIModel("m", client=client, api_key="k")
    with pytest.raises(ModelRequestError, match="at least 1"):
        OpenAIModel("m", attempts=0)
    with pytest.raises(ModelRequestError, match="AsyncOpenAI"):
        await OpenAIModel("m", client="client").complete(ASK)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [None, "", "  "])
async def test_no_key(server: FakeServer, key: str | None) -> None:
    model = OpenAIModel("m", base_url=server.url, api_key=key)
    with pytest.raises(ModelRequestError, match="OPENAI_API_KEY"):
        await model.complete(ASK)
    assert not server.seen


async def test_the_key_of_the_environment(server: FakeServer, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.says(GOOD)
    model = OpenAIModel("m")
    await model.complete(ASK)
    await model.aclose()
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", [f"{KEY}\nx: y", f"{KEY} {KEY}", f"{KEY}é"])
async def test_a_key_that_no_header_holds(server: FakeServer, key: str) -> None:
    model = OpenAIModel("m", base_url=server.url, api_key=key)
    with pytest.raises(ModelRequestError, match="the API key holds characters") as caught:
        await model.complete(ASK)
    assert KEY not in str(caught.value)
    assert not server.seen


@pytest.mark.parametrize("shown", [None, lambda delta: None])
@pytest.mark.parametrize(
    "reply",
    [
        error(401, f"Incorrect API key provided: {KEY}"),
        error(400, "echo", code=KEY, param=KEY),
        http(KEY.encode(), status=500),
        http(KEY.encode()),
        answer(completion({"content": f"your key is {KEY}"})),
        stream(chunk({"content": f"your key is {KEY}"})),
        stream(chunk({"content": f"your key is {KEY}"}), "[DONE]"),
        stream(json.dumps({"error": {"message": KEY}})),
        cut_after(f"{KEY}\r\n".encode()),
    ],
)
async def test_the_key_is_never_shown(server: FakeServer, model, reply, shown, caplog) -> None:
    server.says(reply)
    assert KEY not in repr(model)
    assert KEY not in repr(vars(model))
    context = None
    try:
        found = repr(await model.complete(ASK, shown))
    except ModelError as fault:
        found = "".join(traceback.format_exception(fault)) + repr(fault) + repr(fault.data)
        found += repr(pickle.dumps(fault))
        context = fault.__context__
    assert context is None
    assert KEY not in found
    assert KEY not in caplog.text
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    await model.aclose()


async def test_short_placeholders_are_no_secrets(server: FakeServer) -> None:
    server.says(answer(completion({"content": "ollama is running"})))
    model = OpenAIModel("m", base_url=server.url, api_key="ollama")
    assert (await model.complete(ASK)).text == "ollama is running"
    await model.aclose()


async def test_a_password_in_the_url_is_not_shown(server: FakeServer) -> None:
    url = server.url.replace("http://", "http://bob:pass@") + "?token=abc"
    model = OpenAIModel("m", base_url=url, api_key=KEY)
    server.says(error(400))
    with pytest.raises(ModelRequestError) as caught:
        await model.complete(ASK)
    assert "pass@" not in str(caught.value)
    assert "token" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    await model.aclose()


def test_the_sdk_is_imported_when_first_used() -> None:
    code = (
        "import sys, playhead.llm; from playhead.llm import OpenAIModel; OpenAIModel('m');"
        "assert not [m for m in sys.modules if m.partition('.')[0] in ('openai', 'httpx2')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(PlayheadError, match=r"playhead\[openai\]") as caught:
        await OpenAIModel("m", api_key=KEY).complete(ASK)
    assert caught.value.code == "missing_extra"
