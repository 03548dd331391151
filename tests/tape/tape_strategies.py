"""Hypothesis strategies for JSON, parts, messages and the bodies of all built-in kinds."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from playhead.tape import (
    BlobPart,
    Body,
    Message,
    OtherPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
)
from playhead.tape import annotations as a
from playhead.tape import kinds as k

LAW = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "NaN", "-Infinity", "\x00\x1f\x7f", '"\\/', "é€𝄞\u2028", "\\ud83d"]),
)
names = st.text(alphabet="abcxyz_é", min_size=1, max_size=8)
ids = st.uuids().map(lambda value: value.hex)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
digests = hashes.map(lambda value: f"sha256:{value}")
positions = st.integers(0, 10**6)
counts = st.integers(0, 2**70)
times = st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='microseconds')}Z")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**300), 2**300),
    st.sampled_from([2**53, 2**64, -(2**64), 10**3999, 1e16, 1e-7, -0.0, 5e-324, 1.7e308]),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
json_objects = st.dictionaries(st.text(max_size=5), json_values, max_size=3)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_KNOWN_TYPES = {"text", "reasoning", "tool_call", "tool_call_response", "blob"}
text_part = st.builds(TextPart, content=texts, escaped=st.sampled_from([None, True]))
blob_part = st.builds(BlobPart, media_type=texts, size=counts, address=hashes, preview=texts)
other_part = st.builds(
    lambda members, name: OtherPart({**members, "type": name}),
    json_objects,
    texts.filter(lambda name: name not in _KNOWN_TYPES),
)
part = st.one_of(
    text_part,
    st.builds(ReasoningPart, content=texts),
    st.builds(ToolCallPart, id=maybe(texts), name=names, arguments=json_values),
    st.builds(ToolResponsePart, id=texts, response=json_values),
    blob_part,
    other_part,
)
parts = st.lists(part, max_size=3).map(tuple)
messages = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    parts=parts,
    name=maybe(names),
)

ranges = st.tuples(positions, positions)
prompts = st.builds(
    k.PromptRecord,
    items=st.lists(
        st.one_of(
            st.builds(k.RangeOfHistory, h=ranges),
            st.builds(k.RangeOfLiterals, l=ranges),
            st.builds(k.Literally, m=messages),
        ),
        max_size=3,
    ).map(tuple),
    keep=st.lists(st.tuples(counts, counts, counts), max_size=2).map(tuple),
    tools=maybe(digests),
    settings=json_objects,
)
seconds = st.floats(0, 1e9)
usages = st.builds(
    k.Usage,
    input_tokens=counts,
    output_tokens=counts,
    cached_tokens=counts,
    reasoning_tokens=counts,
    cache_creation_tokens=maybe(counts),
)
prices = st.builds(k.Price, usd=seconds, as_of=texts, source=texts)
attempts = st.builds(
    k.Attempt,
    started=times,
    seconds=seconds,
    error=maybe(texts),
    model=maybe(names),
    usage=maybe(usages),
    price=maybe(prices),
)
sources = st.builds(k.CachedFrom, key=digests, tape=maybe(ids), call=maybe(ids), time=maybe(times))
effects = st.sampled_from(["read", "idempotent", "write", "irreversible"])
call_ids = maybe(texts)

targets = st.builds(a.Target, tape=ids, head=hashes, at=maybe(positions))
annotations: dict[type[Body], st.SearchStrategy[Any]] = {
    a.Evaluation: st.builds(
        a.Evaluation,
        suite=texts,
        document=digests,
        tasks=counts,
        candidates=st.lists(
            st.builds(a.Candidate, name=names, config=maybe(digests)), max_size=2
        ).map(tuple),
        trials=counts,
        seed=counts,
        settings=json_objects,
    ),
    a.TrialStart: st.builds(a.TrialStart, candidate=names, task=texts, number=counts, tape=ids),
    a.TrialEnd: st.builds(
        a.TrialEnd,
        status=st.sampled_from(["completed", "error"]),
        target=maybe(targets),
        error=maybe(texts),
        steps=counts,
        model_calls=counts,
        tool_calls=counts,
        input_tokens=counts,
        cached_tokens=counts,
        output_tokens=counts,
        usd=maybe(seconds),
        seconds=seconds,
    ),
    a.Score: st.builds(
        a.Score,
        target=maybe(targets),
        name=names,
        value=maybe(st.floats(0, 1)),
        passed=maybe(st.booleans()),
        version=maybe(digests),
        comment=maybe(texts),
        detail=json_values,
        error=maybe(texts),
        evidence=maybe(ids),
    ),
    a.Label: st.builds(
        a.Label,
        target=targets,
        name=names,
        value=texts,
        version=maybe(digests),
        comment=maybe(texts),
        evidence=maybe(ids),
    ),
    a.Comment: st.builds(a.Comment, target=targets, text=texts),
}
bodies_of: dict[type[Body], st.SearchStrategy[Any]] = {
    **annotations,
    k.TapeHeader: st.builds(
        k.TapeHeader,
        format=st.just(1),
        blob_key=hashes,
        parent=maybe(st.builds(k.Parent, tape=ids, at=positions, head=hashes)),
    ),
    k.UserMessage: st.builds(k.UserMessage, parts=parts),
    k.AssistantMessage: st.builds(k.AssistantMessage, parts=parts),
    k.ToolCall: st.builds(
        k.ToolCall, call_id=call_ids, name=names, arguments=json_values, effect=maybe(effects)
    ),
    k.ToolResult: st.builds(
        k.ToolResult,
        call_id=call_ids,
        name=names,
        result=json_values,
        parts=parts,
        arguments=json_values,
    ),
    k.ToolError: st.builds(
        k.ToolError,
        call_id=call_ids,
        name=names,
        code=st.sampled_from(k.ToolErrorCode.__args__),
        message=texts,
        arguments=json_values,
    ),
    k.ParseError: st.builds(k.ParseError, message=texts, call_id=call_ids),
    k.Plan: st.builds(k.Plan, items=st.lists(texts, max_size=3).map(tuple)),
    k.Reflection: st.builds(k.Reflection, text=texts),
    k.NextNode: st.builds(k.NextNode, node=names),
    k.Delegate: st.builds(k.Delegate, agent=names, parts=parts, call_id=call_ids),
    k.Return: st.builds(k.Return, agent=names, parts=parts, call_id=call_ids),
    k.Broadcast: st.builds(k.Broadcast, agent=names, parts=parts),
    k.Stop: st.builds(k.Stop, reason=texts, result=json_values),
    k.Run: st.builds(
        k.Run,
        mode=st.sampled_from(["run", "resume", "fork"]),
        agent=names,
        config=digests,
        environment=maybe(json_objects),
    ),
    k.ModelCall: st.builds(
        k.ModelCall,
        model=names,
        provider=names,
        prompt=prompts,
        status=st.sampled_from(["complete", "incomplete", "failed"]),
        message=maybe(messages),
        finish_reason=maybe(texts),
        usage=maybe(usages),
        attempts=st.lists(attempts, max_size=2).map(tuple),
        seconds=seconds,
        price=maybe(prices),
        raw=maybe(text_part | blob_part),
        error=maybe(texts),
        token_ids=maybe(st.lists(counts, max_size=3)),
        logprobs=json_values,
        cached=maybe(sources),
    ),
    k.NodeRun: st.builds(k.NodeRun, node=names),
    k.Context: st.builds(k.Context, now=st.lists(times, max_size=2).map(tuple), seed=maybe(hashes)),
    k.Pause: st.builds(
        k.Pause,
        reason=st.sampled_from(["budget", "cancelled", "decision", "error"]),
        message=texts,
        not_started=st.lists(ids, max_size=2).map(tuple),
    ),
    k.DecisionRequest: st.builds(
        k.DecisionRequest,
        action=ids,
        why=st.sampled_from(["approval", "unknown_outcome"]),
        arguments_digest=digests,
    ),
    k.Decision: st.builds(
        k.Decision,
        action=ids,
        decision=st.sampled_from(k.DecisionName.__args__),
        message=maybe(texts),
        arguments=json_values,
        result=json_values,
    ),
    k.Effects: st.builds(
        k.Effects,
        after=positions,
        effects=st.lists(
            st.builds(k.PastEffect, id=ids, name=names, arguments=json_values), max_size=2
        ).map(tuple),
        policy=st.sampled_from(["reuse", "redo", "simulate"]),
    ),
    k.Snapshot: st.builds(k.Snapshot, state=json_values),
    k.Source: st.builds(k.Source, format=names, members=json_values, parts=parts),
    k.Reveal: st.builds(
        k.Reveal,
        to=st.sampled_from(["model", "tool", "environment", "person"]),
        name=names,
        tokens=st.lists(texts, max_size=2).map(tuple),
        why=texts,
    ),
    k.Connection: st.builds(
        k.Connection,
        event=st.sampled_from(["begun", "listed", "ended"]),
        environment=json_values,
        message=maybe(texts),
    ),
    k.McpMessage: st.builds(
        k.McpMessage,
        sender=st.sampled_from(["client", "server"]),
        message=json_values,
        at=st.lists(texts, max_size=2).map(tuple),
        base64=st.lists(texts, max_size=2).map(tuple),
        parts=parts,
        fault=maybe(texts),
    ),
    k.Play: st.builds(
        k.Play,
        experience=names,
        version=st.integers(1, 9),
        digest=digests,
        level=names,
        parameters=st.dictionaries(names, json_values, max_size=2),
        now=maybe(texts),
        tools=st.dictionaries(names, json_values, max_size=2),
        limits=json_values,
        dry=st.booleans(),
    ),
    k.Checked: st.builds(
        k.Checked,
        at=st.sampled_from(["call", "write", "end"]),
        state=maybe(names),
        tool=maybe(names),
        passed=st.lists(names, max_size=2).map(tuple),
        failed=st.lists(st.builds(k.FailedCheck, id=names, why=texts), max_size=2).map(tuple),
        judged=st.lists(names, max_size=2).map(tuple),
    ),
    k.Erasure: st.builds(k.Erasure, seqs=st.lists(positions, max_size=3).map(tuple), reason=texts),
}
bodies: st.SearchStrategy[Any] = st.one_of(*bodies_of.values())
"""Any body of any built-in kind."""
later_bodies: st.SearchStrategy[Any] = st.one_of(
    *(strategy for kind, strategy in bodies_of.items() if kind is not k.TapeHeader)
)
"""Any body that may stand after the first entry."""
