"""`library`: keep, find, judge and share experiences."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import Run

import playhead as ph
from playhead.experience.document import experience_of, experience_yaml
from playhead.experience.library import Baseline, Cost, Library, Play
from playhead.store import SqliteStore
from playhead.tape import ToolCallPart, assistant

DOCUMENT: dict[str, Any] = {
    "experience": 1,
    "name": "cancel-meeting",
    "title": "Cancel the next meeting with somebody",
    "parameters": {"person": {"sources": [{"mention": {"kind": "name", "nth": 0}}]}},
    "tools": {"search": {"effect": "read"}, "delete": {"effect": "write"}},
    "scope": {"examples": ["Cancel my next meeting with ana", "Cancel my next meeting with luis"]},
    "procedure": {"steps": ["Look for meetings", "Delete the first"]},
    "routine": {
        "start": "look",
        "states": {
            "look": {
                "call": {"tool": "search", "arguments": {"query": {"param": "person"}}},
                "next": [{"to": "cancel"}],
            },
            "cancel": {
                "call": {
                    "tool": "delete",
                    "arguments": {"id": {"result": "look", "pick": "first", "at": ["id"]}},
                },
                "next": [{"to": "done"}],
            },
            "done": {"finish": {}},
        },
    },
    "evidence": {"validation": {"played": 3, "right": 3}},
}
TASK = "Cancel my next meeting with nia"


def document(**changes: Any) -> Any:
    return experience_of(DOCUMENT | changes)


@pytest.fixture
def file(place: Path) -> Path:
    path = place / "cancel.yaml"
    path.write_text(experience_yaml(document()))
    return path


@pytest.fixture
def learnt(place: Path) -> str:
    with Library(place / "library.db") as library:
        return library.add(document(), origin="learnt").digest


def session(place: Path, meeting: int) -> str:
    """A session in the store that cancels one of two meetings."""
    return asyncio.run(_session(place, meeting))


async def _session(place: Path, meeting: int) -> str:

    @ph.tool(effect="read")
    def search(query: str) -> list[dict[str, int]]:
        return [{"id": 1}, {"id": 2}]

    @ph.tool(effect="write")
    def delete(id: int) -> str:
        return "deleted"

    calls = [("search", {"query": "ana"}), ("delete", {"id": meeting})]
    script = [assistant((ToolCallPart(id=n, name=n, arguments=dict(a)),)) for n, a in calls]
    agent = ph.Agent("live", model=ph.ScriptedModel([*script, "Done."]), tools=[search, delete])
    async with SqliteStore(place / "tapes.db") as store:
        return (await ph.run(agent, "Cancel my next meeting with ana", store=store)).id


def test_what_comes_from_a_file_is_quarantined(cli: Run, file: Path) -> None:
    done = cli("library", "add", str(file))
    assert done.exit_code == 0
    assert "is quarantined: it comes from a file" in done.stderr
    assert "no experience may be played yet" in cli("library", "ls").stderr
    everything = cli("library", "ls", "--all").stdout
    assert "cancel-meeting@1" in everything
    assert "quarantined" in everything


def test_the_library_can_be_elsewhere(cli: Run, file: Path, place: Path) -> None:
    assert cli("library", "add", str(file), "--library", "other.db").exit_code == 0
    assert (place / "other.db").exists()
    assert not (place / "library.db").exists()


def test_files_that_are_none_are_told(cli: Run, place: Path) -> None:
    (place / "bad.yaml").write_text("experience: 1\nname: Bad Name\n")
    done = cli("library", "add", "bad.yaml")
    assert done.exit_code == 1
    assert "bad.yaml:2" in done.stderr
    assert cli("library", "add", "missing.yaml").exit_code == 1


def test_search_says_what_would_be_played(cli: Run, learnt: str) -> None:
    done = cli("library", "search", TASK)
    assert done.exit_code == 0
    assert "would be played: cancel-meeting@1" in done.stderr
    none = cli("library", "search", "Order a pizza for everybody")
    assert none.exit_code == 1
    assert "none is played: no experience fits" in none.stderr
    told = json.loads(cli("library", "search", TASK, "--json").stdout)
    assert told["played"] == learnt == told["found"][0]["digest"]
    assert cli("library", "search", "--tool", "delete").exit_code == 0
    assert cli("library", "search", "--tool", "nothing").exit_code == 1


def test_show_tells_all_that_is_known(cli: Run, learnt: str) -> None:
    shown = cli("library", "show", "cancel-meeting").stdout
    for said in ("trusted since", "delete (write)", "Look for meetings", "done", "look"):
        assert said in shown
    assert "search(query=‹person›)" in shown
    told = json.loads(cli("library", "show", learnt[:20], "--json").stdout)
    assert told["document"]["name"] == "cancel-meeting"
    assert told["history"][0]["state"] == "trusted"
    assert cli("library", "show", "nothing").exit_code == 1


def test_the_document_and_its_diagram_go_into_files(cli: Run, learnt: str, place: Path) -> None:
    diagram = cli("library", "show", "cancel-meeting", "--diagram").stdout
    assert diagram.startswith("flowchart TD\n")
    assert "query = ‹person›" in diagram
    written = cli("library", "show", "cancel-meeting", "--document").stdout
    (place / "again.yaml").write_text(written)
    assert cli("library", "add", "again.yaml").exit_code == 0
    with Library(place / "library.db") as library:
        assert [each.digest for each in library.all()] == [learnt]


def test_nothing_that_a_document_says_acts_on_the_terminal(cli: Run, place: Path) -> None:
    evil = "\x1b]0;owned\x07[red]x[/red]\u202e"
    with Library(place / "library.db") as library:
        library.add(document(title=evil, description=evil), origin="learnt")
    for words in (["ls"], ["show", "cancel-meeting"], ["search", TASK]):
        assert "\x1b" not in cli("library", *words).stdout
        assert "\u202e" not in cli("library", *words).stdout


def test_trust_plays_over_sessions(cli: Run, file: Path, place: Path) -> None:
    right, wrong = session(place, 1), session(place, 2)
    cli("library", "add", str(file))
    refused = cli("library", "trust", "cancel-meeting")
    assert refused.exit_code == 2
    assert "--over TAPE" in refused.stderr
    failed = cli("library", "trust", "cancel-meeting", "--over", right, "--over", wrong)
    assert failed.exit_code == 1
    assert "1 right, 1 wrong" in failed.stderr
    assert "it made the call delete" in failed.stderr
    done = cli("library", "trust", "cancel-meeting", "--over", right)
    assert done.exit_code == 0
    assert "is trusted: verified here: 1 right" in done.stderr
    with Library(place / "library.db") as library:
        baseline = library.ledger.baseline(library.get("cancel-meeting").digest)
    assert baseline is not None
    assert baseline.cost.model_calls == 3
    assert baseline.source == "mean of 1 session that it was verified over"
    assert cli("library", "search", TASK).exit_code == 0
    cli("library", "trust", "cancel-meeting", "--withdraw", "odd")
    assert cli("library", "search", TASK).exit_code == 1


def test_rating_needs_something_to_say(cli: Run, learnt: str) -> None:
    assert cli("library", "rate", "cancel-meeting").exit_code == 2
    done = cli("library", "rate", "cancel-meeting", "--stars", "4", "--by", "ana", "--json")
    assert json.loads(done.stdout)["ratings"][0]["stars"] == 4
    cli("library", "rate", "cancel-meeting", "--audited", "--by", "luis")
    assert "ana ★★★★" in cli("library", "show", "cancel-meeting").stdout
    assert cli("library", "rate", "cancel-meeting", "--stars", "9").exit_code == 2


def test_a_wrong_play_is_told(cli: Run, learnt: str, place: Path) -> None:
    tape = session(place, 1)
    told = cli("library", "rate", "cancel-meeting", "--wrong", tape)
    assert told.exit_code == 2
    assert "no play on tape" in told.stderr
    with Library(place / "library.db") as library:
        library.plays.record(Play(learnt, tape, "solved", task=TASK))
    assert cli("library", "rate", "cancel-meeting", "--wrong", tape, "--note", "x").exit_code == 0
    refused = cli("library", "search", TASK)
    assert refused.exit_code == 1
    assert "went wrong on a task like this" in refused.stderr


def test_guards_are_kept_and_forgotten(cli: Run, learnt: str) -> None:
    cli("library", "guard", TASK, "--why", "not without asking")
    refused = cli("library", "search", TASK)
    assert refused.exit_code == 1
    assert "not without asking" in refused.stderr
    assert TASK in cli("library", "guard").stdout
    assert cli("library", "guard", "--rm", "1").exit_code == 0
    assert cli("library", "guard", "--rm", "1").exit_code == 2
    assert cli("library", "search", TASK).exit_code == 0


def test_removal_asks_first(cli: Run, learnt: str) -> None:
    assert cli("library", "rm", "cancel-meeting").exit_code == 2
    assert json.loads(cli("library", "rm", "cancel-meeting", "--yes", "--json").stdout) == {
        "removed": [learnt]
    }
    assert cli("library", "rm", "cancel-meeting", "--yes").exit_code == 1


def test_the_ledger_names_its_baseline(cli: Run, learnt: str, place: Path) -> None:
    assert "nothing was played yet" in cli("library", "stats").stderr
    with Library(place / "library.db") as library:
        for number in range(3):
            cost = Cost(seconds=0.5)
            library.plays.record(Play(learnt, f"t{number}", "solved", cost=cost))
        unknown = cli("library", "stats")
        assert "nobody knows what was saved" in unknown.stderr
        assert "?" in unknown.stdout
        sessions = Baseline(4, Cost(6, 3000, 0.05, 10.0, None), "mean of 4 sessions of GPT-4")
        library.ledger.set_baseline(learnt, sessions)
    done = cli("library", "stats")
    assert "18" in done.stdout
    assert "0.1500" in done.stdout
    assert "mean of 4 sessions of GPT-4" in done.stderr
    told = json.loads(cli("library", "stats", "cancel-meeting", "--json").stdout)
    assert told["total"]["saved"]["model_calls"] == 18
    assert told["total"]["saved"]["wrong_writes"] is None
    assert json.loads(cli("library", "stats", "--until", "2020-01-01", "--json").stdout)[
        "experiences"
    ] == []  # fmt: skip


def test_publishing_signing_and_installing(cli: Run, learnt: str, place: Path) -> None:
    made = cli("library", "keys", "--new", "my.key", "--json")
    public = json.loads(made.stdout)["made"]
    words = ["--to", str(place / "shared"), "--sign", "my.key", "--by", "Ana", "--author", "Ana"]
    done = cli("library", "publish", "cancel-meeting", *words)
    assert done.exit_code == 0
    assert "it holds the texts of its tasks" in done.stderr
    there = ["--from", str(place / "shared"), "--library", "theirs.db"]
    refused = cli("library", "install", "cancel-meeting", *there, "--signed-by", "ana")
    assert refused.exit_code == 1
    assert "signed by unknown key" in refused.stderr
    cli("library", "keys", "--add", f"ana={public}", "--library", "theirs.db")
    taken = cli("library", "install", "cancel-meeting", *there, "--signed-by", "ana")
    assert taken.exit_code == 0
    for said in ("signed by ana", "delete (write)", "it is quarantined", "library trust"):
        assert said in taken.stderr
    assert "signed by" in cli(
        "library", "show", "cancel-meeting", "--library", "theirs.db"
    ).stdout  # fmt: skip
    again = cli("library", "publish", "cancel-meeting", "--to", "x.experience", *there[2:])
    assert again.exit_code == 0  # passed on with its signature
    assert cli("library", "install", "x.experience", "--signed-by", "ana").exit_code == 1
    assert cli("library", "install", "x.experience").exit_code == 0
    assert cli("library", "install", "nothing").exit_code == 2
    assert cli("library", "install", "nothing", *there).exit_code == 1
    assert cli("library", "keys", "--rm", "nobody").exit_code == 2
    assert cli("library", "keys", "--add", "x").exit_code == 2


def test_a_tampered_package_is_refused(cli: Run, learnt: str, place: Path) -> None:
    cli("library", "publish", "cancel-meeting", "--to", "x.experience")
    content = bytearray((place / "x.experience").read_bytes())
    content[len(content) // 2] ^= 1
    (place / "x.experience").write_bytes(bytes(content))
    done = cli("library", "install", "x.experience", "--library", "theirs.db")
    assert done.exit_code == 1
    assert "error: package:" in done.stderr
    assert cli("library", "ls", "--library", "theirs.db", "--all").stdout == ""


WORLD = """
import playhead as ph


def tools():
    @ph.tool(effect="read")
    def search(query: str) -> list[dict[str, int]]:
        return [{"id": 1}, {"id": 2}] if query == "Nia" else []

    @ph.tool(effect="write")
    def delete(id: int) -> str:
        with open("deleted.txt", "a") as file:
            file.write(f"{id} ")
        return "deleted"

    return ph.Toolbox([search, delete])
"""


def test_play_picks_from_the_library_and_counts(cli: Run, learnt: str, place: Path) -> None:
    (place / "office.py").write_text(WORLD)
    around = ("-e", "office.py:tools")
    done = cli("play", "--task", "Cancel my next meeting with Nia", *around)
    assert done.exit_code == 0, done.stderr
    assert "plays cancel-meeting@1" in done.stderr
    assert (place / "deleted.txt").read_text() == "1 "
    named = cli("play", "cancel-meeting", "-p", "person=Kofi", *around)
    assert named.exit_code == 3  # there is no such meeting
    nothing = cli("play", "--task", "Order a pizza for everybody", *around)
    assert nothing.exit_code == 1
    assert "nothing is played: no experience fits" in nothing.stderr
    assert cli("play", *around).exit_code == 2
    with Library(place / "library.db") as library:
        counts = library.plays.counts(learnt)
        assert (counts.solved, counts.refused) == (1, 1)
        library.quarantine("cancel-meeting", "odd")
    refused = cli("play", "cancel-meeting", "-p", "person=Nia", *around)
    assert refused.exit_code == 2
    assert "is quarantined" in refused.stderr
    assert (place / "deleted.txt").read_text() == "1 "


def test_a_play_from_a_file_needs_no_library(cli: Run, file: Path, place: Path) -> None:
    (place / "office.py").write_text(WORLD)
    done = cli("play", str(file), "-p", "person=Nia", "-e", "office.py:tools")
    assert done.exit_code == 0, done.stderr
    assert not (place / "library.db").exists()
    assert cli("play", "nothing", "-e", "office.py:tools").exit_code == 2
    assert cli("check", str(file)).exit_code == 0
