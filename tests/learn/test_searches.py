"""Searches that sessions did not make as they should be, and rows that are cut off."""

from __future__ import annotations

from typing import Any

import pytest
from shop import NOW, ORDERS, SHOWN, VISITS, call, orders, played, taught, trace, visits

from playhead.experience.document import experience_yaml


def next_visit(title: str) -> str:
    return next(v["visit_id"] for v in VISITS if v["title"] == title and v["starts_at"] > NOW)


def cancelling(number: int, title: str, *, how: str = "Cancel the next {} visit") -> Any:
    read = call("visits_search", text=title)
    write = call("visit_cancel", visit_id=next_visit(title))
    return trace(number, how.format(title), read, write)


def test_words_between_the_same_words_are_found_in_another_text() -> None:
    titles = ("spring fair planning", "stock count", "Price Talk")
    learnt = taught([cancelling(at, each) for at, each in enumerate(titles)])
    assert played(learnt, "Cancel the next Press Tour visit") == [next_visit("Press Tour")]
    assert played(learnt, "Cancel the next open day visit") == [next_visit("open day")]


def test_a_text_with_other_words_around_is_refused() -> None:
    titles = ("spring fair planning", "stock count", "Price Talk")
    learnt = taught([cancelling(at, each) for at, each in enumerate(titles)])
    for task in (
        "Cancel the last Press Tour trip",
        "Cancel the next visit",
        "Cancel it. Next. A visit",
    ):
        assert str(played(learnt, task)).startswith("refused")


def test_what_is_still_to_come_is_asked_for_where_earlier_rows_fill_the_result() -> None:
    assert len(visits("stock count")) == SHOWN
    assert next_visit("stock count") not in {row["visit_id"] for row in visits("stock count")}
    learnt = taught([cancelling(at, each) for at, each in enumerate(("stock count", "Price Talk"))])
    assert "since" in experience_yaml(learnt)
    assert played(learnt, "Cancel the next open day visit") == [next_visit("open day")]


def matching(seller: str, state: str, goods: str = "") -> list[str]:
    return [
        row["order_id"]
        for row in ORDERS
        if row["seller"].startswith(seller) and state in row["state"] and goods in row["goods"]
    ]


def clearing(number: int, seller: str, state: str, goods: str) -> Any:
    """A session that knew what to cancel, and whose search was put with an invented address."""
    read = call("orders_search", seller=f"{seller}@example.org", state=state, goods=goods)
    writes = [call("order_cancel", order_id=each) for each in matching(seller, state, goods)]
    return trace(number, f"Cancel {seller}'s {state} orders of {goods} please", read, *writes)


def test_a_search_has_all_that_the_task_mentions() -> None:
    wanted = [("ada", "open", "tea"), ("boris", "paid", "soap"), ("carla", "lost", "tea")]
    traces = [clearing(at, *each) for at, each in enumerate(wanted)]
    assert all(call.result == [] for each in traces for call in each.calls[:1])
    learnt = taught(traces)
    expected = matching("boris", "open", "rice")
    assert 0 < len(expected) < SHOWN
    assert played(learnt, "Cancel boris's open orders of rice please") == expected
    assert taught(traces, probing=False) is None


def tidying(number: int, seller: str, state: str) -> Any:
    writes = [call("order_cancel", order_id=each) for each in matching(seller, state)]
    read = call("orders_search", seller=seller, state=state)
    return trace(number, f"Cancel all {state} orders of {seller}", read, *writes)


def test_a_search_is_made_for_each_value_where_one_shows_not_all() -> None:
    traces = [tidying(1, "ada", "open"), tidying(2, "boris", "paid"), tidying(3, "carla", "lost")]
    assert all(len(each.calls) > SHOWN + 1 for each in traces)
    learnt = taught(traces)
    assert "for_each" in experience_yaml(learnt)
    found = played(learnt, "Cancel all open orders of carla")
    assert sorted(found) == sorted(matching("carla", "open"))


@pytest.fixture
def crowded() -> Any:
    """More orders of one kind than a search shows."""
    more = [
        {
            "order_id": f"{9001 + at}",
            "seller": "boris.klee@shop.test",
            "state": "open",
            "goods": "tea",
            "due_on": "2031-04-01",
        }
        for at in range(SHOWN)
    ]
    ORDERS.extend(more)
    yield
    del ORDERS[-len(more) :]


def test_rows_that_may_not_be_all_are_refused(crowded: Any) -> None:
    traces = [tidying(1, "ada", "open"), tidying(2, "boris", "paid"), tidying(3, "carla", "lost")]
    learnt = taught(traces)
    assert len(orders(seller="boris", state="open", goods="tea")) == SHOWN
    assert played(learnt, "Cancel all open orders of boris") == "refused: limit"


def test_a_loop_over_nothing_is_reason_enough_to_have_written_nothing() -> None:
    wanted = [("ada", "open", "tea"), ("boris", "paid", "soap"), ("carla", "open", "tea")]
    traces = [clearing(at, *each) for at, each in enumerate(wanted)]
    idle = [len(each.calls) == 1 for each in traces]
    assert True in idle
    assert False in idle
    learnt = taught(traces)
    assert played(learnt, "Cancel boris's open orders of rice please") == matching(
        "boris", "open", "rice"
    )
