"""Learning from tapes, from the command line, and with a model that proposes words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from garden import TOOLS, Garden, played, probe, taught
from test_induction import SEND, three_notes
from typer.testing import CliRunner

import playhead as ph
from playhead.cli._app import app
from playhead.errors import ExperienceError
from playhead.experience.learn import clean, learn
from playhead.experience.learn.with_model import propose
from playhead.experience.library import Library
from playhead.tape import ToolCallPart, assistant

NOTES = [("ines", "rocha", "Ferns"), ("otto", "lindt", "Maples"), ("zoya", "orlova", "Keys")]


async def session(
    store: ph.MemoryStore | ph.SqliteStore, first: str, last: str, title: str
) -> ph.Tape:
    """A session of a scripted agent that does the task."""
    address = f"{first}.{last}@garden.test"
    script = [
        assistant((ToolCallPart(id="1", name="keepers_lookup", arguments={"nick": first}),)),
        assistant(
            (
                ToolCallPart(
                    id="2",
                    name="notes_send",
                    arguments={"to": address, "title": title, "text": "Look at it"},
                ),
            )
        ),
        "Done.",
    ]
    return await ph.run(
        ph.Agent("clerk", model=ph.ScriptedModel(script)),
        SEND.format(who=first, title=title, text="Look at it"),
        environment=Garden(),
        store=store,
    )


async def test_tapes_of_failed_sessions_count_against_what_does_the_same() -> None:
    store = ph.MemoryStore()
    tapes = [await session(store, *each) for each in NOTES]
    failed = await session(store, "pavel", "novak", "Pots")
    learnt = learn(tapes, environment=Garden, failed=[failed])
    assert not learnt.experiences
    assert len(learn(tapes, environment=Garden).experiences) == 1


async def test_tapes_teach_with_and_without_an_environment() -> None:
    store = ph.MemoryStore()
    tapes = [await session(store, *each) for each in NOTES]
    made: list[Garden] = []

    def fresh() -> Garden:
        made.append(Garden())
        return made[-1]

    for how in ({"environment": fresh}, {}):
        found = learn(tapes, name="notes", **how)  # type: ignore[arg-type]
        (learnt,) = found.experiences
        assert played(learnt, SEND.format(who="hugo", title="Pots", text="Two")) == [
            ("notes_send", "hugo.maas@garden.test", "Pots", "Two")
        ]
        assert [each.tape for each in learnt.evidence.traces] == [tape.id for tape in tapes]
        assert learnt.evidence.validation.wrong == 0
        assert learnt.procedure.steps
    assert len(made) == 1
    assert made[0].written == [], "learning only reads"


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(ExperienceError, match="no tape"):
        learn([])


def test_a_session_that_did_nothing_teaches_nothing() -> None:
    tape = ph.run_sync(
        ph.Agent("a", model=ph.ScriptedModel(["hi"])), "hello", store=ph.MemoryStore()
    )
    found = learn([tape], name="greet")
    assert found.experiences == ()
    assert found.quarantined[0].traces == (tape.id,)


def test_the_command_learns_writes_and_does_not_overwrite(tmp_path: Path) -> None:
    place = tmp_path / "tapes.db"

    async def record() -> None:
        async with ph.SqliteStore(place) as store:
            for each in NOTES:
                await session(store, *each)

    asyncio.run(record())
    out = tmp_path / "learnt"
    words = ["learn", "--from", "agent=clerk", "--name", "notes", "-o", str(out)]
    words += ["--store", str(place)]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert [each["name"] for each in said["experiences"]] == ["notes"]
    path = out / "notes.yaml"
    assert path.exists()
    with Library(tmp_path / "library.db") as library:
        kept = library.get("notes")
        baseline = library.ledger.baseline(kept.digest)
    assert kept.state == "trusted"
    assert baseline is not None
    assert baseline.sessions == len(NOTES)
    assert CliRunner().invoke(app, words).exit_code == 0, "the same again is no fault"
    path.write_text("mine", encoding="utf-8")
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert path.read_text(encoding="utf-8") == "mine"
    assert CliRunner().invoke(app, [*words, "--force"]).exit_code == 0
    assert CliRunner().invoke(app, ["learn", "--store", str(place)]).exit_code == 2
    odd = CliRunner().invoke(app, ["learn", "--from", "x=1", "--store", str(place)])
    assert odd.exit_code == 2


async def test_what_a_model_proposes_is_kept_only_if_it_holds() -> None:
    traces = three_notes()
    examples = [clean(each, TOOLS) for each in traces]
    learnt = taught(traces)
    proposal = {
        "name": "send-note",
        "title": "x" * 500,
        "description": "Sends a note to a keeper.",
        "steps": ["Look the keeper up.", "Send the note."],
        "wordings": [
            {
                "of": 0,
                "text": "A note for ines, please, titled 'Ferns' and saying 'They need water'",
            },
            {"of": 1, "text": "A note for zoya titled 'Maples' saying 'Please look at them'"},
            {"of": 7, "text": "no such task"},
        ],
    }
    model = ph.ScriptedModel([json.dumps(proposal)])
    found = await propose(learnt, examples, model=model, probe=probe)
    assert found.experience.name == "send-note"
    assert found.experience.procedure.steps == ("Look the keeper up.", "Send the note.")
    assert set(found.refused) == {"title", "wording 1", "wording 2"}
    assert found.experience.scope.examples[-1] == proposal["wordings"][0]["text"]
    assert found.experience.routine == learnt.routine


@pytest.mark.parametrize("said", ["no JSON", "[1]", '{"name": "../x"}'])
async def test_a_model_that_says_nonsense_changes_nothing(said: str) -> None:
    traces = three_notes()
    learnt = taught(traces)
    examples = [clean(each, TOOLS) for each in traces]
    try:
        found = await propose(learnt, examples, model=ph.ScriptedModel([said]), probe=probe)
    except ExperienceError:
        return
    assert found.experience == learnt
    assert found.refused
