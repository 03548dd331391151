"""`playhead learn` with sessions that went wrong, and with a model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from loopback import completion, loopback
from test_learn_door import NOTES, session
from typer.testing import CliRunner

import playhead as ph
from playhead.cli._app import app
from playhead.evaluate import annotate, target_of
from playhead.experience.document import experience_digest, read_experience
from playhead.experience.library import Library, guard_failures
from playhead.tape import By
from playhead.tape.annotations import Label

WRONG = ("hugo", "maas", "Pots")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with three good sessions, and one that did the same and was labelled wrong."""
    place = tmp_path / "tapes.db"

    async def record() -> None:
        async with ph.SqliteStore(place) as store:
            for each in NOTES:
                await session(store, *each)
            wrong = await session(store, *WRONG)
            label = Label(target=target_of(wrong), name="good", value="no")
            await annotate(store, [label], by=By("person", "ana"))

    asyncio.run(record())
    return place


def learnt(place: Path, *words: str) -> Any:
    folder = place.parent
    common = ["--store", str(place), "-o", str(folder / "learnt"), "--json"]
    done = CliRunner().invoke(app, ["learn", *words, *common])
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("which", ["label=good:no", "last", "agent=clerk label=good:no"])
def test_where_nothing_tells_them_apart_nothing_is_learnt(place: Path, which: str) -> None:
    if which == "last":
        which = _sessions(place)[0].id
    said = learnt(place, "--from", "agent=clerk", "--name", "notes", "--failed", which)
    assert (said["experiences"], said["guards"]) == ([], []), "nothing tells the sessions apart"
    (aside,) = said["quarantined"]
    assert len(aside["tapes"]) == 3


def test_what_would_go_wrong_in_the_same_way_is_guarded(place: Path) -> None:
    failed, *good = _sessions(place)
    (told,) = learnt(place, *(tape.id for tape in good), "--name", "notes")["experiences"]
    document = read_experience(told["file"])
    with Library(place.parent / "library.db") as library:
        digest = experience_digest(document)
        (guard,) = guard_failures(library, digest, [failed])
        assert guard.tape == failed.id
        baseline = library.ledger.baseline(library.get("notes").digest)
        assert baseline is not None
        assert baseline.sessions == 3, "what went wrong is no measure of what it costs"
        choice = library.find(guard.text)
        assert choice.experience is None
        assert "went wrong" in choice.reason
        assert guard_failures(library, digest, [failed]) == []


def _sessions(place: Path) -> list[ph.Tape]:
    """The newest first."""

    async def sessions() -> list[ph.Tape]:
        async with ph.SqliteStore(place) as store:
            tapes = [await store.open(info.id) for info in await store.tapes()]
            return [tape for tape in tapes if not tape.is_annotation]

    return asyncio.run(sessions())


def test_what_is_labelled_right_can_be_learnt_from(place: Path) -> None:
    done = CliRunner().invoke(app, ["learn", "--from", "label=good:yes", "--store", str(place)])
    assert done.exit_code == 2, "nothing was labelled so"


@pytest.mark.parametrize("odd", ["x=1", "label=good", "status="])
def test_a_filter_that_is_none_is_told(place: Path, odd: str) -> None:
    words = ["learn", "--from", "agent=clerk", "--failed", odd, "--store", str(place)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "--failed" in done.output


def test_a_model_proposes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = {"title": "Send somebody a note", "generalisation": {"states": {"x": None}}}
    asked: list[Any] = []

    def answer(path: str, body: dict[str, Any]) -> Any:
        asked.append(body["messages"])
        return completion(json.dumps(proposal))

    with loopback(answer) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        said = learnt(place, "--from", "agent=clerk", "--name", "notes", "--model", "openai:m")
    (proposed,) = said["proposals"]
    assert proposed["kept"] == ["title"]
    assert "the one that was learnt" in proposed["refused"]["generalisation"]
    assert len(asked) == 2
    assert read_experience(said["experiences"][0]["file"]).title == "Send somebody a note"
    shown = CliRunner().invoke(app, ["show", proposed["tape"], "--store", str(place)])
    assert "try_proposal" in shown.output
