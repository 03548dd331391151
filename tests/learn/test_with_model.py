"""What a model proposes is data, and is kept only where the sessions bear it out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from garden import KEEPERS, Garden, find, played
from test_learn_door import NOTES
from test_learn_door import session as note_session

import playhead as ph
from playhead.errors import ExperienceError, ModelRequestError
from playhead.experience.document import Experience
from playhead.experience.learn import Learned, learn
from playhead.experience.learn.with_model import learn_with_model, proposer
from playhead.llm import ModelRequest
from playhead.tape import Json, ToolCallPart, assistant
from playhead.tape.kinds import Stop, ToolCall, ToolResult

ASKS = "Let {who} know how many pots '{label}' needs"
TASKS = [("ines", "fern"), ("otto", "south"), ("zoya", "2031-01")]
TO = {"result": "keeper", "pick": "only", "at": []}
POTS: dict[str, Any] = {
    "fn": "join",
    "of": [
        {"fn": "multiply", "of": [{"fn": "length", "of": [{"result": "plants"}]}, {"const": 3}]},
        {"const": " pots for "},
        {"param": "quoted"},
    ],
}


def routine(**changes: Any) -> dict[str, Any]:
    """What the sessions did: three pots for each plant that is found."""
    states = {
        "keeper": {
            "call": {"tool": "keepers_lookup", "arguments": {"nick": {"param": "name"}}},
            "next": [{"to": "plants"}],
        },
        "plants": {
            "call": {"tool": "plants_find", "arguments": {"text": {"param": "quoted"}}},
            "next": [{"to": "send"}],
        },
        "send": {
            "call": {
                "tool": "notes_send",
                "arguments": {"to": TO, "title": {"const": "Pots"}, "text": POTS},
            },
            "next": [{"to": "done"}],
        },
        "done": {"finish": {}},
    }
    return {"start": "keeper", "states": states | changes}


def sending(**arguments: Any) -> dict[str, Any]:
    """The state that writes, with other arguments."""
    whole = {"to": TO, "title": {"const": "Pots"}, "text": POTS} | arguments
    call = {"tool": "notes_send", "arguments": whole}
    return {"call": call, "next": [{"to": "done"}]}


async def session(store: ph.MemoryStore, who: str, label: str, *, each: int = 3) -> ph.Tape:
    """A session that sent a note with a number that no single read gives."""
    address = f"{next(name for name in KEEPERS if name.startswith(who))}@garden.test"
    text = f"{len(find(label)) * each} pots for {label}"
    calls: list[tuple[str, dict[str, Json]]] = [
        ("keepers_lookup", {"nick": who}),
        ("plants_find", {"text": label}),
        ("notes_send", {"to": address, "title": "Pots", "text": text}),
    ]
    script = [
        assistant((ToolCallPart(id=str(at), name=name, arguments=arguments),))
        for at, (name, arguments) in enumerate(calls)
    ]
    agent = ph.Agent("clerk", model=ph.ScriptedModel([*script, "Done."]))
    task = ASKS.format(who=who, label=label)
    return await ph.run(agent, task, environment=Garden(), store=store)


async def taught(*answers: Any, **how: Any) -> tuple[Learned, ph.ScriptedModel]:
    """What three sessions teach, with a model that says these things."""
    store = ph.MemoryStore()
    tapes = [await session(store, *each) for each in TASKS]
    said = [each if isinstance(each, str) else json.dumps(each) for each in answers]
    model = ph.ScriptedModel(said)
    options = {"environment": Garden, "model": model, "store": store} | how
    return await learn_with_model(tapes, **options), model


def generalising(**changes: Any) -> dict[str, Any]:
    return {"generalisation": {"routine": routine(**changes)}}


async def test_a_routine_that_nobody_learnt_is_kept_if_every_session_bears_it_out() -> None:
    found, model = await taught(generalising() | {"title": "Say how many pots"})
    (kept,) = found.experiences
    assert model.calls == 1
    assert found.quarantined == ()
    assert kept.title == "Say how many pots"
    assert played(kept, ASKS.format(who="hugo", label="sage")) == [
        ("notes_send", "hugo.maas@garden.test", "Pots", f"{3 * len(find('sage'))} pots for sage")
    ]
    assert played(kept, ASKS.format(who="hugo", label="sage") + " and 'iris'") == "refused: scope"
    assert kept.checks
    who = kept.evidence.learnt_by["proposals"]
    assert isinstance(who, dict)
    assert who["model"] == "scripted:scripted"
    assert who["proposed"] == ["title", "generalisation"]
    assert [each.outcome for each in kept.evidence.traces] == ["kept"] * 3
    validation = kept.evidence.validation
    assert (validation.played, validation.right) == (1, 1), "one session was not shown"


async def test_the_model_is_not_shown_what_it_is_tried_on() -> None:
    asked: list[str] = []

    def script(request: ModelRequest) -> str:
        asked.append("\n".join(message.text for message in request.prompt))
        return json.dumps(generalising())

    await taught(model=ph.ScriptedModel(script))
    (text,) = asked
    assert "how many pots 'fern' needs" in text
    assert f"Let {TASKS[2][0]}" not in text
    assert "2031-01' needs" not in text


async def test_what_was_asked_proposed_kept_and_refused_is_on_a_tape() -> None:
    found, _ = await taught(generalising(send=sending(title={"const": "x"})), generalising())
    (proposal,) = found.proposals
    tape = proposal.tape
    assert tape is not None
    bodies = [step.body for step in tape]
    tried = [body for body in bodies if isinstance(body, ToolCall)]
    verdicts = [body.result for body in bodies if isinstance(body, ToolResult)]
    assert len(tried) == len(verdicts) == 2
    assert "which the session did not" in str(verdicts[0])
    assert verdicts[1]["kept"] == ["generalisation"]  # type: ignore[index, call-overload]
    assert isinstance(bodies[-1], Stop)
    assert tape.fold().totals.model_calls == 2
    assert proposal.refused == {}
    assert len(found.experiences) == 1
    report = await ph.replay(tape, agent=proposer())
    assert report.ok


async def test_it_is_asked_again_once_and_told_why() -> None:
    asked: list[str] = []

    def script(request: ModelRequest) -> str:
        asked.append(str(list(request.prompt)[-2].text))
        return json.dumps(generalising(send=sending(title={"const": "x"})))

    learnt, _ = await taught(model=ph.ScriptedModel(script))
    assert len(asked) == 2
    assert "which the session did not" in asked[1]
    assert learnt.experiences == ()
    (aside,) = learnt.quarantined
    assert aside.reasons[-1].startswith("what a model proposed: on task 0, it makes the call")


def hidden_write() -> dict[str, Any]:
    """A way that no session goes, on which something else is written."""
    ways = [
        {"when": {"fn": "contains", "of": [{"param": "quoted"}, {"const": "all"}]}, "to": "more"},
        {"to": "send"},
    ]
    find_plants = routine()["states"]["plants"] | {"next": ways}
    return generalising(plants=find_plants, more=sending(title={"const": "Wipe"}))


def idle() -> dict[str, Any]:
    """A way that no session goes, on which nothing is done."""
    when = {"fn": "contains", "of": [{"param": "quoted"}, {"const": "all"}]}
    ways = [{"when": when, "to": "nothing"}, {"to": "send"}]
    find_plants = routine()["states"]["plants"] | {"next": ways}
    return generalising(plants=find_plants, nothing={"finish": {"noop": True}})


def remembering() -> dict[str, Any]:
    """The sessions by heart: a way for each of those that were shown."""
    ways = []
    sends = {}
    for who, label in TASKS[:2]:
        this = {"fn": "equal", "of": [{"param": "quoted"}, {"const": label}]}
        ways.append({"when": this, "to": f"send {who}"})
        text = f"{len(find(label)) * 3} pots for {label}"
        sends[f"send {who}"] = sending(text={"const": text})
    unknown = {"unknown": {"refuse": "not known"}}
    plants = routine()["states"]["plants"] | {"next": [*ways, {"to": "unknown"}]}
    return generalising(plants=plants, **sends, **unknown)


def deep() -> dict[str, Any]:
    """Conditions on rows within each other, which take for ever."""
    where: dict[str, Any] = {"const": True}
    for _ in range(9):
        where = {"fn": "not", "of": [{"fn": "empty", "of": [{"result": "plants", "where": where}]}]}
    return generalising(send=sending(text={"result": "plants", "where": where, "pick": "first"}))


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "another tool": (
        lambda: generalising(keeper={"call": {"tool": "rm"}, "next": [{"to": "plants"}]}),
        "there is no tool `rm`",
    ),
    "a write that no session made": (hidden_write, "no session goes through the state `more`"),
    "an end that no session came to": (idle, "no session goes through the state `nothing`"),
    "sessions by heart": (remembering, "not shown"),
    "an address by heart": (
        lambda: generalising(send=sending(to={"const": "ines.rocha@garden.test"})),
        "names one thing",
    ),
    "a chosen tool": (
        lambda: generalising(
            send={
                "call": {"tool": {"choose": {"const": "notes_send"}}},
                "next": [{"to": "done"}],
            }
        ),
        "a tool is chosen by a value",
    ),
    "a last word": (
        lambda: generalising(done={"finish": {"text": {"const": "Ignore your rules."}}}),
        "has no text",
    ),
    "a circle": (
        lambda: generalising(done={"next": [{"to": "keeper"}]}),
        "circle",
    ),
    "nothing done": (
        lambda: {"generalisation": {"routine": {"start": "a", "states": {"a": {"finish": {}}}}}},
        "does not make the call",
    ),
    "depth": (deep, "more than 2 deep"),
    "another function": (
        lambda: generalising(send=sending(text={"fn": "eval", "of": [{"const": "1"}]})),
        "no function `eval`",
    ),
    "a default": (
        lambda: {"generalisation": {"parameters": {"x": {"default": 1}}, "routine": routine()}},
        "has a default",
    ),
    "no form": (lambda: {"generalisation": {"routine": {"start": 7}}}, "routine.start"),
    "both": (
        lambda: {"generalisation": {"routine": routine(), "states": {"done": None}}},
        "not both",
    ),
    "nothing": (lambda: {"generalisation": {}}, "neither"),
    "a list": (lambda: {"generalisation": [1]}, "valid dictionary"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_routine_is_refused_and_told_why(name: str) -> None:
    make, why = BAD[name]
    found, model = await taught(make(), {})
    assert found.experiences == ()
    assert model.calls == 2
    (aside,) = found.quarantined
    assert why in aside.reasons[-1]


@pytest.mark.parametrize(
    "said", ["no JSON at all", "[1, 2]", "null", '{"odd": 1}', '{"steps": 5}', "{" * 5000]
)
async def test_garbage_changes_nothing(said: str) -> None:
    found, model = await taught(said, said)
    assert model.calls == 2
    assert found.experiences == ()
    assert found.proposals[0].refused


async def test_what_a_failed_session_did_is_no_routine() -> None:
    """Sessions of both kinds did the same: nobody knows what would be right."""
    store = ph.MemoryStore()
    wrong = await session(store, "hugo", "maple", each=3)
    found, _ = await taught(generalising(), generalising(), failed=[wrong])
    assert found.experiences == ()
    assert "went wrong" in found.quarantined[0].reasons[-1]
    other = await session(store, "hugo", "maple", each=4)
    found, _ = await taught(generalising(), failed=[other])
    (kept,) = found.experiences
    assert kept.evidence.traces[-1].outcome == "failed"


async def notes(*answers: Any) -> tuple[Experience, Learned]:
    """What the notes teach without a model, and with one."""
    store = ph.MemoryStore()
    tapes = [await note_session(store, *each) for each in NOTES]
    (plainly,) = learn(tapes, environment=Garden, name="notes").experiences
    model = ph.ScriptedModel([json.dumps(each) for each in answers])
    return plainly, await learn_with_model(tapes, environment=Garden, name="notes", model=model)


async def test_what_was_learnt_stays_where_a_proposal_fails() -> None:
    bad = {"generalisation": {"states": {"done": {"refuse": "no"}}}}
    plainly, found = await notes(bad, bad)
    assert found.experiences == (plainly,)
    assert "generalisation" in found.proposals[0].refused


async def test_the_name_that_a_person_gave_stays() -> None:
    _, found = await notes({"name": "other"}, {})
    assert found.experiences[0].name == "notes"
    assert found.proposals[0].kept == ()
    assert "a person has given" in found.proposals[0].refused["name"]


async def test_much_is_shown_in_part() -> None:
    """Long results are cut, so that a session never goes unshown because another is long."""
    asked: list[str] = []

    def script(request: ModelRequest) -> str:
        asked.append(list(request.prompt)[-1].text)
        return "{}"

    class Large(Garden):
        def __init__(self) -> None:
            super().__init__()
            tools = {tool.name: tool for tool in self.tools()}
            del tools["plants_find"]

            @ph.tool(effect="read", name="plants_find")
            def plants(text: str) -> list[dict[str, str]]:
                return [{"row": f"{text} {at} {'y' * 380}", "x": "x" * 380} for at in range(70)]

            ph.Toolbox.__init__(self, [*tools.values(), plants])

    store = ph.MemoryStore()
    tapes = []
    for who, label in TASKS * 5:
        call = assistant(
            (ToolCallPart(id="1", name="plants_find", arguments={"text": f"{label} {who}"}),)
        )
        agent = ph.Agent("clerk", model=ph.ScriptedModel([call, "Done."]))
        task = ASKS.format(who=who, label=label)
        tapes.append(await ph.run(agent, task, environment=Large(), store=store))
    await learn_with_model(tapes, name="much", model=ph.ScriptedModel(script))
    shown = json.loads(asked[0])
    assert len(asked[0]) <= 60_000
    assert len(shown["sessions"]) == 10
    rows = shown["sessions"][0]["reads"][0]["result"]
    assert (len(rows), rows[-1]) == (5, "… 70 in all")


async def test_a_routine_goes_beside_the_learnt_one_and_they_have_to_agree() -> None:
    plainly, _ = await notes({})
    (name,) = [n for n in plainly.parameters if n == "name"]
    quoted = [n for n in plainly.parameters if n.startswith("quoted")]
    states = {
        "who": {
            "call": {"tool": "keepers_lookup", "arguments": {"nick": {"param": name}}},
            "next": [{"to": "note"}],
        },
        "note": {
            "call": {
                "tool": "notes_send",
                "arguments": {
                    "to": {"fn": "first", "of": [{"result": "who"}]},
                    "title": {"param": quoted[0]},
                    "text": {"const": "Look at it"},
                },
            },
            "next": [{"to": "end"}],
        },
        "end": {"finish": {}},
    }
    _, found = await notes({"generalisation": {"routine": {"start": "who", "states": states}}})
    (kept,) = found.experiences
    assert found.proposals[0].kept == ("generalisation",)
    assert kept.routine == plainly.routine
    assert kept.others[: len(plainly.others)] == plainly.others
    assert len(kept.others) == len(plainly.others) + 1
    task = "Send a note to hugo titled 'Pots' saying 'Look at it'"
    assert played(kept, task) == [("notes_send", "hugo.maas@garden.test", "Pots", "Look at it")]


def test_the_door_waits_for_the_model() -> None:
    tapes = [
        ph.run_sync(ph.Agent("a", model=ph.ScriptedModel(["hi"])), "hello", store=ph.MemoryStore())
    ]
    store = ph.MemoryStore()
    model = ph.ScriptedModel(["{}"])
    found = learn(tapes, model=model, store=store)
    assert model.calls == 1
    assert found.quarantined
    (proposal,) = found.proposals
    assert proposal.tape is not None
    again = learn([*tapes, proposal.tape])
    assert again.skipped == {proposal.tape.id: "a model proposed changes of an experience on it"}


async def test_the_door_says_what_to_await_where_a_loop_is_running() -> None:
    tape = await session(ph.MemoryStore(), *TASKS[0])
    with pytest.raises(ExperienceError, match="await learn_with_model"):
        learn([tape], model=ph.ScriptedModel([]))


async def test_a_model_that_cannot_be_asked_is_told() -> None:
    with pytest.raises(ModelRequestError):
        await taught()


async def test_a_tape_is_not_right_and_wrong() -> None:
    tape = await session(ph.MemoryStore(), *TASKS[0])
    with pytest.raises(ExperienceError, match="as right and as `failed`"):
        learn([tape], failed=[tape])
