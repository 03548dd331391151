"""A small invented shop whose searches show no more than three rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playhead.experience.learn import ToolSpec, Trace, learn_traces
from playhead.experience.routine import Calls, Finish, Inputs, PastCall, Refuse, decide

NOW = "2031-04-10 08:00:00"
SHOWN = 3
STATES = ("open", "paid", "lost")
SELLERS = ("ada.berg", "boris.klee", "carla.diaz")
ORDERS = [
    {
        "order_id": f"{6001 + at}",
        "seller": f"{SELLERS[at % 3]}@shop.test",
        "state": STATES[at // 3 % 3],
        "goods": ("tea", "rice", "soap", "salt")[at // 2 % 4],
        "due_on": f"2031-04-{1 + at * 7 % 20:02}",
    }
    for at in range(36)
]
TITLES = ("spring fair planning", "stock count", "Price Talk", "Press Tour", "open day")
VISITS = sorted(
    (
        {
            "visit_id": f"{8001 + 10 * number + month}",
            "title": title,
            "starts_at": f"2031-{month:02}-{10 + number:02} 09:00:00",
        }
        for number, title in enumerate(TITLES)
        for month in (1, 2, 3, 4, 5)
    ),
    key=lambda row: (row["starts_at"], row["visit_id"]),
)


def orders(seller: str = "", state: str = "", goods: str = "") -> list[dict[str, str]]:
    wanted = {"seller": seller, "state": state, "goods": goods}
    found = [o for o in ORDERS if all(part.lower() in o[key] for key, part in wanted.items())]
    return found[:SHOWN]


def visits(text: str = "", since: str = "") -> list[dict[str, str]]:
    found = [v for v in VISITS if text.lower() in v["title"].lower() and v["starts_at"] >= since]
    return found[:SHOWN]


READS = {"orders_search": orders, "visits_search": visits}
TOOLS = {
    "orders_search": ToolSpec(
        "orders_search",
        "read",
        {
            "seller": {},
            "state": {"description": "One of open, paid, lost"},
            "goods": {"description": "One of tea, rice, soap, salt"},
        },
    ),
    "visits_search": ToolSpec("visits_search", "read", {"text": {}, "since": {}}),
    "order_cancel": ToolSpec("order_cancel", "irreversible", {"order_id": {}}),
    "visit_cancel": ToolSpec("visit_cancel", "irreversible", {"visit_id": {}}),
}


def probe(tool: str, arguments: Any) -> Any:
    try:
        return READS[tool](**arguments)
    except (KeyError, TypeError) as error:
        raise LookupError(tool) from error


def call(tool: str, **arguments: str) -> PastCall:
    """A call with its result, as a session records it."""
    return PastCall(tool, arguments, probe(tool, arguments) if tool in READS else "done")


def trace(number: int, task: str, *calls: PastCall) -> Trace:
    return Trace(f"t{number}", task, NOW, calls)


def taught(traces: Sequence[Trace], *, probing: bool = True) -> Any:
    """What traces of one kind teach; None for nothing."""
    found = learn_traces(traces, TOOLS, probe=probe if probing else None, name="taught")
    return found.experiences[0] if found.experiences else None


def played(experience: Any, task: str) -> list[str] | str:
    """What a play would write to; or `nothing`, or why it refuses."""
    past: list[PastCall] = []
    for _ in range(60):
        decision = decide(experience, Inputs(task, NOW), past)
        if isinstance(decision, Refuse):
            return f"refused: {decision.code}"
        if isinstance(decision, Finish):
            break
        assert isinstance(decision, Calls)
        past += [call(each.tool, **dict(each.arguments)) for each in decision.calls]
    writes = [str(next(iter(each.arguments.values()))) for each in past if each.tool not in READS]
    return writes or "nothing"
