#!/usr/bin/env python3
"""Verify tape files (`.tape.jsonl`) with nothing but the standard library.

  $ python tools/verify_tape.py run.tape.jsonl
  run.tape.jsonl: ok
    tape     0194a1b2c3d47e5f8a9b0c1d2e3f4a5b
    head     0194a1b2c3d47e5f8a9b0c1d2e3f4a5b:12:9f86d081884c7d659a2feaa0c55ad015...
    entries  12, of these 0 erased

Keep heads elsewhere: given back with --head, they show whether the end of the tape was cut off or
all of it replaced, which no file can show by itself. Exit code: 0 no fault, 1 at least one, 2 a
file cannot be read.

An independent reading of docs/format.md, version 1 ("section" means a section of it), also for who
writes a reader in another language. Kept in memory: the line at hand, the ids of the entries, the
addresses of documents and blobs, and the first faults of each code.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import Any, BinaryIO

Members = dict[str, Any]  # of a JSON object
MAX_HEADER, MAX_BODY, MAX_NESTING = 16_384, 16_777_216, 128  # a document is held to MAX_BODY too
MAX_LINE = 256 * 2**20  # with its end
KEPT_FAULTS = 1_000  # of each code; those beyond are only counted

# Section 1. Quantifiers are possessive, so that no text makes a search slow.
STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.S)
# A text without half a surrogate pair; in `\\ud83d` there is no escape but `\\`.
PAIRED = re.compile(r"(?:[^\\]++|\\ud[89ab]..\\ud[c-f]|\\(?!ud[89a-f]).)*+", re.S | re.I)

# Headers, sections 2 and 6.
ID, HASH, DIGEST = "[0-9a-f]{32}", "[0-9a-f]{64}", "sha256:[0-9a-f]{64}"
_S, _N = r'"(?:[^"\\]++|\\.)*+"', "(?:0|[1-9][0-9]*)"  # any string, any integer from 0
_BY = "|".join([
    rf'("call":"{ID}",("config":"{DIGEST}",)?|"config":"{DIGEST}",)"name":{_S},"node":{_S},'
    rf'("span":\[{_N},{_N}\],)?"type":"agent"',
    rf'"name":{_S},"type":"(tool|importer)"',
    rf'("name":{_S},)?"type":"person"',
    rf'"name":{_S},"type":"player","version":({_S}|{_N})',
    '"type":"system"',
])  # fmt: skip
FORMS = {  # of the JSON text of each member, the members of objects sorted by name
    "v": "1",
    "tape": f'"{ID}"',
    "seq": _N,
    "id": f'"{ID}"',
    "prev": f'"{HASH}"',
    "time": r'"[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{6}Z"',
    "kind": r'"(?=.{3,128}"\Z)[a-z][a-z0-9_]*+(\.[a-z][a-z0-9_]*+)+"',
    "kv": "[1-9][0-9]*",
    "role": '"(thought|action|observation|note)"',
    "origin": '"(native|captured|imported)"',
    "frame": _N,
    "re": rf'\[("{ID}"(,"{ID}")*+)?\]',
    "by": rf"\{{({_BY})\}}",
    "body_digest": f'"{HASH}"',
}
_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=lambda _: {})
TAPE = "playhead.tape"
_NAMES = {
    "thought": "broadcast delegate finish hand_off next_node output plan reflection return",
    "action": "assistant_message stop tool_call",
    "observation": "output_error parse_error tool_error tool_result user_message",
    "note": "check comment connection context decision decision_request effects erasure evaluation "
    "label left_out mcp_message model_call node_run pause play reveal run score snapshot source "
    "tape trial_end trial_start",
}
ROLES = {f"playhead.{name}": role for role in _NAMES for name in _NAMES[role].split()}

# What an entry refers to: documents by name, blobs by parts; sections 2, 6 and 7.
NAMES = [
    "header by config",
    "body config",
    "body document",
    "body prompt tools",
    "body environment tools",
]
PARTS = ["body parts *", "body message parts *", "body raw", "body prompt items * m parts *"]

# Lines and heads, sections 3 and 10.
_PAIR = rf"\s*+{_S}\s*+:\s*+(?:{_S}|null|-?[0-9]{{1,18}})\s*+"
FLAT = re.compile(rf"\s*+\{{{_PAIR}(?:,{_PAIR}){{,4}}+\}}\s*+", re.S | re.A)
SHAPES: dict[str, dict[str, Any]] = {
    "first_line": {"playhead": str, "v": int, "tape": str, "length": int, "head": str},
    "entry": {"header": str, "salt": str | None, "body": str | None},
    "document": {"document": str, "content": str},
    "blob": {"blob": str, "content": str},
}
HEAD = f"({ID}):([1-9][0-9]{{,17}}):({HASH})"


@dataclass(frozen=True)
class Fault:
    """What was found wrong: a code of section 11, the line from 1, the position that was due."""

    code: str
    line: int
    seq: int
    message: str


@dataclass
class Report:
    """What a verification found; `counts` has the number of faults of each code."""

    tape: str | None = None
    head: str | None = None
    entries: int = 0
    erased: int = 0
    absent_documents: list[str] = field(default_factory=list)
    absent_blobs: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True where no fault was found."""
        return not self.counts


def show(value: object) -> str:
    """A short printable form of a value that may be hostile."""
    return f"{value!a:.120}"


def _object(pairs: list[tuple[str, object]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        name, times = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the member {show(name)} stands {times} times in one object")
    return members


_JSON = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=lambda digits: int(digits) if len(digits) <= 18 else digits.encode(),  # `int` is slow
    parse_constant=int,  # which raises the ValueError: it is NaN or Infinity
)


def parse(text: str) -> object:
    """Parse a JSON text as section 1 demands; raise `ValueError` where it is broken.

    The parser is recursive: the brackets outside strings are counted before.
    """
    if text.count("{") + text.count("[") > MAX_NESTING:
        brackets = re.findall(r"[\[\]{}]", STRING.sub("", text))
        if max(accumulate(1 if b in "[{" else -1 for b in brackets), default=0) > MAX_NESTING:
            raise ValueError(f"more than {MAX_NESTING} levels of nesting")
    value: object = _JSON.decode(text)
    if "\\u" in text and not PAIRED.fullmatch(text):
        raise ValueError("an escape is half of a surrogate pair")
    return value


def well_formed(name: str, value: object) -> bool:
    """Whether a member of a header has its form."""
    text = _SORTED.encode(value)
    if not re.fullmatch(FORMS[name], text):
        return False
    return name != "time" or 1 <= int(text[9:11]) <= monthrange(int(text[1:5]), int(text[6:8]))[1]


def is_text(pattern: str, value: object) -> bool:
    """Whether a value is a string that the whole of a pattern matches."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def find(value: object, path: str) -> list[Any]:
    """The values at the end of a path of names; `*` stands for each element of an array."""
    found = [value]
    for name in path.split():
        if name == "*":
            found = [part for old in found if isinstance(old, list) for part in old]
        else:
            found = [old[name] for old in found if isinstance(old, dict) and name in old]
    return found


def references(entry: Members) -> Iterator[str]:
    """The digests of documents, and the addresses of blobs among parts: sections 2, 6, 7."""
    names = [name for path in NAMES for name in find(entry, path)]
    for part in (part for path in PARTS for part in find(entry, path)):
        names += find(part, "address") if find(part, "type") == ["blob"] else []
    return (name for name in names if is_text(f"{DIGEST}|{HASH}", name))


def read_line(raw: bytes) -> tuple[str, Members]:
    """Tell the shape and the members of a line; raise `ValueError` if it has none of the shapes.

    All shapes are flat objects of strings, nulls and small integers: nothing else is parsed.
    """
    text = raw.decode()
    members = parse(text) if FLAT.fullmatch(text) else None
    if isinstance(members, dict):
        for name, shape in SHAPES.items():
            right = members.keys() == shape.keys()
            if right and all(isinstance(members[key], shape[key]) for key in shape):
                return name, members
    raise ValueError(f"no line of section 10, or cut off: {show(text[:120])}")


class _Verifier:
    """What is known between two lines. The methods stand in the order of a file."""

    def __init__(self, heads: Sequence[str]) -> None:
        for head in heads:
            if not is_text(HEAD, head):
                raise ValueError(f"{show(head)} is no head: write it as TAPE:N:LINK")
        self.heads = {head: int(head.split(":")[1]) for head in heads}
        self.reached: dict[int, str] = {}  # the heads of this file, at the lengths of `heads`
        self.report = Report()
        self.line = self.seq = 0  # the line at hand, the position that is due
        self.first: Members = {}
        self.link = "0" * 64
        self.key = ""  # for blobs
        self.ids: set[object] = set()
        self.tapes: set[object] = set()
        self.wanted: set[str] = set()  # documents and blobs
        self.present: set[object] = set()

    def fault(self, code: str, message: str) -> None:
        self.report.counts[code] = count = self.report.counts.get(code, 0) + 1
        if count <= KEPT_FAULTS:
            self.report.faults.append(Fault(code, self.line, self.seq, message))

    def expect(self, code: str, what: str, found: object, due: object) -> None:
        if type(found) is not type(due) or found != due:
            self.fault(code, f"{what} is {show(found)} where {show(due)} is due")

    def feed(self, raw: bytes) -> None:
        self.line += 1
        if len(raw) > MAX_LINE:
            self.fault("json", f"the line has more than {MAX_LINE:,} bytes")
            return
        try:
            shape, members = read_line(raw)
        except ValueError as error:
            self.fault("json", str(error))
        else:
            getattr(self, shape)(members)

    def first_line(self, members: Members) -> None:
        self.expect("json", "the number of the line with `playhead`", self.line, 1)
        self.first = self.first or members

    def entry(self, members: Members) -> None:
        header = self.header(members["header"])
        seq, kind, role = header.get("seq", self.seq), header.get("kind"), header.get("role")
        self.expect("sequence", "`seq`", seq, self.seq)
        self.expect("chain", "`prev`", header.get("prev", self.link), self.link)
        if role and kind in ROLES:
            self.expect("role", f"the role of `{kind}`", role, ROLES[kind])
        self.identity(header)
        body = self.body(header, members["salt"], members["body"])
        self.lineage(header, body)
        self.wanted.update(references({"header": header, "body": kind in ROLES and body}))
        self.link = hashlib.sha256(b"\0" + members["header"].encode()).hexdigest()
        self.report.tape = header.get("tape")
        self.report.entries += 1
        self.report.head = f"{self.report.tape}:{self.report.entries}:{self.link}"
        if self.report.entries in self.heads.values():
            self.reached[self.report.entries] = self.report.head
        self.seq = seq + 1  # a gap is told once, not again at each entry behind it

    def parsed(self, what: str, text: str, limit: int) -> Members | None:
        """Parse a header, a body or a document; give it if it is an object."""
        size, value = len(text.encode()), None
        if size > limit:
            self.fault("header", f"the {what} has {size} bytes, more than {limit}")
            return None
        try:
            value = parse(text)
        except ValueError as error:
            self.fault("json", f"{what}: {error}")
        else:
            if what != "document" and not isinstance(value, dict):
                self.fault(what, f"the {what} is {show(value)}, not an object")
        return value if isinstance(value, dict) else None

    def header(self, text: str) -> Members:
        """Check a header by itself; give those of its members that have the right form."""
        header = self.parsed("header", text, MAX_HEADER)
        good: Members = {}
        if header is None:
            return good
        for name in sorted(header.keys() | FORMS.keys()):
            if name not in header:
                self.fault("header", f"`{name}` is missing")
            elif name not in FORMS:
                self.fault("header", f"{show(name)} is no member of a header")
            elif not well_formed(name, header[name]):
                self.fault("header", f"`{name}` has the wrong form: {show(header[name])}")
            else:
                good[name] = header[name]
        return good

    def identity(self, header: Members) -> None:
        own = header.get("id")
        for answered in header.get("re", []):
            if answered not in self.ids:
                self.fault("reference", f"`re` names {answered}, which is no entry before this one")
        if own in self.ids:
            self.fault("identity", f"the id {own} stands on an entry before")
        self.ids.update([own] if own else [])

    def body(self, header: Members, salt: str | None, text: str | None) -> Members | None:
        """Check salt and body together; give the body."""
        if salt is None and text is None:
            self.report.erased += 1
            if header.get("kind") == TAPE:
                self.fault("lineage", f"a `{TAPE}` entry is erased")
        elif salt is None or text is None or not is_text(ID, salt):  # 16 bytes, like an id
            self.fault("body", f"the salt is {show(salt)}, beside the body {show(text)}")
        else:
            digest = hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()
            self.expect("body", "`body_digest`", header.get("body_digest", digest), digest)
        return None if text is None else self.parsed("body", text, MAX_BODY)

    def lineage(self, header: Members, body: Members | None) -> None:
        kind, tape, before = header.get("kind"), header.get("tape"), self.report.tape
        if self.report.entries == 0:
            self.expect("lineage", "the kind of the first entry", kind, TAPE)
        elif tape and kind and before and (kind == TAPE) == (tape == before):
            self.fault("lineage", f"{kind} is written to {tape}, the entry before to {before}")
        if kind == TAPE and tape in self.tapes:
            self.fault("lineage", f"the tape {tape} begins a second time")
        self.tapes.add(tape)
        if kind == TAPE and body is not None:
            self.tape_body(header, body)

    def tape_body(self, header: Members, body: Members) -> None:
        """Check the body of an entry that begins a tape: section 5."""
        key, parent = body.get("blob_key", ""), body.get("parent")
        self.expect("lineage", "`format`", body.get("format"), 1)
        if is_text(HASH, key):
            self.key = self.key or key
        self.expect("lineage", "`blob_key`", key, self.key or "64 lower-case hexadecimal digits")
        if self.report.entries == 0:
            return self.expect("lineage", "`parent` of the first entry", parent, None)
        parent = parent if isinstance(parent, dict) else {}
        at, forked = header.get("seq", self.seq), parent.get("tape")
        if not is_text(ID, forked) or forked == header.get("tape"):
            self.fault("lineage", f"`parent.tape` is {show(forked)}, not the id of another tape")
        self.expect("lineage", "`parent.at`", parent.get("at"), at)
        return self.expect("lineage", "`parent.head`", parent.get("head"), self.link)

    def document(self, members: Members) -> None:
        name, content = members["document"], members["content"]
        digest = hashlib.sha256(content.encode()).hexdigest()
        self.expect("document", "a document", name, f"sha256:{digest}")
        self.present.add(name)
        self.parsed("document", content, MAX_BODY)

    def blob(self, members: Members) -> None:
        name, text = members["blob"], members["content"]
        self.present.add(name)
        try:
            content = base64.b64decode(text, validate=True)
        except ValueError as error:
            return self.fault("blob", f"the content of {show(name)} is no base64: {error}")
        self.expect("blob", "the base64", text, base64.b64encode(content).decode())
        if not self.key:
            return self.fault("blob", f"no `blob_key` stands before {show(name)}")
        address = hmac.digest(bytes.fromhex(self.key), content, "sha256").hex()
        return self.expect("blob", "a blob", name, address)

    def finish(self) -> Report:
        """Check what only the end of the file can show."""
        report = self.report
        if report.entries == 0:
            self.fault("lineage", "there is no entry")
        if not self.first:
            self.fault("json", "there is no line with `playhead`, `v`, `tape`, `length`, `head`")
        due = {"playhead": ("json", "tape"), "v": ("json", 1), "length": ("length", report.entries)}
        due |= {"tape": ("head", report.tape or ""), "head": ("head", self.link)}
        for name, found in self.first.items():
            self.expect(due[name][0], f"`{name}` of line 1", found, due[name][1])
        for head, length in self.heads.items():
            self.expect("head", "the head of that length", self.reached.get(length), head)
        absent = sorted(self.wanted - self.present)
        report.absent_documents = [name for name in absent if ":" in name]
        report.absent_blobs = [name for name in absent if ":" not in name]
        return report


def verify(lines: Iterable[bytes], heads: Sequence[str] = ()) -> Report:
    """Verify one tape file.

    Args:
        lines: its lines, with or without their ends; a file opened in binary will do.
        heads: heads kept elsewhere, as `TAPE:N:LINK`; each of them must hold.

    Raises:
        ValueError: one of `heads` is not written as a head.
    """
    verifier = _Verifier(heads)
    for line in lines:
        verifier.feed(line)
    return verifier.finish()


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Give the lines of a file; of one that is too long, no more than shows that it is."""
    while line := stream.readline(MAX_LINE + 1):
        yield line
        too_long = len(line) > MAX_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = stream.readline(2**20)


def text_of(report: Report) -> str:
    """What people are told of a report."""
    counts = ", ".join(f"{count} {code}" for code, count in report.counts.items())
    lines = [f"FAULTY: {counts}" if counts else "ok"]
    lines += [f"tape     {report.tape}", f"head     {report.head}"]
    lines += [f"entries  {report.entries}, of these {report.erased} erased"]
    lines += [f"absent   {name}" for name in report.absent_documents + report.absent_blobs]
    lines += [f"FAULT    {f.code}: line {f.line}, seq {f.seq}: {f.message}" for f in report.faults]
    return "\n  ".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument(
        "--head", action="append", default=[], help="TAPE:N:LINK, to hold in each FILE"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object for each file")
    parser.add_argument("--quiet", action="store_true", help="say nothing of files without faults")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .tape.jsonl file, or -")
    options, code = parser.parse_args(arguments), 0
    for name in options.files:
        try:
            with open(0 if name == "-" else name, "rb", buffering=2**20) as stream:
                report = verify(lines_of(stream), options.head)
        except OSError as error:
            print(f"{show(name)} cannot be read: {error.strerror}", file=sys.stderr)
            code = 2
            continue
        except ValueError as error:
            parser.error(str(error))
        code = max(code, 0 if report.ok else 1)
        if options.quiet and report.ok:
            continue
        as_json = {"file": name, "ok": report.ok, **asdict(report)}
        print(json.dumps(as_json) if options.json else f"{name}: {text_of(report)}")
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
