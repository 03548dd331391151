"""Laws of learning: what was learnt does what the traces did; deciding is pure; documents last."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from garden import KEEPERS, NOW, TOOLS, call, probe, taught, trace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.errors import ExperienceFileError
from playhead.experience.document import (
    experience_digest,
    experience_of,
    experience_yaml,
    read_experience,
)
from playhead.experience.learn import Trace, clean
from playhead.experience.learn._validate import replayed
from playhead.experience.routine import Calls, Inputs, PastCall, decide

WORDS = st.text(string.ascii_letters + " ", min_size=3, max_size=20).map(str.strip).filter(bool)


@st.composite
def sessions(draw: st.DrawFn) -> list[Trace]:
    """Sessions of one kind of task in a world of which names, texts and order are drawn."""
    people = draw(st.lists(st.sampled_from(KEEPERS), min_size=2, max_size=4, unique=True))
    titles = draw(st.lists(WORDS, min_size=len(people), max_size=len(people), unique=True))
    wording = draw(st.sampled_from(["Tell {} '{}'", "Please write '{1}' to {0}", "{} needs '{}'"]))
    found = []
    for number, (person, title) in enumerate(zip(people, titles, strict=True)):
        first = person.partition(".")[0]
        read = call("keepers_lookup", nick=first)
        write = call("notes_send", to=read.result[0], title=title, text=title)
        found.append(trace(number, wording.format(first, title), read, write))
    return found


@given(sessions())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_learnt_does_what_the_sessions_did(traces: list[Trace]) -> None:
    learnt = taught(traces)
    if isinstance(learnt, tuple):
        return  # quarantined: nothing is claimed
    for each in traces:
        assert replayed(learnt, clean(each, TOOLS), probe) in ("right", "refused")


@given(sessions())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_learning_is_the_same_twice_and_documents_read_back(traces: list[Trace]) -> None:
    one, other = taught(traces), taught(traces)
    if isinstance(one, tuple):
        assert one == other
        return
    assert experience_digest(one) == experience_digest(other)
    again = experience_of(one.model_dump(mode="json", by_alias=True))
    assert again == one


def test_most_drawn_worlds_are_learnt_from() -> None:
    """The law above would hold of a learner that learns nothing."""
    counts = {True: 0, False: 0}

    @given(sessions())
    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    def count(traces: list[Trace]) -> None:
        counts[isinstance(taught(traces), tuple)] += 1

    count()
    assert counts[False] > counts[True]


def test_a_document_is_read_back_from_its_yaml(tmp_path: Path) -> None:
    read = call("keepers_lookup", nick="ines")
    write = call("notes_send", to=read.result[0], title="007", text="no: 'yes' # 1e3\nnull")
    learnt = taught([trace(1, "Tell ines '007'", read, write)])
    path = tmp_path / "it.yaml"
    path.write_text(experience_yaml(learnt), encoding="utf-8")
    assert read_experience(path) == learnt
    assert experience_digest(read_experience(path)) == experience_digest(learnt)


def test_deciding_is_pure_and_nothing_is_asked_for_twice() -> None:
    read = call("keepers_lookup", nick="ines")
    write = call("notes_send", to=read.result[0], title="Ferns", text="Ferns")
    learnt = taught([trace(1, "Tell ines 'Ferns'", read, write)])
    inputs = Inputs("Tell otto 'Pots'", NOW)
    past: list[PastCall] = []
    seen: set[str] = set()
    while isinstance(decision := decide(learnt, inputs, tuple(past)), Calls):
        assert decision == decide(learnt, inputs, list(past))
        for each in decision.calls:
            assert each.key not in seen
            seen.add(each.key)
            past.append(call(each.tool, **each.arguments))
    assert len(past) == 2
    other = [past[0], PastCall("notes_send", {"to": "x", "title": "y", "text": "z"}, "done")]
    assert decide(learnt, inputs, other).code == "diverged"  # type: ignore[union-attr]
    failed = [PastCall("keepers_lookup", {"nick": "otto"}, None, "closed")]
    assert decide(learnt, inputs, failed).code == "failed"  # type: ignore[union-attr]


MINIMAL = {
    "experience": 1,
    "name": "tell",
    "tools": {"send": {"effect": "write"}},
    "routine": {
        "start": "a",
        "states": {
            "a": {"call": {"tool": "send", "arguments": {}}, "next": [{"to": "b"}]},
            "b": {"finish": {}},
        },
    },
}


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("routine", "start"), "x", "no state"),
        (("routine", "states", "a", "next"), [{"to": "x"}], "no state"),
        (("routine", "states", "a", "next"), [{"to": "a"}], "circle"),
        (("routine", "states", "a", "next"), [], "ends nowhere"),
        (("routine", "states", "a", "call", "tool"), "other", "not among `tools`"),
        (("routine", "states", "a", "call", "arguments"), {"x": {"param": "p"}}, "no parameter"),
        (("routine", "states", "a", "call", "arguments"), {"x": {"result": "q"}}, "no call state"),
        (
            ("routine", "states", "a", "call", "arguments"),
            {"x": {"fn": "eval", "of": [{"const": "1"}]}},
            "no function",
        ),
        (
            ("routine", "states", "a", "call", "arguments"),
            {"x": {"fn": "day", "of": []}},
            "takes 1 values",
        ),
        (("routine", "states", "a", "call", "arguments"), {"x": {"regex": "(a+)+"}}, "arguments"),
        (("name",), "../../etc", "name"),
        (("surplus",), 1, "surplus"),
    ],
)
def test_a_document_that_cannot_be_played_is_refused(
    place: tuple[str, ...], value: object, said: str
) -> None:
    import copy

    document = copy.deepcopy(MINIMAL)
    experience_of(document)  # as it is, it is fine
    part: dict = document
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    with pytest.raises(ExperienceFileError, match=said):
        experience_of(document)


def test_an_endless_nesting_and_a_huge_document_are_refused(tmp_path: Path) -> None:
    import copy

    deep: dict = {"const": 1}
    for _ in range(200):
        deep = {"fn": "text", "of": [deep]}
    document = copy.deepcopy(MINIMAL)
    document["routine"]["states"]["a"]["call"]["arguments"] = {"x": deep}  # type: ignore[index]
    with pytest.raises(ExperienceFileError):
        experience_of(document)
    document["routine"]["states"]["a"]["call"]["arguments"] = {}  # type: ignore[index]
    document["description"] = "x" * 2_000_000
    with pytest.raises(ExperienceFileError):
        experience_of(document)
    path = tmp_path / "other.yaml"
    path.write_text("include: other.yaml\n", encoding="utf-8")
    with pytest.raises(ExperienceFileError):
        read_experience(path)
