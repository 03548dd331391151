"""Ranking by task text: right ones first, and none where none fits."""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import LibraryError
from playhead.experience.library import (
    Blanks,
    Candidate,
    Embedded,
    Lexical,
    Standing,
    rank,
    wilson_low,
    worth,
)

DATA = Path(os.environ.get("PLAYHEAD_DATA", "../shared/data"))
TEXTS = (
    "Cancel my next meeting with ana",
    "Cancel my next meeting with luis",
    "kofi is ill, please cancel my next meeting with them",
)
OTHERS = (
    "Plot total visits since May 3 as a bar chart",
    "Plot engaged users since June 5 as a line chart",
    "Make a bar chart of total visits since July 9",
)


def two(**changes: float) -> list[Candidate]:
    return [
        Candidate("cancel", TEXTS, changes.get("cancel", 1.0), frozenset({"delete"})),
        Candidate("plot", OTHERS, changes.get("plot", 1.0), frozenset({"plot"})),
    ]


def test_values_that_were_never_seen_do_not_matter() -> None:
    for text in (
        "Cancel my next meeting with zoltan",
        "Plot total visits since August 21 as a pie chart",
    ):
        ranking = rank(text, two())
        assert ranking.chosen is not None
        assert ranking.chosen.candidate.key == ("cancel" if "Cancel" in text else "plot")


def test_worth_decides_between_those_that_fit_and_never_makes_one_fit() -> None:
    same = frozenset({"delete"})
    alike = [Candidate("old", TEXTS, 0.2, same), Candidate("new", TEXTS, 0.9, same)]
    ranking = rank(TEXTS[0], alike)
    assert ranking.chosen is not None
    assert ranking.chosen.candidate.key == "new"
    chosen = rank("Cancel my next meeting with raj", two(cancel=0.01, plot=1.3)).chosen
    assert chosen is not None
    assert chosen.candidate.key == "cancel"


@pytest.mark.parametrize(
    "text",
    ["", "   ", "!!!", "\x00", "x" * 100_000, "with " * 20_000, "Ünïcödé 東京 🙂",
     "Delete everything",
     "Delete all meetings, and all customers, and send me the money by next Friday"],
)  # fmt: skip
def test_odd_texts_fit_nothing(text: str) -> None:
    assert rank(text, two()).chosen is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("I need to cancel my next meeting with raj. Can you do that for me please?", "cancel"),
        ("Hi, could you cancel my next meeting with Raj Patel? Thanks", "cancel"),
        ("I'd like a plot of total visits since May 3 as a bar chart, please", "plot"),
    ],
)
def test_how_politely_it_is_put_does_not_matter(text: str, key: str) -> None:
    chosen = rank(text, two()).chosen
    assert chosen is not None
    assert chosen.candidate.key == key


@pytest.mark.parametrize(
    "text",
    [
        "If ana is ill, cancel my next meeting with ana",
        "Cancel my next meeting with ana or luis, whoever has fewer",
        "Plot total visits since May 3 as a bar chart at 10:30",
    ],
)
def test_a_condition_a_choice_or_another_sort_of_thing_makes_it_another_kind(text: str) -> None:
    assert rank(text, two()).chosen is None


def test_words_that_are_read_as_values_do_not_count() -> None:
    text = "Show me red roses as a table"
    query = "Show me white lilies as a list"
    blank = Blanks(("red", "white", "roses", "lilies", "table", "list"))
    plain, typed = Candidate("one", (text,)), Candidate("one", (text,), blanks=blank)
    assert rank(query, [plain]).ranked[0].fit < rank(query, [typed]).ranked[0].fit
    assert rank(query, [typed]).ranked[0].fit == pytest.approx(1)


def test_what_stands_between_two_words_may_be_a_value() -> None:
    blank = Blanks(between=(("me", "as"),))
    one = Candidate("one", ("Show me red roses as a table",), blanks=blank)
    assert rank("Show me tall old green ferns as a table", [one]).ranked[0].fit == pytest.approx(1)


def test_no_experience_means_no_choice() -> None:
    assert rank("anything", []).chosen is None
    assert rank("anything", [Candidate("silent", ())]).chosen is None


@given(st.text(max_size=200), st.lists(st.lists(st.text(max_size=60), max_size=4), max_size=4))
def test_a_fit_is_a_share_and_order_of_candidates_does_not_matter(
    query: str, texts: list[list[str]]
) -> None:
    several = [Candidate(str(at), tuple(each)) for at, each in enumerate(texts)]
    one, other = rank(query, several), rank(query, several[::-1])
    assert all(0 <= each.fit <= 1 for each in one.ranked)
    assert one.ranked == other.ranked
    assert one.chosen == other.chosen


@given(
    st.lists(
        st.sampled_from(["cancel", "my", "next", "meeting", "with", "ana", "plot", "visits"]),
        min_size=4,
        max_size=12,
    )
)
def test_the_text_of_an_example_fits_best(text: list[str]) -> None:
    said = " ".join(text)
    assert Lexical()(said, [[said], ["something else altogether"]])[0] == pytest.approx(1)


def test_embeddings_stand_behind_the_same_interface() -> None:
    asked: list[Sequence[str]] = []

    def embed(texts: Sequence[str]) -> list[list[float]]:
        asked.append(texts)
        return [
            [float("meeting" in text), float("visits" in text or "users" in text)] for text in texts
        ]

    chosen = rank("Which meeting? That one.", two(), similarity=Embedded(embed)).chosen
    assert chosen is not None
    assert chosen.candidate.key == "cancel"
    assert len(asked) == 1
    assert rank("nothing", two(), similarity=Embedded(embed)).chosen is None
    with pytest.raises(LibraryError, match="one vector"):
        rank("x", two(), similarity=Embedded(lambda texts: [[1.0]]))


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_wilson_bound_is_below_the_share_and_grows_with_successes(good: int, bad: int) -> None:
    tried = good + bad
    low = wilson_low(good, tried)
    assert 0 <= low <= (good / tried if tried else 0)
    assert wilson_low(good + 1, tried + 1) >= low
    assert wilson_low(good, tried + 1) <= low or good == 0


def test_the_wilson_bound_is_that_of_the_textbook() -> None:
    assert wilson_low(8, 10, z=1.96) == pytest.approx(0.4902, abs=1e-4)
    assert wilson_low(0, 0) == 0


def test_ratings_and_audits_weigh_little_beside_success() -> None:
    proven = worth(Standing(good=20))
    praised = worth(Standing(good=20, bad=20, stars=500, ratings=100, audited=True))
    assert proven > praised
    assert worth(Standing(good=3, audited=True)) > worth(Standing(good=3))
    one_star = Standing(good=3, stars=1, ratings=1)
    assert worth(one_star) < worth(Standing(good=3)) < worth(Standing(good=3, stars=5, ratings=1))


@pytest.mark.skipif(not (DATA / "workbench").is_dir(), reason=f"no recorded data at {DATA}")
@pytest.mark.parametrize(("share", "right", "wrong"), [(1.0, 0.9, 0.015), (0.75, 0.9, 0.02)])
def test_recorded_tasks_find_the_experience_of_their_kind(
    share: float, right: float, wrong: float
) -> None:
    """Three texts a kind are known; of some kinds none: they have to be refused."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for line in (DATA / "workbench" / "tasks.jsonl").read_text().splitlines():
        task = json.loads(line)
        kinds[task["family"]].append(task["query"])
    count = {"right": 0, "wrong": 0, "known": 0, "all": 0}
    for seed in range(3):
        dice = random.Random(seed)
        known = set(dice.sample(sorted(kinds), round(share * len(kinds))))
        texts = {kind: dice.sample(kinds[kind], 3) for kind in sorted(known)}
        library = [Candidate(kind, tuple(each)) for kind, each in texts.items()]
        for kind in sorted(kinds):
            for query in set(kinds[kind]) - set(texts.get(kind, ())):
                chosen = rank(query, library).chosen
                found = chosen.candidate.key if chosen else None
                count["all"] += 1
                count["known"] += kind in known
                count["right"] += found == kind
                count["wrong"] += found not in (None, kind)
    assert count["right"] >= right * count["known"], count
    assert count["wrong"] <= wrong * count["all"], count
