"""Diagrams of routines: Mermaid that says what the routine does, whatever names say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_kit import experience

from playhead.experience.document import brief, experience_diagram, experience_of

# The part of Mermaid's flowchart grammar that is used; `mermaid.parse` takes all of it.
TEXT = r"\"(?:[A-Za-z0-9 .,:=+\-_()/'?!*…‹›]|#[0-9]{1,7};|<br/>)*\""
SHAPE = rf"(?:\[{TEXT}\]|\[\[{TEXT}\]\]|\(\[{TEXT}\]\)|\{{\{{{TEXT}\}}\}}|\{{{TEXT}\}})"
STYLE = r"fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6}"
LINES = re.compile(
    rf"  begin\(\[start\]\)|  s\d+{SHAPE}|  (?:begin|s\d+) -->(?:\|{TEXT}\|)? s\d+"
    rf"|  classDef [a-z]+Class {STYLE}|  class s\d+(?:,s\d+)* [a-z]+Class"
)


def check(diagram: str) -> list[str]:
    first, *lines = diagram.splitlines()
    assert first == "flowchart TD"
    assert diagram.endswith("\n")
    for line in lines:
        assert LINES.fullmatch(line), line
    return lines


ROWS = {"result": "look", "where": {"fn": "equals", "of": [{"item": ["who"]}, {"param": "person"}]}}


OVER = {"of": {"result": "look"}, "where": {"const": True}}


def loops(**changes: Any) -> dict[str, Any]:
    return {
        "start": "look",
        "states": {
            "look": {
                "call": {"tool": "calendar.search", "arguments": {"query": {"param": "person"}}},
                "next": [
                    {"when": {"quantity": "any", "over": OVER}, "to": "each"},
                    {"to": "stop"},
                ],
            },
            "each": {
                "for_each": {
                    "rows": {"result": "look"},
                    "do": [{"tool": "calendar.delete", "arguments": {"id": {"item": ["id"]}}}],
                    "at_most": 7,
                },
                "next": [{"to": "which"}],
            },
            "which": {"next": [{"when": {"const": False}, "to": "done"}, {"to": "nothing"}]},
            "done": {"finish": {}},
            "nothing": {"finish": {"noop": True}},
            "stop": {"refuse": "nobody knows"},
        },
    }  # fmt: skip


def test_the_diagram_says_what_the_routine_does() -> None:
    diagram = experience_diagram(experience(routine=loops()))
    lines = check(diagram)
    assert "  begin --> s0" in lines
    assert '  s0["look<br/>calendar.search<br/>query = ‹person›"]' in lines
    assert (
        '  s1[["each<br/>for each of look, at most 7<br/>calendar.delete<br/>id = row.id"]]'
        in lines
    )
    assert '  s0 -->|"otherwise"| s2' in lines
    assert '  s5(["nothing<br/>nothing to do"])' in lines
    assert '  s2{{"stop<br/>refuse: nobody knows"}}' in lines
    assert "  class s1 writeClass" in lines
    assert "  class s0 readClass" in lines


HOSTILE = [
    'x"]; click s0 "javascript:alert(1)"', "<script>alert(1)</script>", "end", "%%{init: {}}%%",
    "a\nb --> c", "`**bold**`", "#quot;", "subgraph", "style s0 fill:#000", "]]", "\u202e",
    "\u2028",
    "a" * 200, "\x00", "🙂", "|x|", "&lt;b&gt;",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_never_markup(name: str) -> None:
    routine = {
        "start": name,
        "states": {
            name: {
                "call": {"tool": name, "arguments": {name: {"const": name}}},
                "next": [{"when": {"const": name}, "to": "stop"}],
            },
            "stop": {"refuse": name},
        },
    }
    diagram = experience_diagram(
        experience(tools={name: {"effect": "irreversible"}}, routine=routine, parameters={})
    )
    lines = check(diagram)
    assert len(lines) == 9
    assert "  class s0 irreversibleClass" in lines


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=90).filter(lambda text: text.isprintable()))
def test_any_text_stays_in_its_label(text: str) -> None:
    routine = {"start": "s", "states": {"s": {"refuse": text}}}
    assert len(check(experience_diagram(experience(routine=routine, tools={}, parameters={})))) == 5


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ({"const": {"a": 1}}, '{"a": 1}'),
        ({"now": True}, "now"),
        ({"fn": "add_days", "of": [{"now": True}, {"const": 1}]}, "add_days(now, 1)"),
        ({"result": "look", "pick": {"lowest": "start"}, "at": ["ids", 0]},
         "look.lowest(start).ids[0]"),
        ({"agree": [{"const": n} for n in range(5)]}, "(0 = 1 = 2 = …)"),
        ({"first_of": [{"param": "person"}, {"const": None}]}, "(‹person› or else null)"),
        ({"quantity": "count", "over": {"of": {"result": "look"}, "where": {"const": True}}},
         "count of look where true"),
        ({"result": "look", "where": {"const": True}, "pick": "only"}, "look[true].only"),
    ],
)  # fmt: skip
def test_expressions_are_told_on_one_line(expression: dict[str, Any], said: str) -> None:
    routine = loops()
    routine["states"]["each"]["for_each"]["do"][0]["arguments"]["id"] = expression
    document = experience_of(
        experience(routine=routine).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    )
    each = document.routine.states["each"]
    assert brief(each.for_each.do[0].arguments["id"]) == said  # type: ignore[union-attr]
