"""An invented world, a lending library, and experiences for it that were written by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import playhead as ph
from playhead.environment import Environment
from playhead.experience.document import Experience, experience_of
from playhead.experience.play import tool_digest
from playhead.llm import Completion
from playhead.tape import Json, Message, Tape, ToolCallPart, ToolResponsePart
from playhead.tape.kinds import ToolCall, ToolResult

NOW = "2030-01-31 12:00:00"
BOOKS = [
    {"id": 7, "title": "Emma", "free": True, "shelf": "B2"},
    {"id": 8, "title": "Ulysses", "free": True, "shelf": "C1"},
    {"id": 9, "title": "Persuasion", "free": False, "shelf": "B2"},
]
READERS = [
    {"id": 1, "name": "Ada", "mail": "ada@example.org", "blocked": False},
    {"id": 2, "name": "Ben", "mail": "ben@example.org", "blocked": False},
    {"id": 3, "name": "Cleo", "mail": "cleo@example.org", "blocked": True},
]
LOANS = [
    {"loan": 31, "book": 9, "reader": 1, "late": True},
    {"loan": 32, "book": 4, "reader": 1, "late": False},
    {"loan": 33, "book": 5, "reader": 1, "late": True},
]


class Lending:
    """The library. With a file, its effects survive the process."""

    def __init__(self, file: Path | None = None, *, contract: str = "external") -> None:
        self.file = file
        self.books = [dict(row) for row in BOOKS]
        self.readers = [dict(row) for row in READERS]
        self.loans = [dict(row) for row in LOANS]
        self.effects: list[dict[str, Any]] = []
        self.break_on: Callable[[str, dict[str, Any]], object] = lambda tool, arguments: None
        self.contract = contract

    def done(self, tool: str, **arguments: Any) -> None:
        said = self.break_on(tool, arguments)
        if isinstance(said, Exception):
            raise said
        self.effects.append({"tool": tool, **arguments})
        if self.file is not None:
            with self.file.open("a") as file:
                file.write(json.dumps(self.effects[-1]) + "\n")

    def tools(self) -> list[Any]:
        @ph.tool(effect="read", thread=False)
        def find_books(title: str) -> list[dict[str, Any]]:
            """Books by title."""
            return [row for row in self.books if row.get("title", title) == title]

        @ph.tool(effect="read", thread=False)
        def find_readers(name: str) -> list[dict[str, Any]]:
            """Readers by name."""
            return [row for row in self.readers if row["name"] == name]

        @ph.tool(effect="read", thread=False)
        def loans_of(reader: int) -> list[dict[str, Any]]:
            """Loans of a reader."""
            return [row for row in self.loans if row["reader"] == reader]

        @ph.tool(effect="write", thread=False)
        def lend(book: int, reader: int, days: int = 14) -> dict[str, Any]:
            """Lend a book to a reader."""
            self.done("lend", book=book, reader=reader, days=days)
            return {"loan": 40 + len(self.effects), "due": "2030-02-14"}

        @ph.tool(effect="write", thread=False)
        def end_loan(loan: int) -> str:
            """A book has come back."""
            self.done("end_loan", loan=loan)
            return "ended"

        @ph.tool(effect="irreversible", thread=False)
        def write_to(mail: str, text: str) -> str:
            """Send a letter."""
            self.done("write_to", mail=mail, text=text)
            return "sent"

        return [find_books, find_readers, loans_of, lend, end_loan, write_to]

    def environment(self) -> Environment:
        return ph.Toolbox(self.tools(), state_contract=self.contract)  # type: ignore[arg-type]


def _requirements() -> dict[str, Json]:
    tools = Lending().environment().tools()
    return {t.name: {"digest": tool_digest(t.schema), "effect": t.effect} for t in tools}


TOOLS = _requirements()


def param(name: str) -> Json:
    return {"param": name}


def of(state: str, field: str, **more: Json) -> Json:
    return {"result": state, "pick": "only", "at": [field], **more}


def document(
    name: str,
    states: dict[str, Any],
    *,
    tools: Sequence[str],
    parameters: dict[str, Any],
    start: str = "book",
    checks: Sequence[dict[str, Any]] = (),
    **more: Any,
) -> dict[str, Any]:
    return {
        "experience": 1,
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "parameters": parameters,
        "tools": {tool: TOOLS[tool] for tool in tools},
        "routine": {"start": start, "states": states},
        "checks": list(checks),
        **more,
    }


TEXT = {"schema": {"type": "string", "minLength": 2}, "sources": [{"given": True}]}
LEND_STATES: dict[str, Any] = {
    "book": {
        "call": {"tool": "find_books", "arguments": {"title": param("title")}},
        "next": [{"to": "reader"}],
    },
    "reader": {
        "call": {"tool": "find_readers", "arguments": {"name": param("reader")}},
        "next": [{"to": "lend"}],
    },
    "lend": {
        "call": {
            "tool": "lend",
            "arguments": {"book": of("book", "id"), "reader": of("reader", "id")},
        },
        "next": [{"to": "letter"}],
    },
    "letter": {
        "call": {
            "tool": "write_to",
            "arguments": {"mail": of("reader", "mail"), "text": {"const": "Your book waits."}},
        },
        "next": [{"to": "done"}],
    },
    "done": {"finish": {"text": {"const": "Lent."}}},
}
LEND_CHECKS: list[dict[str, Any]] = [
    {
        "id": "the-book-is-free",
        "kind": "precondition",
        "at": "lend",
        "check": {
            "cel": "calls.exists(c, c.tool == 'find_books' && size(c.result) == 1 "
            "&& c.result[0].free == true)"
        },
    },
    {
        "id": "the-right-book",
        "kind": "data",
        "at": "lend",
        "message": "The book has the title that was asked for",
        "check": {
            "cel": "calls.exists(c, c.tool == 'find_books' && c.result.exists(r, "
            "r.id == call.arguments.book && r.title == parameters.title))"
        },
    },
    {
        "id": "order",
        "kind": "flow",
        "at": "always",
        "check": {
            "cel": "[previous, next] in [['', 'find_books'], ['find_books', 'find_readers'], "
            "['find_readers', 'lend'], ['lend', 'write_to'], ['write_to', '']]"
        },
    },
    {
        "id": "few",
        "kind": "invariant",
        "at": "write",
        "check": {"cel": "writes < 2"},
    },
    {
        "id": "lent",
        "kind": "postcondition",
        "at": "end",
        "check": {"cel": "writes == 2 && calls.all(c, c.error == null)"},
    },
]
PROCEDURE = {
    "steps": ["Find the book.", "Find the reader.", "Lend it.", "Write to the reader."],
    "notes": ["A blocked reader gets nothing."],
    "failures": ["Once the letter went to the wrong reader."],
}


def lend_document(**changes: Any) -> dict[str, Any]:
    whole = {
        **document(
            "lend-a-book",
            LEND_STATES,
            tools=["find_books", "find_readers", "lend", "write_to"],
            parameters={"title": TEXT, "reader": TEXT},
            checks=LEND_CHECKS,
            procedure=PROCEDURE,
        ),
        **changes,
    }
    return copy.deepcopy(whole)


def lend_experience(**changes: Any) -> Experience:
    return experience_of(lend_document(**changes))


LEND = {"title": "Emma", "reader": "Ada"}
LENT = [
    {"tool": "lend", "book": 7, "reader": 1, "days": 14},
    {"tool": "write_to", "mail": "ada@example.org", "text": "Your book waits."},
]


# --- Reading tapes and prompts -------------------------------------------------------------------


def kinds(tape: Tape) -> list[str]:
    return [step.kind.removeprefix("playhead.") for step in tape]


def effects_on(tape: Tape) -> list[dict[str, Any]]:
    """The effects that a tape says were had: writes with a result."""
    asked = {
        step.id: step.body
        for step in tape
        if isinstance(step.body, ToolCall) and step.body.effect != "read"
    }
    return [
        {"tool": asked[step.re[0]].name, **asked[step.re[0]].arguments}  # type: ignore[dict-item]
        for step in tape
        if isinstance(step.body, ToolResult) and step.re and step.re[0] in asked
    ]


class Conversation:
    """A prompt as a rule model reads it: the task, the tools' answers, what is done."""

    def __init__(self, request: Any) -> None:
        self.messages: list[Message] = list(request.prompt)
        self.task = next(m.text for m in self.messages if m.role == "user")
        names = {
            part.id: part
            for m in self.messages
            for part in m.parts
            if isinstance(part, ToolCallPart)
        }
        self.answers: list[tuple[str, Any, Any]] = [
            (names[part.id].name, names[part.id].arguments, part.response)
            for m in self.messages
            for part in m.parts
            if isinstance(part, ToolResponsePart) and part.id in names
        ]

    def said(self, tool: str) -> Any:
        """The newest answer of a tool; None if it gave none."""
        return next((r for name, _, r in reversed(self.answers) if name == tool), None)

    def called(self, tool: str, **arguments: Any) -> bool:
        """Whether a tool was called so, and answered."""
        return any(
            name == tool and arguments.items() <= dict(given).items() and "Error" not in str(said)
            for name, given, said in self.answers
        )


Rule = Callable[[Conversation], Message | str]


def call(tool: str, **arguments: Any) -> Message:
    return ph.assistant([ToolCallPart(id=None, name=tool, arguments=arguments)])


def rule_agent(rule: Rule, name: str = "clerk", **more: Any) -> ph.Agent:
    """An agent whose model goes by rules, and by nothing but the conversation."""

    def say(request: Any) -> Completion | Message | str:
        return rule(Conversation(request))

    return ph.Agent(name, model=ph.ScriptedModel(say), instructions="You lend books.", **more)
