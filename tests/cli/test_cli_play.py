"""The commands `check` and `play`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import Run

LIBRARY = '''
from pathlib import Path

import playhead as ph


@ph.tool(effect="read")
def find_books(title: str) -> list[dict[str, object]]:
    """Books by title."""
    return [{"id": 7, "title": "Emma", "free": True}] if title == "Emma" else []


@ph.tool(effect="write")
def lend(book: int, reader: str) -> str:
    """Lend a book."""
    with Path("lent.txt").open("a") as file:
        file.write(f"{book} {reader}\\n")
    return "lent"


environment = ph.Toolbox([find_books, lend])


def rule(request):
    return "No such book: I told the reader."


clerk = ph.Agent("clerk", model=ph.ScriptedModel(rule))
'''
EXPERIENCE = """
experience: 1
name: lend-a-book
title: Lend a book
parameters:
  title: {schema: {type: string}, sources: [{given: true}]}
  reader: {schema: {type: string}, sources: [{given: true}]}
tools:
  find_books: {effect: read}
  lend: {effect: write}
procedure: {steps: [Find the book., Lend it.]}
routine:
  start: look
  states:
    look:
      call: {tool: find_books, arguments: {title: {param: title}}}
      next: [{to: lend}]
    lend:
      call:
        tool: lend
        arguments: {book: {result: look, pick: only, at: [id]}, reader: {param: reader}}
      next: [{to: done}]
    done: {finish: {text: {const: Lent.}}}
checks:
  - id: free
    kind: precondition
    at: write
    check: {cel: "calls.exists(c, c.tool == 'find_books' && c.result.all(r, r.free == true))"}
    message: The book is free
    supports: [t1, t2]
"""
PLAY = ("play", "lend.yaml", "-p", "title=Emma", "-p", "reader=Ada", "-e", "library.py:environment")


@pytest.fixture
def library(place: Path) -> Path:
    (place / "library.py").write_text(LIBRARY)
    (place / "lend.yaml").write_text(EXPERIENCE)
    return place


def document(result: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def lent(library: Path) -> list[str]:
    file = library / "lent.txt"
    return file.read_text().splitlines() if file.exists() else []


def test_an_experience_is_played(cli: Run, library: Path) -> None:
    result = cli(*PLAY)
    assert result.exit_code == 0, result.output
    assert "Lent." in result.stdout
    assert "done  by routine  1 write  0 model calls" in result.stdout
    assert lent(library) == ["7 Ada"]
    assert "lend-a-book" in cli("show", "last", "--all").stdout
    assert cli("replay", "last").exit_code == 0


def test_a_play_as_json(cli: Run, library: Path) -> None:
    said = document(cli(*PLAY, "--json"))
    assert said["experience"] == "lend-a-book"
    assert (said["outcome"], said["level"], said["writes"]) == ("done", "routine", 1)
    assert said["handed_over"] == []


def test_a_dry_run_writes_nothing(cli: Run, library: Path) -> None:
    result = cli(*PLAY, "--dry-run")
    assert result.exit_code == 0
    assert "would write: lend(book=7, reader='Ada')" in result.stdout.replace('"', "'")
    assert lent(library) == []
    said = document(cli(*PLAY, "--dry-run", "--json"))
    assert said["would"]["writes"][0]["arguments"] == {"book": 7, "reader": "Ada"}


def test_a_play_that_is_handed_over_goes_on_with_a_level(cli: Run, library: Path) -> None:
    result = cli(*PLAY[:2], "-p", "title=Dune", "-p", "reader=Ada", *PLAY[-2:])
    assert result.exit_code == 3
    assert "routine handed over: `lend` needs something" in result.stderr
    assert "go on with: playhead play" in result.stderr
    more = ("--level", "routine", "--level", "library.py:clerk")
    result = cli("play", "lend.yaml", "--tape", "last", *more, "-e", "library.py:environment")
    assert result.exit_code == 0, result.output
    assert "I told the reader." in result.stdout
    assert "by clerk" in result.stdout
    assert lent(library) == []
    assert cli("replay", "last", "--agent", "library.py:clerk").exit_code == 0
    result = cli("replay", "last")
    assert result.exit_code == 1
    assert "clerk" in result.stdout


def test_a_person_is_given_the_checklist(cli: Run, library: Path) -> None:
    more = ("--level", "routine", "--level", "person")
    result = cli(*PLAY[:2], "-p", "title=Dune", "-p", "reader=Ada", *PLAY[-2:], *more)
    assert result.exit_code == 3
    assert "- [ ] Find the book." in result.stdout


def test_limits_are_read_from_a_file(cli: Run, library: Path) -> None:
    (library / "limits.json").write_text('{"effects": ["read"]}')
    result = cli(*PLAY, "--limits", "limits.json")
    assert result.exit_code == 1
    assert "its limits do not grant that" in result.stderr
    (library / "limits.json").write_text("no JSON")
    assert cli(*PLAY, "--limits", "limits.json").exit_code == 2


def test_irreversible_writes_can_wait_for_a_word(cli: Run, library: Path) -> None:
    result = cli(*PLAY, "--approve", "write")
    assert result.exit_code == 3
    assert lent(library) == []
    said = document(cli("pending", "last", "--json"))
    seq = said["pending"][0]["seq"]
    decided = ("--tape", "last", "--decide", f"{seq}=approve", "--approve", "write")
    result = cli("play", "lend.yaml", *decided, "-e", "library.py:environment")
    assert result.exit_code == 0, result.output
    assert lent(library) == ["7 Ada"]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("play", "none.yaml"), 2, "is no file"),
        (("play", "lend.yaml"), 1, "say what to play"),
        (("play", "lend.yaml", "-p", "title"), 2, "write NAME=VALUE"),
        (("play", "lend.yaml", "-p", "title=Emma"), 1, "missing: `reader`"),
        (("play", "lend.yaml", "-p", "colour=red"), 1, "no parameter `colour`"),
        ((*PLAY, "--level", "nobody.py:x"), 2, "nobody.py"),
        ((*PLAY, "--now", "soon"), 1, "`now` is a time"),
        (("play", "lend.yaml", "--tape", "last"), 2, "tapes"),
        (("check", "none.yaml"), 2, "is no file"),
        (("check", "library.py"), 1, "experience_file"),
        (("check", "lend.yaml", "--over", "--all"), 2, "no tape fits"),
    ],
)
def test_what_cannot_be_done_is_told(
    words: tuple[str, ...], code: int, why: str, cli: Run, library: Path
) -> None:
    result = cli(*words)
    assert result.exit_code == code, result.output
    assert why in result.stderr


def test_the_checks_of_an_experience_are_listed(cli: Run, library: Path) -> None:
    result = cli("check", "lend.yaml")
    assert result.exit_code == 0
    assert "free" in result.stdout
    assert "+2 -0" in result.stdout
    assert "1 check: all compile" in result.stderr
    assert document(cli("check", "lend.yaml", "--json"))["checks"][0]["id"] == "free"


def test_a_check_that_cannot_be_compiled_is_told(cli: Run, library: Path) -> None:
    bad = EXPERIENCE.replace('"calls.exists', '"nothing && calls.exists')
    (library / "bad.yaml").write_text(bad)
    result = cli("check", "bad.yaml")
    assert result.exit_code == 1
    assert "the check `free` cannot be used" in result.stderr


def test_checks_are_asked_about_recorded_tapes(cli: Run, library: Path) -> None:
    cli(*PLAY)
    result = cli("check", "lend.yaml", "--over")
    assert result.exit_code == 0, result.output
    assert "1 hold, 0 do not" in result.stdout
    strict = EXPERIENCE.replace("r.free == true", "r.title == 'Dune'")
    (library / "strict.yaml").write_text(strict)
    result = cli("check", "strict.yaml", "--over", "last")
    assert result.exit_code == 1
    assert "before call 2: The book is free" in result.stdout
    said = document(cli("check", "strict.yaml", "--over", "last", "--json"))
    assert list(said["tapes"][0]["failed"]) == ["free"]
