"""How task texts are read: words around a mention, what is named twice, what is left out."""

from __future__ import annotations

import pytest
from garden import PLANTS, TOOLS, call, played, probe, taught, trace

from playhead.experience.learn import Trace, learn_traces
from playhead.experience.learn._atoms import templates, world_of
from playhead.experience.learn._candidates import Candidate
from playhead.experience.routine import const, fn
from playhead.experience.values import find_mentions

NOW = "2031-04-10 08:00:00"


def note(number: int, task: str, who: str, title: str) -> Trace:
    address = next(row["keeper"] for row in PLANTS if row["keeper"].startswith(who))
    calls = [call("keepers_lookup", nick=who)]
    return trace(number, task, *calls, call("notes_send", to=address, title=title, text="Hello"))


def notes(form: str) -> list[Trace]:
    told = [("ines", "zoya", "Ferns"), ("otto", "hugo", "Pots"), ("bruna", "pavel", "Keys")]
    return [
        note(at, form.format(who=who, other=other, title=title), who, title)
        for at, (who, other, title) in enumerate(told, 1)
    ]


def test_the_words_around_a_mention_count_before_its_place() -> None:
    learnt = taught(notes("For {other}: write to {who} about '{title}'"))
    turned = "Please write to hugo about 'Soil' for ines"
    assert played(learnt, turned) == [("notes_send", "hugo.maas@garden.test", "Soil", "Hello")]


def test_words_that_contradict_each_other_are_refused() -> None:
    learnt = taught(notes("Write to {who} about '{title}' for {other}"))
    assert str(played(learnt, "Write to hugo to zoya about 'Soil' for ines")).startswith("refused")


def test_what_words_leave_needs_no_words_of_its_own() -> None:
    """A text may name things in another order; where its words are new, the place tells nothing."""
    learnt = taught(notes("Give {who} the note '{title}' for {other}"))
    turned = "As a note for ines I have 'Soil', which hugo should get"
    assert played(learnt, turned) == [("notes_send", "hugo.maas@garden.test", "Soil", "Hello")]
    unknown = "The note 'Soil' that ines wrote should go to hugo"
    assert str(played(learnt, unknown)).startswith("refused")


def test_a_text_of_several_parts_holds_nothing_of_one_session() -> None:
    parts = [
        Candidate("name", "name", (), ("ines", "otto")),
        Candidate("quoted", "quoted", (), ("Ferns", "Maples")),
    ]
    made = list(templates(world_of(NOW, parts, 0), "ines on Ferns", parts))
    assert made[0] == fn("join", ("param", "name"), const(" on "), ("param", "quoted"))
    assert all(const(" on ") in each[2] for each in made)


def test_what_is_named_twice_is_one_thing() -> None:
    learnt = taught(notes("Write to {who} about '{title}'"))
    once = "Write to pavel about 'Soil', yes, 'Soil'"
    assert played(learnt, once) == [("notes_send", "pavel.novak@garden.test", "Soil", "Hello")]
    assert played(learnt, "Write to pavel about 'Soil' and 'Pots'") == "refused: scope"


def label(number: int, who: str, said: str, label: str) -> Trace:
    address = next(row["keeper"] for row in PLANTS if row["keeper"].startswith(who))
    task = f"Write a note{said} to {who}"
    calls = [call("keepers_lookup", nick=who)]
    return trace(number, task, *calls, call("notes_send", to=address, title=label, text="Hello"))


def test_what_all_sessions_took_for_granted_is_the_default() -> None:
    learnt = taught(
        [
            label(1, "ines", " of kind urgent", "urgent"),
            label(2, "otto", "", "plain"),
            label(3, "bruna", " of kind plain", "plain"),
            label(4, "hugo", " of kind urgent", "urgent"),
            label(5, "zoya", "", "plain"),
        ]
    )
    assert played(learnt, "Write a note to pavel") == [
        ("notes_send", "pavel.novak@garden.test", "plain", "Hello")
    ]
    assert played(learnt, "Write a note of kind urgent to pavel") == [
        ("notes_send", "pavel.novak@garden.test", "urgent", "Hello")
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("move aisha's overdue tasks", ["aisha"]),
        ("book it with whoeveris assigned", []),  # two words that were run together
        ("plot the distribution of hardware", []),
        ("write to Grant about distribution", ["Grant"]),
        ("Distribution of notes for marlon", ["marlon"]),
    ],
)
def test_plain_words_are_no_names(text: str, names: list[str]) -> None:
    found = [each.value for each in find_mentions(text, now=NOW) if each.kind == "name"]
    assert found == names


def pool(odd: str) -> list[list[str]]:
    told = [("ines", "Ferns"), ("otto", "Pots"), ("bruna", "Keys")]
    good = [note(at, f"Write to {who} about '{t}'", who, t) for at, (who, t) in enumerate(told, 1)]
    write = call("notes_send", to="hugo.maas@garden.test", title="elsewhere", text="7")
    learnt = learn_traces([*good, trace(4, odd, write)], dict(TOOLS), probe=probe)
    return [[each.tape for each in made.evidence.traces] for made in learnt.experiences]


def test_a_group_that_teaches_nothing_is_parted() -> None:
    assert ["t1", "t2", "t3"] in pool("Write to hugo about 'Soil' and 'Pots'")


def test_a_part_that_a_session_much_like_it_contradicts_is_not_kept() -> None:
    assert pool("Write to hugo about 'Soil' in a moment") == []
