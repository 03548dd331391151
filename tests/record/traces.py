"""Traces as OTLP JSON: strategies, and how tests make and compare them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from foreign_documents import names, texts, values
from hypothesis import strategies as st

from playhead.conventions import OPERATIONS, TABLE

TRACES = ["aa" * 16, "ab" * 16, "ac" * 16]
IN_JSON = {name for name in TABLE if name.form in ("json", "messages", "tools")}
KNOWN = sorted({each for name in TABLE for each in (str(name), *name.also)})


def any_value(value: Any) -> dict[str, Any]:
    """A JSON value as OTLP has it."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)} if abs(value) < 2**63 else {"stringValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"kvlistValue": {"values": attributes(value)}}


def attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": any_value(value)} for name, value in told.items()]


def span(
    number: int, told: dict[str, Any], *, trace: str = TRACES[0], parent: int = 0, **more: Any
) -> dict[str, Any]:
    """A span whose id and time follow from its number."""
    begin = more.pop("begin", number)
    made = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "name": "a span",
        "startTimeUnixNano": str(1_700_000_000_000_000_000 + begin * 1000),
        "endTimeUnixNano": str(1_700_000_000_000_000_000 + more.pop("end", begin + 1) * 1000),
        "attributes": attributes(told),
    }
    return {**made, **({"parentSpanId": f"{parent:016x}"} if parent else {}), **more}


def request(*spans: Any, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    around = {"resource": {"attributes": attributes(resource)}} if resource else {}
    return {"resourceSpans": [{**around, "scopeSpans": [{"spans": list(spans)}]}]}


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def wish(id: str, name: str, **arguments: Any) -> dict[str, Any]:
    part = {"type": "tool_call", "id": id, "name": name, "arguments": arguments}
    return {"role": "assistant", "parts": [part]}


def came(id: str, result: Any) -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": id, "response": result}
    return {"role": "tool", "parts": [part]}


def chat(prompt: list[Any], answer: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The attributes of a model call."""
    told: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps(prompt),
    }
    if answer is not None:
        told["gen_ai.output.messages"] = json.dumps([{**answer, "finish_reason": "stop"}])
    return {**told, **more}


def tool(name: str, call_id: str | None = None, **more: Any) -> dict[str, Any]:
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
    return {**told, **({"gen_ai.tool.call.id": call_id} if call_id else {}), **more}


def agent(name: str, **more: Any) -> dict[str, Any]:
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **more}


parts = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "content": texts}),
    st.fixed_dictionaries({"type": st.just("reasoning"), "content": texts | values}),
    st.fixed_dictionaries(
        {"type": st.just("tool_call"), "name": names, "arguments": values},
        optional={"id": names, "more": values},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_call_response"), "id": names}, optional={"response": values}
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["blob", "uri", "item"]), "data": values}),
    values,
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "odd"])},
        optional={"parts": st.lists(parts, max_size=3), "content": texts, "name": names},
    ),
    max_size=4,
)
known_values = st.one_of(
    values,
    texts,
    messages.map(json.dumps),
    messages,
    st.integers(0, 10**6),
    st.sampled_from(["chat", "a", "b", "Error"]),
)
told = st.dictionaries(
    st.one_of(
        st.sampled_from(KNOWN),
        st.sampled_from([f"llm.input_messages.{n}.message.{m}" for n in (0, 1)
                         for m in ("role", "content", "tool_call_id")]),
        texts,
    ),
    known_values,
    max_size=8,
)  # fmt: skip
kinds = st.sampled_from([None, None, *OPERATIONS])
events = st.lists(
    st.fixed_dictionaries(
        {"name": texts, "timeUnixNano": st.just("5")}, optional={"attributes": told.map(attributes)}
    ),
    max_size=2,
)
rest = st.fixed_dictionaries(
    {},
    optional={
        "events": events,
        "kind": st.integers(0, 5),
        "status": st.fixed_dictionaries({}, optional={"code": st.integers(0, 2), "message": texts}),
        "more": values,
    },
)


@st.composite
def spans(draw: st.DrawFn, number: int) -> dict[str, Any]:
    kind = draw(kinds)
    chosen = {"gen_ai.operation.name": kind} if kind else {}
    return span(
        number,
        {**draw(told), **chosen},
        trace=draw(st.sampled_from(TRACES)),
        parent=draw(st.integers(0, 8)),
        begin=draw(st.integers(0, 5)),
        **draw(rest),
    )


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some requests; no two spans have the same id."""
    numbers = iter(range(1, 100))
    made: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 3))):
        scopes = [
            {
                **draw(st.sampled_from([{}, {"scope": {"name": "x"}}, {"schemaUrl": "u"}])),
                "spans": [draw(spans(next(numbers))) for _ in range(draw(st.integers(0, 3)))],
            }
            for _ in range(draw(st.integers(0, 2)))
        ]
        around = {"resource": {"attributes": attributes(draw(told))}}
        resource = draw(st.sampled_from([{}, around]))
        made.append({"resourceSpans": [{**resource, "scopeSpans": scopes}]})
    return made


def parsed(name: str, value: Any) -> Any:
    """A value without its spelling."""
    if name not in IN_JSON or "stringValue" not in value:
        return value
    try:
        return any_value(json.loads(value["stringValue"]))
    except ValueError:
        return value


def spans_of(document: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each span of some requests with its ids, and with what stands around it."""
    for each in document:
        for resource in each.get("resourceSpans", ()):
            for scope in resource["scopeSpans"]:
                for one in scope["spans"]:
                    pairs = one.get("attributes", ())
                    said = {pair["key"]: parsed(pair["key"], pair["value"]) for pair in pairs}
                    whole = {
                        "span": {**one, "attributes": said},
                        "resource": {k: v for k, v in resource.items() if k != "scopeSpans"},
                        "scope": {k: v for k, v in scope.items() if k != "spans"},
                    }
                    yield one["traceId"] + one["spanId"], whole


def told_of(document: list[dict[str, Any]]) -> dict[str, Any]:
    """The spans of the traces that tell of something, by their ids."""
    found = dict(spans_of(document))
    names = [str(each) for each in ("gen_ai.operation.name", "openinference.span.kind")]
    telling = {
        id[:32]
        for id, whole in found.items()
        for name in names
        if whole["span"]["attributes"].get(name, {}).get("stringValue") in OPERATIONS
    }
    return {id: whole for id, whole in found.items() if id[:32] in telling}
