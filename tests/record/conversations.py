"""Conversations in the formats that keep messages: strategies, and how their files are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foreign_documents import arguments, calls, maybe, names, objects, record, texts, values
from hypothesis import strategies as st

text_items = record({"type": st.just("text"), "text": texts})
other_items = record({"type": st.sampled_from(["image_url", "text2", "tool_call", "item", "blob"])})
contents = st.one_of(st.none(), texts, st.lists(text_items | other_items, max_size=3))

chat_messages = st.one_of(
    record({"role": st.sampled_from(["user", "system", "developer"])}, {"content": contents}),
    record(
        {"role": st.just("assistant")},
        {
            "content": contents,
            "tool_calls": maybe(st.lists(calls, max_size=3)),
            "weight": st.sampled_from([0, 1, True]),
            "refusal": maybe(texts),
        },
    ),
    record(
        {
            "role": st.just("assistant"),
            "function_call": record({"name": names, "arguments": arguments}),
        },
        {"content": contents},
    ),
    record(
        {"role": st.sampled_from(["tool", "function"])},
        {"content": contents, "tool_call_id": maybe(names), "name": maybe(names)},
    ),
)
chats = st.lists(
    record({"messages": st.lists(chat_messages, max_size=5)}, {"tools": values}), max_size=3
)

anthropic_results = record(
    {"type": st.just("tool_result"), "tool_use_id": names},
    {"content": contents | values, "is_error": st.sampled_from([True, False, None])},
)
thinking = record({"type": st.just("thinking"), "thinking": texts}, {"signature": texts})
redacted = record({"type": st.just("redacted_thinking")}, {"data": texts})
tool_uses = record({"type": st.just("tool_use"), "id": names, "name": names}, {"input": values})
user_blocks = st.lists(text_items | other_items | anthropic_results, max_size=4)
assistant_blocks = st.lists(text_items | thinking | redacted | tool_uses, max_size=5)
anthropic_messages = st.one_of(
    record({"role": st.sampled_from(["user", "assistant", "system"])}, {"content": contents}),
    record({"role": st.just("user"), "content": user_blocks}),
    record({"role": st.just("assistant"), "content": assistant_blocks}),
)
anthropic = st.lists(
    record(
        {"messages": st.lists(anthropic_messages, max_size=5)},
        {"tools": values, "system": values, "model": values},
    ),
    max_size=3,
)

said_items = record(
    {"type": st.just("output_text"), "text": texts}, {"annotations": values, "logprobs": values}
)
responses_items = st.one_of(
    record(
        {"role": st.sampled_from(["user", "assistant", "system", "developer"])},
        {"content": contents | st.lists(said_items | other_items, max_size=2),
         "type": st.just("message"), "id": names, "status": texts},
    ),
    record(
        {"type": st.just("function_call"), "call_id": names, "name": names,
         "arguments": arguments},
        {"id": names, "status": texts},
    ),
    record({"type": st.just("function_call_output"), "call_id": names}, {"output": values}),
    record(
        {"type": st.just("reasoning")},
        {"summary": maybe(st.lists(
            record({"type": st.just("summary_text"), "text": texts}), max_size=2
        )), "encrypted_content": maybe(texts)},
    ),
    record({"type": st.sampled_from(["web_search_call", "mcp_call", "item"])}),
)  # fmt: skip


@st.composite
def atif_agent_steps(draw: st.DrawFn) -> dict[str, Any]:
    ids = draw(st.lists(names, max_size=3))
    call = record({"function_name": names, "arguments": objects}, {"extra": objects})
    step = draw(
        record(
            {"source": st.just("agent"), "step_id": st.integers(0, 9)},
            {"message": contents, "reasoning_content": maybe(texts), "metrics": values,
             "model_name": values, "timestamp": texts},
        )
    )  # fmt: skip
    if ids or draw(st.booleans()):
        step["tool_calls"] = [{"tool_call_id": id, **draw(call)} for id in ids]
    if draw(st.booleans()):
        result = record({}, {"source_call_id": st.sampled_from([None, *ids]), "content": values,
                             "subagent_trajectory_ref": values, "extra": objects})  # fmt: skip
        step["observation"] = draw(record({"results": st.lists(result, max_size=3)}))
    return step


atif_steps = st.one_of(
    atif_agent_steps(),
    record(
        {"source": st.sampled_from(["user", "system"]), "step_id": st.integers(0, 9)},
        {"message": contents, "observation": values},
    ),
)
atif_plain = record(
    {"schema_version": st.sampled_from(["ATIF-v1.7", "ATIF-v1.2"]),
     "agent": record({"name": names}, {"version": values}),
     "steps": st.lists(atif_steps, max_size=5)},
    {"extra": values, "final_metrics": values},
)  # fmt: skip
atif = st.lists(
    st.one_of(
        atif_plain,
        st.builds(
            lambda outer, inner: {**outer, "subagent_trajectories": inner},
            atif_plain, st.lists(atif_plain, max_size=2),
        ),
    ),
    max_size=3,
)  # fmt: skip

CONVERSATIONS: dict[str, st.SearchStrategy[Any]] = {
    "openai-chat": chats,
    "anthropic-messages": anthropic,
    "atif": atif,
}

_FIXTURES = Path(__file__).with_name("fixtures")
_GOLDEN = Path(__file__).parents[1] / "format" / "golden"
OWN: dict[str, st.SearchStrategy[str]] = {
    "playhead": st.sampled_from(sorted(f"{each}" for each in _GOLDEN.glob("*.tape.jsonl")))
}
DATABASES: dict[str, st.SearchStrategy[str]] = {
    "openai-agents": st.just("agents_sdk.sqlite"),
    "langgraph": st.just("langgraph.sqlite"),
}


def fixture(name: str) -> bytes:
    return (_FIXTURES / name).read_bytes()


def lines(document: list[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in document)


def of_lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]
