"""`diff`: alignment and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_helpers import Run, document, stored

from playhead.cli._align import align
from playhead.tape import Body, Draft, Tape, assistant, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Literally,
    ModelCall,
    Pause,
    Plan,
    PromptRecord,
    Reflection,
    ToolCall,
    ToolResult,
    UserMessage,
)
from playhead.tape.kinds import Run as RunNote


def thought(text: str) -> Reflection:
    return Reflection(text=text)


def tape(*bodies: Body | Draft) -> Tape:
    return Tape.new().append(*bodies) if bodies else Tape.new()


def shape(a: Tape, b: Tape, *, notes: bool = False) -> list[tuple[str, list[int], list[int]]]:
    return [(block.tag, block.a, block.b) for block in align(a, b, notes=notes).blocks]


def said(text: str, **changes: Any) -> ModelCall:
    return ModelCall(
        model="m",
        provider="p",
        prompt=PromptRecord(items=(Literally(m=assistant("x")),)),
        status="complete",
        message=assistant(text),
        **changes,
    )


def test_ids_times_salts_and_what_is_a_tapes_own_do_not_count():
    def made(number: int) -> Tape:
        call = f"call-{number}"
        return tape(
            RunNote(mode="run", agent=f"a{number}", config="c"),
            UserMessage(parts=text_parts("hi")),
            said("hello", seconds=float(number)),
            ToolCall(call_id=call, name="t", arguments={"id": 1}),
            *([Pause(reason="budget", message="x")] * number),
            ToolResult(call_id=call, name="t", result={"id": 2}),
        )

    assert align(made(1), made(2)).same
    assert align(made(1), made(2), notes=True).same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (thought("a"), thought("b")),
        (thought("a"), Plan(items=("a",))),
        (said("a"), said("b")),
        (ToolCall(name="t", arguments={"id": 1}), ToolCall(name="t", arguments={"id": 2})),
        (ToolResult(name="t", result={"id": 1}), ToolResult(name="t", result={"id": 2})),
        (AssistantMessage(parts=text_parts("a")), UserMessage(parts=text_parts("a"))),
        (Draft(thought("a")), Draft(thought("a"), frame=1)),
    ],
)
def test_what_is_said_counts(one: Body, other: Body):
    assert not align(tape(one), tape(other)).same


def test_a_fork_is_aligned_by_what_it_shares():
    parent = tape(*map(thought, "abcd"))
    child = parent.fork(3).append(*map(thought, "xd"))
    found = align(parent, child)
    assert found.shared == 3
    assert shape(parent, child) == [("replace", [3], [4]), ("equal", [4], [5])]
    brother = parent.fork(2)
    assert align(child, brother).shared == 2
    grandchild = child.fork(4).append(thought("y"))
    assert align(parent, grandchild).shared == 3
    assert align(child, grandchild).shared == 4
    assert align(parent, parent).shared == 5
    assert align(parent, parent).same


def test_strangers_are_aligned_by_what_they_say():
    a, b = tape(*map(thought, "abcde")), tape(*map(thought, "abxyde"))
    assert align(a, b).shared == 0
    assert shape(a, b) == [
        ("equal", [1, 2], [1, 2]),
        ("replace", [3], [3, 4]),
        ("equal", [4, 5], [5, 6]),
    ]
    assert shape(tape(), tape()) == []
    assert shape(tape(), tape(thought("a"))) == [("insert", [], [1])]
    assert shape(tape(*map(thought, "aab")), tape(*map(thought, "ab"))) == [
        ("equal", [1], [1]), ("delete", [2], []), ("equal", [3], [2]),
    ]  # fmt: skip


def test_long_tapes_are_aligned():
    a = [thought(str(number)) for number in range(3_000)]
    b = [*a[:1_000], thought("new"), *a[1_000:2_000], *a[2_001:]]
    assert [tag for tag, _, _ in shape(tape(*a), tape(*b))] == [
        "equal", "insert", "equal", "delete", "equal",
    ]  # fmt: skip


def test_same_tapes_are_exit_code_0(cli: Run, place: Path):
    for _ in range(2):
        stored(place / "tapes.db", *map(thought, "abc"))
    result = cli("diff", "-2", "-1")
    assert result.exit_code == 0
    assert "no difference: 3 steps compared" in result.stdout
    said = document(cli("diff", "-2", "-1", "--json").stdout)
    assert (said["same"], said["shared"], said["equal"], said["changes"]) == (True, 0, 3, [])


def test_a_fork_differs_from_its_parent(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    cli("fork", "last", "--at", "3", "--agent", "agents.py:other")
    result = cli("diff", "-2", "-1")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[2] == "  steps 0 to 2 are shared: + is a fork at 3"
    assert {line[0] for line in lines[3:]} == {"-", "+"}
    assert any(line.startswith("-") and line.endswith("It rains.") for line in lines)
    assert any(line.startswith("+") and line.endswith("No idea.") for line in lines)
    back = cli("diff", "-1", "-2").stdout
    assert "steps 0 to 2 are shared: - is a fork at 3" in back
    said = document(cli("diff", "-2", "-1", "--json").stdout)
    assert said["shared"] == 3
    assert set(said["changes"][0]) == {"tag", "a", "b"}
    assert set(said["changes"][0]["a"][0]) == {"seq", "kind", "role", "text"}


def test_equal_stretches_are_left_out_but_for_their_ends(cli: Run, place: Path):
    middle = [thought(f"same {number}") for number in range(10)]
    for first, last in (("a", "x"), ("b", "y")):
        stored(place / "tapes.db", thought("begin"), thought(first), *middle, thought(last))
    lines = cli("diff", "-2", "-1").stdout.splitlines()[2:]
    assert [line.split()[-1] for line in lines] == [
        "begin", "a", "b", "0", "1", "…", "8", "9", "x", "y",
    ]  # fmt: skip
    assert "… 6 steps the same …" in "\n".join(lines)
    both = cli("diff", "-2", "-1", "--side-by-side")
    assert both.exit_code == 1
    row = next(line for line in both.stdout.splitlines() if " a " in f"{line} ")
    assert row.split() == ["2", "reflection", "a", "2", "reflection", "b"]


def test_a_difference_deep_in_a_line_is_seen(cli: Run, place: Path, monkeypatch: Any):
    monkeypatch.setenv("COLUMNS", "100")
    for end in ("10:00", "15:00"):
        stored(place / "tapes.db", ToolCall(name="t", arguments={"text": "x" * 500, "at": end}))
    result = cli("diff", "-2", "-1")
    assert "10:00" in result.stdout
    assert "15:00" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
