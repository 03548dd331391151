"""Trust by trial: an experience is played in fresh environments before it is trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from library_kit import experience
from test_verify_and_play import MEETINGS, Calendar, plain, session
from typer.testing import CliRunner

import playhead as ph
from playhead.cli._app import app
from playhead.errors import LibraryError
from playhead.experience.library import Library, PackageBudget, package_of, rehearse, verified
from playhead.experience.play import Limits

GONE = {
    "id": "gone",
    "kind": "postcondition",
    "at": "end",
    "check": {"cel": "calls.exists(c, c.tool == 'calendar.delete' && c.result == 'deleted')"},
}
EXAMPLES = {"examples": ["Cancel my next meeting with ana", "Cancel my next meeting with luis"]}


class Places:
    """Makes worlds, and remembers them."""

    def __init__(self) -> None:
        self.made: list[Calendar] = []

    def __call__(self) -> ph.Environment:
        self.made.append(Calendar())
        return self.made[-1].environment()

    @property
    def deleted(self) -> list[int]:
        return [id for world in self.made for id in world.deleted]


def checked(**changes: Any) -> Any:
    return plain(scope=EXAMPLES, checks=[GONE], **changes)


async def test_examples_are_played_in_worlds_of_their_own() -> None:
    places = Places()
    done = await rehearse(checked(), places)
    assert [each.ended for each in done] == ["right", "right"]
    assert [each.writes for each in done] == [
        ({"tool": "calendar.delete", "arguments": {"id": 1}},),
        ({"tool": "calendar.delete", "arguments": {"id": 3}},),
    ]
    assert sorted(places.deleted) == [1, 3], "the dry runs wrote nothing"
    assert all(len(world.deleted) <= 1 for world in places.made)
    assert verified(done).ok


async def test_without_a_postcondition_an_example_proves_nothing() -> None:
    done = await rehearse(plain(scope=EXAMPLES), Places())
    assert {each.ended for each in done} == {"refused"}
    assert "no postcondition" in done[0].reason
    assert not verified(done).ok


async def test_a_postcondition_that_does_not_hold_is_wrong() -> None:
    never = GONE | {"check": {"cel": "calls.exists(c, c.result == 'moved')"}}
    places = Places()
    done = await rehearse(plain(scope=EXAMPLES, checks=[never]), places)
    assert {each.ended for each in done} == {"wrong"}
    assert "stopped after 1 writes" in done[0].reason
    assert verified(done).wrong == 2


async def test_a_session_says_what_is_right() -> None:
    store = ph.MemoryStore()
    good = await session("ana", 1, store)
    done = await rehearse(plain(), Places(), sessions=[good])
    assert [each.ended for each in done] == ["right"], "no postcondition is needed"
    other = await session("ana", 2, store)
    done = await rehearse(plain(), Places(), sessions=[other])
    assert done[0].ended == "wrong"
    assert done[0].reason == 'it made the call calendar.delete {"id":1}'
    idle = await session("luis", None, store)
    done = await rehearse(plain(), Places(), sessions=[idle])
    assert done[0].ended == "wrong"
    nobody = await session("kofi", None, store)
    done = await rehearse(plain(), Places(), sessions=[nobody])
    assert done[0].ended == "refused"


async def test_a_world_that_answers_otherwise_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = await session("ana", 1, ph.MemoryStore())
    monkeypatch.setitem(MEETINGS, "ana", [{"id": 9}])
    done = await rehearse(plain(), Places(), sessions=[good])
    assert done[0].ended == "wrong"


async def test_a_trial_keeps_to_what_was_granted() -> None:
    places = Places()
    done = await rehearse(checked(), places, limits=Limits(writes=0))
    assert {each.ended for each in done} == {"refused"}
    assert places.deleted == []


async def test_what_is_not_made_anew_is_refused() -> None:
    one = Calendar().environment()
    with pytest.raises(LibraryError, match="same environment each time"):
        await rehearse(checked(), lambda: one)
    with pytest.raises(LibraryError, match="makes an environment"):
        await rehearse(checked(), lambda: 1)  # type: ignore[arg-type, return-value]
    with pytest.raises(LibraryError, match="no example tasks"):
        await rehearse(plain(scope={}), Places())


WORLD = """
import playhead as ph

def fresh():
    @ph.tool(effect="read", name="calendar.search")
    def search(query: str) -> list[dict[str, int]]:
        return [{"id": len(query)}]

    @ph.tool(effect="write", name="calendar.delete")
    def delete(id: int) -> str:
        return "deleted"

    return ph.Toolbox([search, delete])

same = fresh()
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "world.py").write_text(WORLD, encoding="utf-8")
    with Library(tmp_path / "library.db") as library:
        library.install(package_of(checked(), budget=PackageBudget(writes=3)))
    return tmp_path


def trusted(place: Path, *words: str, name: str = "fresh") -> Any:
    common = ["--library", str(place / "library.db"), "--store", str(place / "tapes.db")]
    where = ["--environment", f"{place / 'world.py'}:{name}"]
    return CliRunner().invoke(app, ["library", "trust", "cancel-meeting", *where, *words, *common])


def test_the_command_shows_what_was_written_and_asks(place: Path) -> None:
    asked = trusted(place)
    assert asked.exit_code == 2
    assert "--yes" in asked.output
    assert "wrote calendar.delete(id=3)" in asked.output
    done = trusted(place, "--yes")
    assert done.exit_code == 0
    assert "is trusted: verified here: 2 right" in done.output
    as_json = json.loads(trusted(place, "--yes", "--json").stdout)
    assert [each["ended"] for each in as_json["trials"]] == ["right", "right"]
    same = trusted(place, "--yes", name="same")
    assert same.exit_code != 0
    assert "the same environment each time" in same.output


def test_a_trial_that_fails_withholds_trust(place: Path) -> None:
    with Library(place / "library.db") as library:
        library.remove("cancel-meeting")
        library.add(experience(scope=EXAMPLES, checks=[GONE]))  # it needs tools of other schemas
    done = trusted(place, "--yes")
    assert done.exit_code == 1
    assert "is quarantined" in done.output
