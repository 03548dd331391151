"""Trajectories of τ-bench: an array of sessions, each with messages as OpenAI's API has them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

from playhead.errors import JsonError
from playhead.record._differences import applied, difference
from playhead.record._file import ForeignFile
from playhead.record._foreign import ForeignTape
from playhead.record._format import Format
from playhead.record._losses import Losses
from playhead.record._objects import fill, objects_of, read_objects
from playhead.record._shape import (
    JsonObject,
    as_list,
    as_object,
    as_text,
    as_text_or_none,
)
from playhead.record._stored import StoredTape
from playhead.record._writing import json_array
from playhead.tape import (
    Body,
    By,
    Draft,
    Json,
    Part,
    loads_strict,
    parts_text,
    text_parts,
    unchecked,
)
from playhead.tape.kinds import (
    AssistantMessage,
    Reflection,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

_AGENT = "agent"


class Taubench(Format):
    """Files that τ-bench writes its results to.

    A message becomes a step: the user's, the agent's, a tool call, a tool result. What the agent
    says beside a tool call is a reflection, because nobody hears it. A system message is kept in
    the note of the whole tape, as are task, reward and trial.
    """

    name = "taubench"
    title = "τ-bench trajectories"
    extensions = (".json",)

    def detect(self, head: bytes, path: Path) -> bool:
        """See `Format.detect`: an array whose first element begins as a result does."""
        return head.lstrip()[:1] == b"[" and b'"traj"' in head and b'"task_id"' in head

    def read(self, file: ForeignFile) -> Iterator[ForeignTape]:
        """See `Format.read`."""
        return read_objects(file, _tape, what="session")

    def write(self, tapes: AsyncIterator[StoredTape], losses: Losses) -> AsyncIterator[bytes]:
        """See `Format.write`."""
        return json_array(objects_of(tapes, losses, _session))


def _tape(session: JsonObject, key: str, place: str) -> ForeignTape:
    tape = ForeignTape(Taubench.name, key, place=place)
    return fill(tape, session, _Conversation(tape).steps, member="traj", what="session")


class _Conversation:
    """Turns messages into steps, and knows which calls are waited for."""

    def __init__(self, tape: ForeignTape) -> None:
        self._tape = tape
        self._agent = tape.agent(_AGENT)
        self._calls: dict[str | None, Draft] = {}

    def steps(self, message: JsonObject, where: str) -> list[Draft]:
        """The steps of a message, and the note of what is left; none if it has no place."""
        role = as_text(message.get("role"), f"{where}.role")
        content = as_text_or_none(message.get("content"), f"{where}.content")
        match role:
            case "user":
                body = unchecked(UserMessage, parts=text_parts(content or ""))
                made = [Draft(body, by=self._tape.importer)]
            case "assistant":
                made = self._said(message, content, where)
            case "tool":
                made = [self._result(message, content, where)]
            case _:
                return []
        left = difference(message, _message([each.body for each in made], parts_text, _result_of))
        if left is None and len(made) == 1:
            return made
        note = {**(left or {}), **({"steps": len(made)} if len(made) > 1 else {})}
        return [made[0], self._tape.source(note, made[0]), *made[1:]]

    def _said(self, message: JsonObject, content: str | None, where: str) -> list[Draft]:
        calls = message.get("tool_calls")
        if not calls:
            said = unchecked(AssistantMessage, parts=text_parts(content or ""))
            return [Draft(said, by=self._agent)]
        made = [
            self._call(as_object(call, f"{where}.tool_calls.{at}"), f"{where}.tool_calls.{at}")
            for at, call in enumerate(as_list(calls, f"{where}.tool_calls"))
        ]
        self._calls |= {draft.body.call_id: draft for draft in made}  # type: ignore[attr-defined]
        if content is None:
            return made
        return [Draft(unchecked(Reflection, text=content), by=self._agent), *made]

    def _call(self, call: JsonObject, where: str) -> Draft:
        function = as_object(call.get("function"), f"{where}.function")
        text = as_text(function.get("arguments"), f"{where}.function.arguments")
        try:
            arguments = loads_strict(text)
        except JsonError:
            arguments = text
        body = unchecked(
            ToolCall,
            call_id=as_text(call.get("id"), f"{where}.id"),
            name=as_text(function.get("name"), f"{where}.function.name"),
            arguments=arguments,
        )
        return Draft(body, by=self._agent)

    def _result(self, message: JsonObject, content: str | None, where: str) -> Draft:
        call_id = as_text_or_none(message.get("tool_call_id"), f"{where}.tool_call_id")
        name = as_text_or_none(message.get("name"), f"{where}.name")
        asked = self._calls.get(call_id)
        if name is None:
            name = asked.body.name if asked is not None else ""  # type: ignore[attr-defined]
        body = unchecked(ToolResult, call_id=call_id, name=name, result=content)
        answers = (asked.id,) if asked is not None else ()
        return Draft(body, by=By("tool", name), re=answers)


def _result_of(body: ToolResult) -> Json:
    return body.result


def _message(
    bodies: Sequence[Body],
    text: Callable[[tuple[Part, ...]], str],
    result: Callable[[ToolResult], Json],
) -> JsonObject:
    """The message that steps are made of, as τ-bench writes it mostly."""
    first = bodies[0]
    if isinstance(first, UserMessage):
        return {"role": "user", "content": text(first.parts)}
    if isinstance(first, AssistantMessage):
        return {"role": "assistant", "content": text(first.parts)}
    if isinstance(first, ToolResult):
        said: JsonObject = {"role": "tool", "tool_call_id": first.call_id, "name": first.name}
        return {**said, "content": result(first)}
    if isinstance(first, ToolError):
        said = {"role": "tool", "tool_call_id": first.call_id, "name": first.name}
        return {**said, "content": f"Error: {first.message}"}
    content = first.text if isinstance(first, Reflection) else None
    calls: list[Json] = [_call_of(body) for body in bodies if isinstance(body, ToolCall)]
    made: JsonObject = {"role": "assistant", "content": content}
    return {**made, "tool_calls": calls} if calls else made


def _call_of(body: ToolCall) -> JsonObject:
    arguments = body.arguments
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function: JsonObject = {"arguments": text, "name": body.name}
    return {"id": body.call_id, "function": function, "type": "function"}


def _session(tape: StoredTape, losses: Losses) -> JsonObject:
    """The session that a tape tells."""
    members = tape.members if isinstance(tape.members, dict) else {}
    rest, unplaced = members.get("session"), members.get("messages")
    messages: list[Json] = []
    waiting: list[Body] = []
    kept: JsonObject = {}
    for step, note in tape.steps():
        if step.kind not in _SAYING or not step.known or step.erased:
            losses.drop(f"step `{step.kind}`")
            continue
        if not waiting:
            kept = note if isinstance(note, dict) else {}
        waiting.append(step.body)
        if len(waiting) == kept.get("steps", 1):
            messages.append(applied(_message(waiting, tape.text, tape.result), kept))
            waiting = []
    if isinstance(unplaced, dict):
        for at in sorted(unplaced, key=int):
            messages.insert(int(at), unplaced[at])
    return {**(rest if isinstance(rest, dict) else {}), "traj": messages}


_SAYING = {
    kind.kind
    for kind in (UserMessage, AssistantMessage, Reflection, ToolCall, ToolResult, ToolError)
}
