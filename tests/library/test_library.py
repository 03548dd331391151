"""What a library keeps, whom it trusts, and what it finds for a task."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from library_kit import experience, package, plot, with_two

from playhead.errors import LibraryError
from playhead.experience.document import experience_digest
from playhead.experience.library import (
    Capabilities,
    Cost,
    Library,
    PackageBudget,
    Play,
    ToolNeed,
    Verification,
    budget_of,
    grants,
    library_path,
    verify,
)
from playhead.experience.play import Limits as PlayLimits

CANCEL = "Cancel my next meeting with fatima"


def test_a_library_lies_beside_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYHEAD_LIBRARY", raising=False)
    monkeypatch.setenv("PLAYHEAD_STORE", str(tmp_path / "tapes.db"))
    assert library_path() == tmp_path / "library.db"
    assert library_path(tmp_path / "a" / "t.db") == tmp_path / "a" / "library.db"
    monkeypatch.setenv("PLAYHEAD_LIBRARY", str(tmp_path / "own.db"))
    assert library_path(tmp_path / "a" / "t.db") == tmp_path / "own.db"


def test_what_was_learnt_and_validated_is_trusted(library: Library) -> None:
    assert library.add(experience(), origin="learnt").state == "trusted"
    doubtful = experience(
        "doubtful", evidence={"validation": {"played": 2, "right": 1, "wrong": 1}}
    )
    assert library.add(doubtful, origin="learnt").state == "quarantined"
    alone = experience("alone", evidence={})
    assert library.add(alone, origin="learnt").state == "quarantined"


def test_the_evidence_that_a_stranger_claims_counts_for_nothing(library: Library) -> None:
    assert library.add(experience()).state == "quarantined"
    assert library.standing("cancel-meeting").good == 0
    assert library.find(CANCEL).kept is None


def test_adding_again_changes_nothing(library: Library) -> None:
    first = library.add(experience(), origin="learnt")
    assert library.add(experience()) == first
    assert [each.digest for each in library.all()] == [experience_digest(experience())]
    assert library.document("cancel-meeting") == experience()


def test_it_is_all_there_when_opened_again(tmp_path: Path) -> None:
    with Library(tmp_path / "l.db") as library:
        with_two(library)
        library.ratings.rate(library.get("plot-visits").digest, by="ana", stars=4)
    with Library(tmp_path / "l.db") as library:
        assert [each.label for each in library.all()] == ["cancel-meeting@1", "plot-visits@1"]
        assert library.find(CANCEL).kept == library.get("cancel-meeting")
        assert library.standing("plot-visits").stars == 4


def test_the_experience_for_a_task_is_found_or_none_is(library: Library) -> None:
    with_two(library)
    choice = library.find(CANCEL)
    assert choice.kept is not None
    assert (choice.kept.name, choice.experience) == ("cancel-meeting", experience())
    for strange in ("Send an invoice to the tax office", "", "meeting", "Cancel the newspaper"):
        choice = library.find(strange)
        assert choice.kept is choice.experience is None
        assert "fits" in choice.reason


def test_search_shows_quarantined_ones_too(library: Library) -> None:
    library.add(experience(), author="ana")
    library.add(plot(), author="luis")
    assert [each.kept.name for each in library.search(CANCEL)] == ["cancel-meeting"]
    assert [each.kept.name for each in library.search(tool="analytics.plot")] == ["plot-visits"]
    assert [each.kept.name for each in library.search(author="ana")] == ["cancel-meeting"]
    assert len(library.search()) == 2
    assert library.search(author="nobody") == []


def test_verification_decides_about_trust(library: Library) -> None:
    library.install(package())
    assert library.trust("cancel-meeting", Verification(wrong=1, right=5)).state == "quarantined"
    assert library.trust("cancel-meeting", Verification(refused=3)).state == "quarantined"
    assert library.find(CANCEL).kept is None
    assert library.trust("cancel-meeting", Verification(right=2)).state == "trusted"
    assert library.find(CANCEL).kept is not None
    states = [state for _, state, _ in library.history("cancel-meeting")]
    assert states == ["quarantined", "quarantined", "quarantined", "trusted"]
    assert library.quarantine("cancel-meeting", "it looked odd").state == "quarantined"
    assert library.find(CANCEL).kept is None


def test_verifying_counts_what_came_of_each_trace() -> None:
    def trial(_: object, trace: str):  # type: ignore[no-untyped-def]
        if trace == "broken":
            raise LibraryError("cannot be played")
        return trace, f"it was {trace}"

    found = verify(experience(), ["right", "right", "refused", "broken"], trial)  # type: ignore[arg-type]
    assert (found.right, found.wrong, found.refused, found.ok) == (2, 1, 1, False)
    assert found.faults == ("it was refused", "cannot be played")


def test_a_newer_version_replaces_what_it_came_from(library: Library) -> None:
    old = experience()
    new = experience(version=2, parents=[experience_digest(old)], description="better")
    library.add(old, origin="learnt")
    library.add(new, origin="file")
    assert library.find(CANCEL).kept == library.get("cancel-meeting@1")  # the new one is unproven
    library.trust("cancel-meeting@2", Verification(right=1))
    assert library.find(CANCEL).kept == library.get("cancel-meeting@2")
    assert [each.label for each in library.playable()] == ["cancel-meeting@2"]
    assert library.lineage("cancel-meeting@2") == [experience_digest(old)]
    assert library.get("cancel-meeting").version == 2


def test_duplicates_count_as_one(library: Library) -> None:
    texts = {"examples": ["Get rid of the upcoming appointment with raj"]}
    library.add(experience(), origin="learnt")
    library.add(experience("other-name", scope=texts, title="The same"), origin="learnt")
    assert len(library.search(CANCEL)) == 1
    assert [each.name for each in library.search(CANCEL)[0].copies] == ["other-name"]
    found = library.find("Get rid of the upcoming appointment with nia")
    assert found.kept is not None  # by the text of the copy


def test_of_two_that_do_different_things_neither_is_guessed(library: Library) -> None:
    library.add(experience(), origin="learnt")
    other = plot("other", scope={"examples": list(experience().scope.examples)})
    library.add(other, origin="learnt")
    choice = library.find(CANCEL)
    assert choice.kept is None
    assert "different things" in choice.reason


def test_names_versions_and_digests_lead_to_an_experience(library: Library) -> None:
    kept = library.add(experience(), origin="learnt")
    library.add(experience(version=2), origin="file")
    assert library.get("cancel-meeting") == kept  # the trusted one, though older
    assert library.get(kept.digest) == library.get(kept.short) == library.get("cancel-meeting@1")
    for wrong in ("nothing", "cancel-meeting@3", "sha256:zz", "", "cancel%", "'; DROP TABLE play"):
        with pytest.raises(LibraryError, match="has no"):
            library.get(wrong)
    library.add(experience(title="Another text"), origin="learnt")
    with pytest.raises(LibraryError, match="several documents"):
        library.get("cancel-meeting@1")


def test_what_is_over_is_not_played(library: Library) -> None:
    library.add(experience(), origin="learnt")
    library.expire("cancel-meeting", "2020-01-01T00:00:00.000000Z")
    assert library.get("cancel-meeting").state == "expired"
    assert library.find(CANCEL).kept is None
    assert library.expire("cancel-meeting", None).state == "trusted"


def test_a_changed_schema_of_a_tool_ends_trust(library: Library) -> None:
    with_two(library)
    same = {"calendar.search": "sha256:" + "1" * 64, "calendar.delete": "sha256:" + "2" * 64}
    assert library.check_drift(same) == library.check_drift({"unknown": "x"}) == []
    (drifted,) = library.check_drift(same | {"calendar.delete": "sha256:" + "3" * 64})
    assert (drifted.name, drifted.state) == ("cancel-meeting", "drifted")
    assert "calendar.delete" in drifted.reason
    assert library.find(CANCEL).kept is None
    library.trust("cancel-meeting", Verification(right=1))
    assert library.find(CANCEL).kept is not None


def test_removal_leaves_nothing_of_it(library: Library, tmp_path: Path) -> None:
    kept = library.install(package())
    library.plays.record(Play(kept.digest, "t1", "solved"))
    library.guards.add("a text", "bad", experience=kept.digest)
    library.ratings.rate(kept.digest, by="ana", stars=1)
    library.remove("cancel-meeting")
    assert library.all() == []
    with sqlite3.connect(library.path) as db:
        for table in ("experience", "play", "guard", "rating", "package", "history", "parent"):
            assert db.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)


def test_a_play_counts_once_and_decides_about_worth(library: Library) -> None:
    kept = library.add(experience(), origin="learnt")
    before = library.find(CANCEL).found[0].score
    for outcome in ("handed_over", "solved"):
        library.plays.record(Play(kept.digest, "t1", outcome, task="Cancel it"))  # type: ignore[arg-type]
    assert library.plays.counts(kept.digest).solved == 1
    assert library.plays.counts(kept.digest).tried == 1
    assert library.find(CANCEL).found[0].score > before
    for number in range(3):
        library.plays.record(Play(kept.digest, f"b{number}", "handed_over"))
    assert library.find(CANCEL).found[0].score < before
    with pytest.raises(LibraryError, match="ends as one of"):
        library.plays.record(Play(kept.digest, "t", "fine"))  # type: ignore[arg-type]
    with pytest.raises(LibraryError, match="cannot have cost"):
        library.plays.record(Play(kept.digest, "t", "solved", cost=Cost(seconds=float("nan"))))


def test_plays_with_other_versions_of_the_tools_are_counted_apart(library: Library) -> None:
    kept = library.add(experience(), origin="learnt")
    library.plays.record(Play(kept.digest, "t1", "solved", tools="a"))
    library.plays.record(Play(kept.digest, "t2", "failed", tools="b"))
    assert library.plays.counts(kept.digest).all == 2
    assert library.plays.counts(kept.digest, tools="a").failed == 0
    assert library.plays.counts(kept.digest, tools="c").all == 0


def test_what_solved_a_task_is_found_by_its_text(library: Library) -> None:
    kept = library.add(experience(), origin="learnt")
    text = "Scrap the upcoming appointment with raj"
    assert library.find("Scrap the upcoming appointment with nia").kept is None
    library.plays.record(Play(kept.digest, "t1", "solved", task=text))
    assert library.find("Scrap the upcoming appointment with nia").kept == kept


def test_a_task_that_went_wrong_is_not_tried_again(library: Library) -> None:
    kept = library.add(experience(), origin="learnt")
    bad = "Cancel my next meeting with the board"
    assert library.find(bad).kept == kept
    library.plays.record(Play(kept.digest, "t1", "failed", task=bad))
    choice = library.find(bad)
    assert choice.kept is None
    assert "went wrong on a task like this" in choice.reason
    assert library.find(CANCEL).kept == kept


def test_guards_for_all_forbid_a_kind_of_task(library: Library) -> None:
    with_two(library)
    guard = library.guards.add(
        "Cancel my next meeting with the board", "only the chair may do that", tape="t9"
    )
    choice = library.find("Cancel my next meeting with the board")
    assert choice.kept is None
    assert "only the chair may do that" in choice.reason
    assert library.find(CANCEL).kept is not None
    assert library.guards.remove(guard.number)
    assert not library.guards.remove(guard.number)
    assert library.find("Cancel my next meeting with the board").kept is not None
    with pytest.raises(LibraryError, match="text of the task"):
        library.guards.add("  ", "x")


def test_a_person_has_one_rating_of_each_experience(library: Library) -> None:
    digest = library.add(experience(), origin="learnt").digest
    library.ratings.rate(digest, by="ana", stars=1)
    library.ratings.rate(digest, by="ana", stars=5, note="better now")
    library.ratings.rate(digest, by="luis", audited=True)
    assert [(each.by, each.stars) for each in library.ratings.of(digest)] == [
        ("luis", None), ("ana", 5)
    ]  # fmt: skip
    assert library.standing("cancel-meeting").audited
    for stars in (0, 6, -1):
        with pytest.raises(LibraryError, match="1 to 5"):
            library.ratings.rate(digest, by="ana", stars=stars)


def test_other_files_are_not_taken_for_libraries(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no database, but quite a long text that says nothing\n" * 40)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE experience (x)")
    newer = tmp_path / "newer.db"
    Library(newer).close()
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    for path, said in ((text, "cannot be used"), (other, "no library"), (newer, "newer Playhead")):
        with pytest.raises(LibraryError, match=said):
            Library(path)
    with pytest.raises(LibraryError):
        Library(text / "below")


def test_a_damaged_document_is_noticed(library: Library) -> None:
    library.add(experience(), origin="learnt")
    with sqlite3.connect(library.path) as db:
        db.execute("UPDATE experience SET document = x'7b7d'")
    with pytest.raises(LibraryError, match="was damaged"):
        library.document("cancel-meeting")


ALLOWED = Capabilities(
    tools={"fetch": ToolNeed(effect="read"), "send": ToolNeed(effect="write")},
    effects=("read", "write"),
    hosts=("example.com",),
    budget=PackageBudget(model_calls=0, seconds=5, writes=2, usd=0.5),
)


def test_a_manifest_becomes_what_a_play_is_granted() -> None:
    assert grants(ALLOWED) == PlayLimits(
        tools=("fetch", "send"), hosts=("example.com",), effects=("read", "write"),
        writes=2, seconds=5,
    )  # fmt: skip
    budget = budget_of(ALLOWED)
    assert (budget.model_calls, budget.seconds, budget.usd) == (0, 5, 0.5)
    assert budget_of(Capabilities()).model_calls == 200


def test_a_task_that_an_experience_cannot_read_is_not_for_it(library: Library) -> None:
    scope = {"examples": list(experience().scope.examples), "mentions": {"date": [0]}}
    library.add(experience(scope=scope), origin="learnt")
    assert library.find(CANCEL).kept is not None
    choice = library.find(f"{CANCEL} tomorrow")
    assert choice.kept is None
    assert "cannot read the task: the task mentions 1 of the kind `date`" in choice.reason


def test_an_experience_that_would_refuse_before_its_first_call_is_not_for_a_task(
    library: Library,
) -> None:
    source = {"mention": {"kind": "quoted", "nth": 0}}
    parameters = {"person": {"schema": {"type": "string"}, "sources": [source]}}
    library.add(experience(parameters=parameters), origin="learnt")
    choice = library.find(CANCEL)  # nothing in quotes
    assert choice.kept is None
    assert "cannot read the task" in choice.reason
