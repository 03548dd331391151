"""Annotation tapes: what people and judges say about other tapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import playhead as ph
from playhead.errors import EvaluationError, TapeNotFoundError
from playhead.evaluate import (
    annotate,
    annotation_tapes,
    ratings,
    read_annotations,
    target_of,
)
from playhead.store import Store
from playhead.tape import By, new_id
from playhead.tape.annotations import Comment, Label, Score

ADA, BO, RULE = By("person", "Ada"), By("person", "Bo"), By("tool", "rule")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = ph.MemoryStore() if request.param == "memory" else ph.SqliteStore(tmp_path / "tapes.db")
    yield made
    await made.close()


async def session(store: Store, answer: str = "Yes.") -> ph.Tape:
    agent = ph.Agent("clerk", model=ph.ScriptedModel([answer]))
    return await ph.run(agent, "Is it raining?", store=store)


def label(tape: ph.Tape, value: str, name: str = "good", at: int | None = None) -> Label:
    return Label(target=target_of(tape, at=at), name=name, value=value)


async def test_labels_stand_on_a_tape_of_their_own_and_verify(store: Store) -> None:
    judged = await session(store)
    name = await annotate(store, [label(judged, "yes")], by=ADA)
    said = Comment(target=target_of(judged, at=2), text="To the point.")
    assert await annotate(store, [said, label(judged, "no")], by=BO, tape=name) == name
    tape = await store.open(name)
    tape.verify()
    assert tape.is_annotation
    assert not (await store.open(judged.id)).is_annotation
    assert (await store.open(judged.id)).head == judged.head  # nothing was added to it
    found = await read_annotations(store)
    assert [(each.judge, type(each.body).__name__) for each in found] == [
        ("person Ada", "Label"),
        ("person Bo", "Comment"),
        ("person Bo", "Label"),
    ]
    assert found[0].body.target == target_of(judged)
    assert (found[1].tape, found[1].seq) == (name, 2)


async def test_a_target_holds_the_head_so_that_a_later_change_shows(store: Store) -> None:
    judged = await session(store)
    before = target_of(judged)
    agent = ph.Agent("clerk", model=ph.ScriptedModel(["No."]))
    later = await ph.run(agent, "Really?", tape=judged, store=store)
    assert target_of(later) != before
    assert target_of(later.at(len(judged))) == before


async def test_annotations_of_one_tape_are_found_among_others(store: Store) -> None:
    one, other = await session(store), await session(store)
    await annotate(store, [label(one, "yes"), label(other, "no")], by=ADA)
    await annotate(store, [label(other, "yes")], by=BO)
    assert len(await annotation_tapes(store)) == 2
    found = await read_annotations(store, of=[other.id])
    assert [(each.judge, each.body.value) for each in found] == [
        ("person Ada", "no"),
        ("person Bo", "yes"),
    ]
    assert await read_annotations(store, tapes=[]) == []


async def test_the_last_word_of_each_judge_counts(store: Store) -> None:
    judged = await session(store)
    target = target_of(judged)
    first = await annotate(store, [label(judged, "yes"), label(judged, "kind", "tone")], by=ADA)
    await annotate(store, [label(judged, "no"), label(judged, "yes", at=2)], by=ADA, tape=first)
    scores = [
        Score(target=target, name="good", value=0.7, passed=True),
        Score(target=target_of(judged, at=2), name="good", value=0.25),
        Score(target=target, name="good", error="the judge failed"),
        Score(name="good", value=1.0),  # of a trial that has no session
    ]
    await annotate(store, scores, by=RULE)
    assert ratings(await read_annotations(store), "good") == {
        "person Ada": {(judged.id, None): "no", (judged.id, 2): "yes"},
        "tool rule": {(judged.id, None): 1.0, (judged.id, 2): 0.25},
    }


async def test_what_was_erased_does_not_count(store: Store) -> None:
    judged = await session(store)
    name = await annotate(store, [label(judged, "yes"), label(judged, "no")], by=ADA)
    await store.erase(name, [2])
    assert [each.body.value for each in await read_annotations(store)] == ["yes"]


async def test_a_tape_of_a_known_id_is_begun_once_and_gone_on_with(store: Store) -> None:
    judged, known = await session(store), new_id()
    for value in ("yes", "no"):
        assert await annotate(store, [label(judged, value)], by=ADA, tape_id=known) == known
    assert await annotation_tapes(store) == [known]
    assert [each.body.value for each in await read_annotations(store)] == ["yes", "no"]
    (await store.open(known)).verify()
    with pytest.raises(EvaluationError, match="give one"):
        await annotate(store, [label(judged, "yes")], by=ADA, tape=known, tape_id=known)
    with pytest.raises(EvaluationError, match="annotations stand on a tape of their own"):
        await annotate(store, [label(judged, "yes")], by=ADA, tape_id=judged.id)


async def test_what_cannot_be_annotated_is_said(store: Store) -> None:
    judged = await session(store)
    with pytest.raises(EvaluationError, match="there is no step 99"):
        target_of(judged, at=99)
    with pytest.raises(EvaluationError, match="nothing to annotate"):
        await annotate(store, [], by=ADA)
    with pytest.raises(EvaluationError, match="annotations stand on a tape of their own"):
        await annotate(store, [label(judged, "yes")], by=ADA, tape=judged.id)
    with pytest.raises(TapeNotFoundError):
        await annotate(store, [label(judged, "yes")], by=ADA, tape="0" * 32)
    assert await annotation_tapes(store) == []


async def test_two_who_write_at_once_both_are_heard(tmp_path: Path) -> None:
    async with ph.SqliteStore(tmp_path / "t.db") as one, ph.SqliteStore(tmp_path / "t.db") as two:
        judged = await session(one)
        name = await annotate(one, [label(judged, "yes")], by=ADA)
        for _ in range(5):
            await annotate(two, [label(judged, "no")], by=BO, tape=name)
            await annotate(one, [label(judged, "yes")], by=ADA, tape=name)
        assert len(await read_annotations(one)) == 11
        (await one.open(name)).verify()
