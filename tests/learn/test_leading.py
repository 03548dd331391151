"""What leads: of several reads that differ in one argument, the value that found most or least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from playhead.experience.learn import ToolSpec, Trace, learn_traces
from playhead.experience.routine import Calls, Finish, Inputs, PastCall, Refuse, decide
from playhead.experience.values import FUNCTIONS, Absent, Unclear

NOW = "2031-04-10 08:00:00"
TOOLS = {
    "sales_of": ToolSpec("sales_of", "read", {"shop": {}, "goods": {}}),
    "goods_order": ToolSpec("goods_order", "irreversible", {"shelf": {}}),
}
SALES = {
    "north": {"tea": [3, 4], "rice": [9, 0], "soap": [1, 1]},
    "south": {"tea": [5, 1], "rice": [1, 0], "soap": [4, 4]},
    "east": {"tea": [9, 9], "rice": [1, 2], "soap": [4, 0]},
    "west": {"tea": [0, 1], "rice": [2, 2], "soap": [7, 7]},
    "hill": {"tea": [4, 4], "rice": [9, 0], "soap": [1, 1]},
    "tied": {"tea": [2, 2], "rice": [4, 0], "soap": [1, 1]},
}


def read(tool: str, arguments: Mapping[str, Any]) -> Any:
    if tool != "sales_of" or arguments["shop"] not in SALES:
        raise LookupError(tool)
    days = SALES[arguments["shop"]][arguments["goods"]]
    return {f"2031-04-0{at + 1}": amount for at, amount in enumerate(days)}


def session(shop: str, wording: str, best: str) -> Trace:
    calls = []
    for goods in SALES[shop]:
        asked = {"shop": shop, "goods": goods}
        calls.append(PastCall("sales_of", asked, read("sales_of", asked)))
    calls.append(PastCall("goods_order", {"shelf": f"shelf/{best}"}, "done"))
    return Trace(shop, wording.format(shop=f"'{shop}'"), NOW, tuple(calls))


def ordered(wording: str, shops: Mapping[str, str], task: str) -> Any:
    """What would be ordered for a shop, after sessions of others."""
    traces = [session(shop, wording, best) for shop, best in shops.items()]
    found = learn_traces(traces, TOOLS, probe=read, name="order").experiences
    past: list[PastCall] = []
    while found:
        decision = decide(found[0], Inputs(wording.format(shop=f"'{task}'"), NOW), past)
        if isinstance(decision, Refuse):
            return decision.code
        assert not isinstance(decision, Finish)
        assert isinstance(decision, Calls)
        if decision.plan:
            return decision.plan[0].arguments["shelf"]
        past += [PastCall(c.tool, c.arguments, read(c.tool, c.arguments)) for c in decision.calls]
    return None


MOST = "Order more of what sells most in shop {shop}"
LEAST = "Order some of what sells least in shop {shop}"


def test_what_was_found_most_leads() -> None:
    assert ordered(MOST, {"north": "rice", "south": "soap", "east": "tea"}, "west") == "shelf/soap"


def test_what_was_found_least_leads() -> None:
    assert ordered(LEAST, {"north": "soap", "south": "rice", "east": "rice"}, "west") == "shelf/tea"


def test_what_always_led_is_no_constant_where_something_else_leads() -> None:
    assert ordered(MOST, {"north": "rice", "hill": "rice"}, "west") == "unclear"


def test_of_two_that_are_equal_none_leads() -> None:
    shops = {"north": "rice", "south": "soap", "east": "tea"}
    assert ordered(MOST, shops, "tied") == "unclear"


def test_where_no_text_asks_for_the_most_nothing_leads() -> None:
    shops = {"north": "rice", "south": "soap", "east": "tea"}
    assert ordered("Order more goods for shop {shop}", shops, "west") is None


def test_rows_are_counted_and_numbers_summed() -> None:
    leader = FUNCTIONS["leader"].call
    assert leader("most", "a", [{}, {}], "b", [{}]) == "a"
    assert leader("least", "a", {"x": 3, "y": "4"}, "b", 6) == "b"
    assert leader("most", "a", "No rows found.", "b", [{}]) == "b"
    with pytest.raises(Unclear):
        leader("most", "a", [1], "b", [2])
    with pytest.raises(Absent):
        leader("highest", "a", [1], "b", [2, 3])
