"""A tiny writer of tapes, made from `docs/format.md` and from nothing of Playhead.

Ids, salts and times are counted from a seed, so that the same calls write the same bytes. Every
header member, salt and body can be overridden: that is how the tests write tapes that are wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

ZEROS = "0" * 64
ROLES = {
    "playhead.tape": "note",
    "playhead.user_message": "observation",
    "playhead.assistant_message": "action",
    "playhead.tool_call": "action",
    "playhead.tool_result": "observation",
    "playhead.tool_error": "observation",
    "playhead.parse_error": "observation",
    "playhead.finish": "thought",
    "playhead.hand_off": "thought",
    "playhead.output": "thought",
    "playhead.output_error": "observation",
    "playhead.left_out": "note",
    "playhead.plan": "thought",
    "playhead.reflection": "thought",
    "playhead.next_node": "thought",
    "playhead.delegate": "thought",
    "playhead.return": "thought",
    "playhead.broadcast": "thought",
    "playhead.stop": "action",
    "playhead.run": "note",
    "playhead.model_call": "note",
    "playhead.node_run": "note",
    "playhead.context": "note",
    "playhead.pause": "note",
    "playhead.decision_request": "note",
    "playhead.decision": "note",
    "playhead.effects": "note",
    "playhead.snapshot": "note",
    "playhead.reveal": "note",
    "playhead.play": "note",
    "playhead.check": "note",
    "playhead.erasure": "note",
    "playhead.source": "note",
    "playhead.connection": "note",
    "playhead.mcp_message": "note",
    "playhead.evaluation": "note",
    "playhead.trial_start": "note",
    "playhead.trial_end": "note",
    "playhead.score": "note",
    "playhead.label": "note",
    "playhead.comment": "note",
}


def dump(value: object) -> str:
    """JSON without white space, with the characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def canonical(value: object) -> str:
    """RFC 8785, for values with names in ASCII and without fractions."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def text_part(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


@dataclass(frozen=True)
class Entry:
    """Header, salt and body as they are stored; salt and body are None where erased."""

    header: str
    salt: str | None
    body: str | None

    @property
    def members(self) -> dict[str, Any]:
        return json.loads(self.header)

    @property
    def link(self) -> str:
        return sha256(b"\0" + self.header.encode())

    def line(self) -> str:
        return dump({"header": self.header, "salt": self.salt, "body": self.body})


@dataclass
class MiniTape:
    """A tape in memory, from its `playhead.tape` entry on."""

    seed: str
    shared: Sequence[Entry] = ()
    parent: Mapping[str, Any] | None = None
    blob_key: str = ""
    entries: list[Entry] = field(init=False)
    extra: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.id = self._id("tape")
        self.blob_key = self.blob_key or sha256(f"{self.seed} key".encode())
        self.entries = list(self.shared)
        self.add(
            "playhead.tape",
            {"format": 1, "blob_key": self.blob_key, "parent": self.parent},
            by={"type": "system"},
        )

    def _id(self, what: object) -> str:
        digits = sha256(f"{self.seed} {what}".encode())
        return f"0194a1b2c3d47{digits[:3]}8{digits[3:18]}"

    @property
    def head(self) -> str:
        return self.entries[-1].link

    def head_text(self, length: int | None = None) -> str:
        length = len(self.entries) if length is None else length
        last = self.entries[length - 1]
        return f"{last.members['tape']}:{length}:{last.link}"

    def make(self, kind: str, body: object, /, **overrides: Any) -> Entry:
        """The next entry, not yet added; `overrides` are header members, `salt` and `text`."""
        seq = len(self.entries)
        salt = overrides.pop("salt", sha256(f"{self.seed} salt {seq}".encode())[:32])
        text = overrides.pop("text", dump(body))
        header = {
            "v": 1,
            "tape": self.id,
            "seq": seq,
            "id": self._id(seq),
            "prev": self.entries[-1].link if self.entries else ZEROS,
            "time": f"2026-01-02T03:{seq // 60 % 60:02}:{seq % 60:02}.000000Z",
            "kind": kind,
            "kv": 1,
            "role": ROLES.get(kind, "note"),
            "origin": "native",
            "frame": 0,
            "re": [],
            "by": {"type": "tool", "name": "minitape"},
            "body_digest": sha256(bytes.fromhex(salt) + text.encode()),
        }
        return Entry(dump(header | overrides), salt, text)

    def add(self, kind: str, body: object, /, **overrides: Any) -> str:
        """Write an entry; return its id."""
        entry = self.make(kind, body, **overrides)
        self.entries.append(entry)
        return entry.members["id"]

    def fork(self, at: int, seed: str, /, **parent: Any) -> MiniTape:
        """A tape that shares the first `at` entries; `parent` overrides what it says of them."""
        last = self.entries[at - 1]
        says = {"tape": self.id, "at": at, "head": last.link} | parent
        return MiniTape(seed, self.entries[:at], says, self.blob_key)

    def erase(self, seq: int, *, record: bool = True) -> None:
        self.entries[seq] = replace(self.entries[seq], salt=None, body=None)
        if record:
            body = {"seqs": [seq], "reason": "asked for"}
            self.add("playhead.erasure", body, by={"type": "system"})

    def document(self, value: object) -> str:
        """Keep a document in the file; return its digest."""
        content = canonical(value)
        digest = f"sha256:{sha256(content.encode())}"
        self.extra.append(dump({"document": digest, "content": content}))
        return digest

    def blob(self, content: bytes, media_type: str = "text/plain") -> dict[str, Any]:
        """Keep a blob in the file; return the part that stands for it."""
        address = hmac.new(bytes.fromhex(self.blob_key), content, "sha256").hexdigest()
        encoded = base64.b64encode(content).decode()
        self.extra.append(dump({"blob": address, "content": encoded}))
        part = {"type": "blob", "media_type": media_type, "size": len(content)}
        return part | {"address": address, "preview": ""}

    def first_line(self, **overrides: Any) -> str:
        line = {"playhead": "tape", "v": 1, "tape": self.entries[-1].members["tape"]}
        line |= {"length": len(self.entries), "head": self.head}
        return dump(line | overrides)

    def lines(self) -> list[bytes]:
        """The lines of the file, each with its end."""
        texts = [self.first_line(), *(entry.line() for entry in self.entries), *self.extra]
        return [f"{text}\n".encode() for text in texts]

    def file(self) -> bytes:
        return b"".join(self.lines())


def agent(tape: MiniTape, **more: Any) -> dict[str, Any]:
    config = tape.document({"agent": "clerk", "settings": {"temperature": 0}})
    return {"type": "agent", "name": "clerk", "node": "think", "config": config} | more


def every_kind(seed: str = "every kind") -> MiniTape:
    """A tape with each kind of the table, an unknown kind and a newer version of a known one."""
    tape = MiniTape(seed)
    system = {"type": "system"}
    clerk = agent(tape)
    tools = tape.document([{"name": "search", "parameters": {"type": "object"}}])
    picture = tape.blob(bytes(range(256)), "image/png")
    tape.add(
        "playhead.run",
        {"mode": "run", "agent": "clerk", "config": clerk["config"], "environment": None},
        by=system,
    )
    asked = tape.add(
        "playhead.user_message",
        {"parts": [text_part("Prüfe das 🎞"), picture]},
        by={"type": "person", "name": "Ada"},
    )
    tape.add("playhead.context", {"now": ["2026-01-02T03:04:05.000006Z"], "seed": "00ff"}, by=clerk)
    message = {
        "role": "assistant",
        "parts": [
            text_part("I search."),
            {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "a"}},
        ],
    }
    call = tape.add(
        "playhead.model_call",
        {
            "model": "m",
            "provider": "p",
            "status": "complete",
            "message": message,
            "prompt": {
                "items": [
                    {"m": {"role": "system", "parts": [text_part("Be brief.")]}},
                    {"h": [0, 3]},
                ],
                "keep": [],
                "tools": tools,
                "settings": {},
            },
            "finish_reason": "stop",
            "usage": None,
            "attempts": [],
            "seconds": 0.25,
            "price": None,
            "raw": tape.blob(b'{"answer":1}', "application/json"),
            "error": None,
        },
        by=clerk,
    )
    said = {"type": "agent", "name": "clerk", "node": "think", "call": call, "span": [0, 9]}
    tape.add("playhead.reflection", {"text": "so far, so good"}, by=said)
    tape.add("playhead.plan", {"items": ["search", "answer"]}, by=said, re=[asked])
    acted = tape.add(
        "playhead.tool_call",
        {"call_id": "c1", "name": "search", "effect": "read", "arguments": {"q": "a"}},
        by=said,
    )
    tape.add(
        "playhead.decision_request",
        {"action": acted, "why": "approval", "arguments_digest": clerk["config"]},
        by=system,
    )
    tape.add("playhead.decision", {"action": acted, "decision": "approve"}, by={"type": "person"})
    answer = {"call_id": "c1", "name": "search"}
    tape.add(
        "playhead.tool_result", answer | {"result": [1, 2.5, None], "parts": [picture]}, re=[acted]
    )
    tape.add("playhead.tool_error", answer | {"code": "timeout", "message": "10 s"}, re=[acted])
    tape.add("playhead.parse_error", {"message": "no JSON"}, re=[acted, asked], by=clerk)
    opened = tape.add(
        "playhead.delegate",
        {"agent": "aide", "parts": [text_part("help")], "call_id": None},
        by=said,
    )
    frame = len(tape.entries) - 1
    tape.add("playhead.next_node", {"node": "think"}, by=clerk, frame=frame)
    tape.add("playhead.broadcast", {"agent": "aide", "parts": []}, by=clerk, frame=frame)
    tape.add(
        "playhead.return",
        {"agent": "aide", "parts": [text_part("done")], "call_id": None},
        by=clerk,
        re=[opened],
    )
    tape.add("playhead.node_run", {"node": "think"}, by=clerk)
    tape.add("playhead.pause", {"reason": "budget", "message": "1 USD"}, by=system)
    tape.add(
        "playhead.effects",
        {
            "after": 3,
            "policy": "reuse",
            "effects": [{"id": acted, "name": "search", "arguments": {"q": "a"}}],
        },
        by=system,
    )
    tape.add("playhead.snapshot", {"state": {"n": 10**40}}, by=system)
    tape.add("example.weather.report", {"sky": "clear"}, origin="captured", role="observation")
    tape.add(
        "playhead.reflection",
        {"words": ["new shape"]},
        kv=7,
        origin="imported",
        by={"type": "importer", "name": "logs"},
    )
    tape.add("playhead.future_kind", {"x": 1}, by={"type": "player", "name": "e", "version": "2"})
    tape.add("playhead.assistant_message", {"parts": [text_part("Done.")]}, by=said)
    tape.add("playhead.stop", {"reason": "finished"}, by=clerk)
    given = {"to": "tool", "name": "t", "tokens": ["⟦email:bcdfghjkmnpqrstvbcdf⟧"], "why": "x"}
    tape.add("playhead.reveal", given, by=system)
    tape.add("playhead.erasure", {"seqs": [], "reason": "none"}, by=system)
    return tape


def simple(seed: str = "simple") -> MiniTape:
    """A question, a tool call, its result and an answer."""
    tape = MiniTape(seed)
    clerk = agent(tape)
    asked = tape.add(
        "playhead.user_message",
        {"parts": [text_part("Wie spät ist es? ⏰")]},
        by={"type": "person"},
    )
    body = {"call_id": None, "name": "clock", "arguments": {}, "effect": "read"}
    acted = tape.add("playhead.tool_call", body, by=clerk, re=[asked])
    tape.add(
        "playhead.tool_result", {"call_id": None, "name": "clock", "result": "12:30"}, re=[acted]
    )
    tape.add("playhead.assistant_message", {"parts": [text_part("It is 12:30.")]}, by=clerk)
    tape.add("playhead.stop", {"reason": "finished"}, by=clerk)
    return tape


def annotations() -> MiniTape:
    """An evaluation of one trial, and what people said of it."""
    tape = MiniTape("annotations")
    other, version = MiniTape("other"), "sha256:" + "5" * 64
    tool, person = {"type": "tool", "name": "right"}, {"type": "person", "name": "Ada"}
    target = {"tape": other.id, "head": ZEROS}
    tape.add(
        "playhead.evaluation",
        {
            "suite": "sums",
            "document": version,
            "tasks": 1,
            "candidates": [{"name": "clerk", "config": version}, {"name": "each"}],
            "trials": 1,
            "seed": 0,
            "settings": {},
        },
        by={"type": "system"},
    )
    which = {"candidate": "clerk", "task": "t1", "number": 0, "tape": other.id}
    began = tape.add("playhead.trial_start", which, by={"type": "system"})
    sums = ("steps", "model_calls", "tool_calls", "input_tokens", "cached_tokens", "output_tokens")
    end = {"status": "completed", "target": target, "seconds": 0.5, **dict.fromkeys(sums, 1)}
    tape.add("playhead.trial_end", end, by={"type": "system"}, re=[began])
    score = {"target": target, "name": "right", "value": 1, "passed": True, "version": version}
    tape.add("playhead.score", score, by=tool, re=[began])
    label = {"target": target | {"at": 3}, "name": "tone", "value": "kind"}
    tape.add("playhead.label", label, by=person)
    tape.add("playhead.comment", {"target": target, "text": "Well done. 👍"}, by=person)
    return tape


def imported() -> MiniTape:
    """A session that was read from a foreign document, and what of it has no other place."""
    tape = MiniTape("imported")
    importer, made = {"type": "importer", "name": "notes"}, {"origin": "imported"}
    whole = {"format": "notes", "members": {"id": "n-1", "rating": None}}
    tape.add("playhead.source", whole, by=importer, **made)
    said = tape.add("playhead.user_message", {"parts": [text_part("Time?")]}, by=importer, **made)
    one = {"format": "notes", "members": {"at": "12:30", "at_home": True}}
    tape.add("playhead.source", one, by=importer, re=[said], **made)
    large = {"format": "notes", "parts": [tape.blob(b'{"photo":[1,2,3]}')]}
    tape.add("playhead.source", large, by=importer, re=[said], **made)
    return tape


def captured() -> MiniTape:
    """What a proxy saw between a client and a server of the Model Context Protocol."""
    tape, made = MiniTape("captured"), {"origin": "captured"}
    tools = tape.document({"tools": [{"name": "draw", "inputSchema": {"type": "object"}}]})
    begun = {"event": "begun", "environment": {"server": {"transport": "stdio"}}}
    tape.add("playhead.connection", begun, **made)
    listed = {"event": "listed", "environment": {"tools": tools, "schemas": {"draw": tools}}}
    tape.add("playhead.connection", listed, **made)
    asks = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "draw"}}
    asked = tape.add("playhead.mcp_message", {"sender": "client", "message": asks}, **made)
    person = {"type": "person", "name": "Ana"}
    call = {"call_id": None, "name": "draw", "arguments": {}, "effect": None}
    drawn = tape.add("playhead.tool_call", call, by=person, re=[asked], **made)
    content = [{"type": "image", "mimeType": "image/png", "data": None}]
    picture = tape.blob(b"\x89PNG", "image/png")
    says = {"jsonrpc": "2.0", "id": 1, "result": {"content": content}}
    place = "/result/content/0/data"
    body = {"sender": "server", "message": says, "at": [place], "base64": [place]}
    tape.add("playhead.mcp_message", {**body, "parts": [picture]}, re=[asked], **made)
    image = [{"image": {"media_type": "image/png", "size": 4}}]
    result = {"call_id": drawn, "name": "draw", "result": image, "parts": [picture]}
    tool = {"type": "tool", "name": "draw"}
    tape.add("playhead.tool_result", result, by=tool, re=[drawn], **made)
    fault = {"sender": "server", "fault": "not JSON", "parts": [text_part("oops")]}
    tape.add("playhead.mcp_message", fault, **made)
    tape.add("playhead.connection", {"event": "ended", "message": "the server ended"}, **made)
    return tape


def played() -> MiniTape:
    """An experience that was played up to a check that did not hold."""
    tape = MiniTape("played")
    clerk, config = agent(tape), "sha256:" + "6" * 64
    player = {"type": "player", "name": "lend-a-book", "version": "2"}
    tools = {"lend": {"digest": config, "effect": "write"}, "find": None}
    begun = {"experience": "lend-a-book", "version": 2, "digest": config, "level": "routine"}
    more = {"parameters": {"title": "Émile"}, "now": "2030-01-31 12:00:00", "tools": tools}
    limits = {"tools": ["find", "lend"], "effects": ["read", "write"]}
    tape.add("playhead.play", {**begun, **more, "limits": limits, "dry": False})
    tape.add("playhead.user_message", {"parts": [text_part("Lend Émile")]}, by={"type": "person"})
    tape.add("playhead.node_run", {"node": "play"}, by=clerk)
    said = {"at": "call", "state": "look", "tool": "find", "passed": ["known"]}
    tape.add("playhead.check", {**said, "failed": [], "judged": []}, by=player)
    call = {"call_id": None, "name": "find", "arguments": {"title": "Émile"}, "effect": "read"}
    found = tape.add("playhead.tool_call", call, by=player)
    result = {"call_id": found, "name": "find", "result": [{"id": 7}]}
    tape.add("playhead.tool_result", result, by={"type": "tool", "name": "find"}, re=[found])
    tape.add("playhead.node_run", {"node": "play"}, by=clerk)
    failed = [{"id": "polite", "why": "it is not"}]
    said = {"at": "write", "passed": [], "failed": failed, "judged": ["polite"]}
    tape.add("playhead.check", said, by=player)
    pause = {"reason": "handed_over", "message": "`polite` does not hold"}
    tape.add("playhead.pause", pause, by=player)
    return tape


def team() -> MiniTape:
    """A team: a choice, an answer that does not fit, a prompt cut to its budget, hand-over, end."""
    tape = MiniTape("team")
    clerk = agent(tape)
    tape.add("playhead.user_message", {"parts": [text_part("Où ?")]}, by={"type": "person"})
    left_out = {"budget": 900, "tokens": 880, "policy": ["oldest"], "dropped": [[0, 2]]}
    tape.add("playhead.left_out", left_out | {"shortened": [3]}, by=clerk)
    faults = [{"field": "city", "message": "missing"}]
    wrong = {"name": "place", "message": "your answer does not fit", "faults": faults}
    tape.add("playhead.output_error", wrong, by=clerk)
    tape.add("playhead.output", {"name": "place", "value": {"city": "Montréal"}}, by=clerk)
    to = {"agent": "guide", "parts": [text_part("Yours.")], "call_id": "call-1"}
    tape.add("playhead.hand_off", to, by=clerk)
    done = {"agent": "guide", "parts": [text_part("À Montréal.")], "call_id": None}
    tape.add("playhead.finish", done, by=clerk)
    return tape


def forked(seed: str = "fork") -> MiniTape:
    """A fork of a fork."""
    first = simple(f"{seed} 0").fork(4, f"{seed} 1")
    first.add("playhead.reflection", {"text": "the other way"})
    second = first.fork(6, f"{seed} 2")
    second.add("playhead.stop", {"reason": "enough"})
    return second


def erased(seed: str = "erased") -> MiniTape:
    """A tape of which two bodies are gone, one of them the last but one."""
    tape = simple(seed)
    tape.erase(1)
    tape.erase(4)
    return tape


def blobs(seed: str = "blobs") -> MiniTape:
    """Two blobs that are there and one that is not, and a document that is not."""
    tape = simple(seed)
    parts = [tape.blob(b""), tape.blob(bytes(range(256)) * 2), tape.blob(b"erased")]
    del tape.extra[-1]
    tape.add("playhead.user_message", {"parts": parts})
    lost = f"sha256:{ZEROS}"
    tape.add(
        "playhead.run", {"mode": "resume", "agent": "clerk", "config": lost, "environment": {}}
    )
    return tape


def unknown_kind(seed: str = "unknown kind") -> MiniTape:
    """Kinds and versions that no reader knows."""
    tape = simple(seed)
    tape.add("example.weather.report", {"sky": "clear"}, role="observation")
    tape.add("playhead.future_kind", {"x": [1, {"y": None}]}, role="thought")
    tape.add("playhead.plan", {"steps": 3}, kv=2)
    return tape


VALID = {
    "simple": simple,
    "fork": forked,
    "erased": erased,
    "blobs": blobs,
    "unknown_kind": unknown_kind,
    "annotations": annotations,
    "imported": imported,
    "captured": captured,
    "played": played,
    "team": team,
}
