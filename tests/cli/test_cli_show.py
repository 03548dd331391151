"""`show`: lines, choices, details, files, long tapes and hostile text."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import Run, document, in_terminal, playhead, stored

from playhead.tape import Draft, assistant, read_tape, text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Delegate,
    Literally,
    ModelCall,
    Plan,
    PromptRecord,
    Reflection,
    Return,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\ufeff]")
HOSTILE = (
    "[red]not red[/red] [/] [link=http://x]l[/link] \x1b[31mESC\x1b]0;title\x07 \x9b31m C1 "
    "\rback\x08\x08 \u202eRTL \u2066iso \u200bzero \ufeffbom :smile: \x00nul\x7f {x} %s \\n"
)


def test_show_lists_steps_without_notes_and_says_so(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    lines = cli("show", "last").stdout.splitlines()
    assert lines[0].startswith("tape ")
    assert "  8 steps  answered  " in lines[0]
    assert lines[1] == "task Is it raining?"
    assert [line.split()[2] for line in lines[3:7]] == [
        "user_message", "tool_call", "tool_result", "assistant_message",
    ]  # fmt: skip
    assert lines[-1] == "4 notes are hidden: --all shows them"
    everything = cli("show", "last", "--all").stdout.splitlines()
    assert [line.split()[0] for line in everything[3:]] == [str(seq) for seq in range(8)]


@pytest.mark.parametrize(
    ("words", "seqs"),
    [
        (["--kind", "tool_call"], [4]),
        (["--kind", "playhead.model_call", "--kind", "tool_result"], [3, 5, 6]),
        (["--steps", "3:6", "--all"], [3, 4, 5]),
        (["--steps", ":3", "--all"], [0, 1, 2]),
        (["--steps", "-2:"], [7]),
        (["--steps", "-1"], [7]),
        (["--steps", "4"], [4]),
        (["--steps", "90:99"], []),
        (["--kind", "nothing"], []),
    ],
)
def test_show_takes_a_choice_of_steps(cli: Run, words: list[str], seqs: list[int]):
    cli("run", "agents.py:agent", "Is it raining?")
    said = document(cli("show", "last", "--json", *words).stdout)
    assert [step["seq"] for step in said["steps"]] == seqs
    assert said["length"] == 8
    lines = cli("show", "last", *words).stdout.splitlines()[3:]
    assert [int(line[:6]) for line in lines if line[:6].strip().isdigit()] == seqs


@pytest.mark.parametrize(
    "words",
    [["--steps", "x"], ["--steps", ""], ["--steps", "8"], ["--steps", "1:2:3"], ["--step", "8"],
     ["--step", "-9"]],
)  # fmt: skip
def test_steps_that_are_not_there_are_a_usage_error(cli: Run, words: list[str]):
    cli("run", "agents.py:agent", "Is it raining?")
    result = cli("show", "last", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: usage: ")


def test_a_step_in_full_has_header_body_and_the_prompt_as_it_was_sent(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    shown = cli("show", "last", "--step", "6").stdout
    for part in ("step 6  model_call  (note)", "  id          ", "  by          type=agent",
                 '"status": "complete"', "prompt, as it was sent", "system:\n  Be brief.",
                 'tool:\n  ← rain in Montreal'):  # fmt: skip
        assert part in shown
    said = document(cli("show", "last", "--step", "-2", "--json").stdout)
    assert said["seq"] == 6
    assert [message["role"] for message in said["messages"]] == [
        "system", "user", "assistant", "tool",
    ]  # fmt: skip
    assert said["by"]["type"] == "agent"


def test_a_json_step_has_all_of_its_header(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    [step] = document(cli("show", "last", "--json", "--steps", "2").stdout)["steps"]
    assert set(step) == {
        "tape", "seq", "id", "prev", "link", "time", "kind", "kind_version", "role", "origin",
        "frame", "re", "by", "body_digest", "erased", "body",
    }  # fmt: skip
    assert step["body"]["parts"][0]["content"] == "Is it raining?"


def test_a_fork_shows_where_it_comes_from(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    cli("fork", "last", "--at", "3", "--agent", "agents.py:other")
    parent = document(cli("show", "-2", "--json").stdout)["tape"]
    lines = cli("show", "last").stdout.splitlines()
    assert lines[1] == f"forks {parent} at step 3: the steps before are shared"
    assert f"── forked here from {parent[-8:]} ──" in lines[5]
    assert document(cli("show", "last", "--json").stdout)["parent"] == {"tape": parent, "at": 3}


def test_steps_of_subagents_are_indented(cli: Run, place: Path):
    task = text_parts("do")
    stored(
        place / "tapes.db",
        UserMessage(parts=task),
        Draft(Delegate(agent="inner", parts=task)),
        Draft(Plan(items=("a",)), frame=2),
        Draft(Delegate(agent="deeper", parts=task), frame=2),
        Draft(Reflection(text="deep"), frame=4),
        Draft(Return(agent="deeper", parts=task), frame=2),
        Draft(AssistantMessage(parts=text_parts("done"))),
    )
    depth = {line[:6].strip(): line.count("│ ") for line in cli("show", "last").stdout.splitlines()}
    assert [depth[str(seq)] for seq in (2, 3, 4, 5, 6, 7)] == [0, 1, 1, 2, 1, 0]
    later = cli("show", "last", "--steps", "5:").stdout
    assert "│ │ deep" in later


def hostile(file: Path) -> None:
    message = assistant(HOSTILE)
    stored(
        file,
        UserMessage(parts=text_parts(HOSTILE)),
        ToolCall(name=HOSTILE, arguments={HOSTILE: HOSTILE}, effect="read"),
        ToolResult(name=HOSTILE, result=[HOSTILE]),
        ToolError(name=HOSTILE, code="raised", message=HOSTILE),
        Plan(items=(HOSTILE,)),
        ModelCall(
            model=HOSTILE,
            provider=HOSTILE,
            prompt=PromptRecord(items=(Literally(m=message),)),
            status="complete",
            message=message,
        ),
        AssistantMessage(parts=text_parts(HOSTILE)),
    )


@pytest.mark.parametrize(
    "words",
    [["ls"], ["show", "last"], ["show", "last", "--all"], ["show", "last", "--json"],
     *(["show", "last", "--step", str(seq)] for seq in range(8)),
     ["show", "last", "--step", "6", "--json"], ["ls", "--json"], ["verify", "last"],
     ["diff", "-2", "-1"], ["diff", "-2", "-1", "--side-by-side"], ["diff", "-2", "-1", "--json"],
     ["resume", "last"], ["resume", "last", "--agent", "agents.py:agent"]],
    ids=" ".join,
)  # fmt: skip
def test_text_from_a_tape_never_acts_on_the_terminal(cli: Run, place: Path, words: list[str]):
    stored(place / "tapes.db", UserMessage(parts=text_parts("[bold]x[/nothing]")))
    hostile(place / "tapes.db")
    result = cli(*words)
    assert result.exit_code in (0, 1, 2)
    assert CONTROL.findall(result.stdout + result.stderr) == []
    if words[0] == "show" and "--json" not in words and len(words) == 2:
        assert "[red]not red[/red] [/] [link=http://x]l[/link] ␛[31mESC␛]0;title␇" in result.stdout
        assert ":smile:" in result.stdout
        assert "\\u202eRTL" in result.stdout


def test_in_colour_only_our_own_escapes_come_out(place: Path):
    hostile(place / "tapes.db")
    code, seen = in_terminal("show", "last", "--all", "--no-pager", cwd=place)
    assert code == 0
    assert set(re.findall("\x1b[^m]*m", seen)) <= {
        f"\x1b[{style}m" for style in ("0", "1", "2", "31", "32", "35", "1;36")
    }
    assert CONTROL.findall(re.sub("\x1b\\[[0-9;]*m|\r\n", "", seen)) == []


def test_a_giant_line_is_cut_where_it_is_listed(cli: Run, place: Path):
    giant = "x" * 5_000_000
    stored(place / "tapes.db", UserMessage(parts=text_parts(giant)), Plan(items=(giant,)))
    for words in (["ls"], ["show", "last"], ["show", "last", "--step", "1"], ["diff", "-1", "-1"]):
        result = cli(*words)
        assert len(result.stdout) < 20_000
        assert "…" in result.stdout or words[0] == "diff"
    assert "4,996,000 characters more" in cli("show", "last", "--step", "2").stdout
    said = document(cli("show", "last", "--step", "2", "--json").stdout)
    assert said["body"]["items"] == [giant]


def test_an_erased_or_unreadable_body_is_shown_as_such(cli: Run, place: Path):
    tape = stored(place / "tapes.db", Plan(items=("a",)), Plan(items=("b",)))
    with sqlite3.connect(place / "tapes.db") as database:
        database.execute("UPDATE steps SET salt = NULL, body = NULL WHERE at & 4294967295 = 1")
        database.execute(
            "UPDATE steps SET body = CAST('{\"items\":3}' AS BLOB) WHERE at & 4294967295 = 2"
        )
    database.close()
    shown = cli("show", tape.id).stdout
    assert "(erased)" in shown
    assert "(unreadable: the body does not fit `playhead.plan`" in shown
    assert "(erased)" in cli("show", tape.id, "--step", "1").stdout
    assert "DOES NOT MATCH" in cli("show", tape.id, "--step", "2").stdout


def test_the_file_format_comes_out_whole(cli: Run, place: Path):
    cli("run", "agents.py:agent", "Is it raining?")
    cli("fork", "last", "--at", "6", "--agent", "agents.py:other", "--effects", "redo")
    result = playhead("show", "last", "--jsonl", cwd=place)
    (place / "out.tape.jsonl").write_text(result.out)
    tape = read_tape(result.out.encode().splitlines(keepends=True))
    assert tape.head_text == document(cli("show", "last", "--json").stdout)["head"]
    verifier = Path(__file__).resolve().parents[2] / "tools" / "verify_tape.py"
    checked = subprocess.run(
        [sys.executable, verifier, "out.tape.jsonl"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert "absent" not in checked.stdout


def test_large_text_leaves_the_tape_with_its_blobs(cli: Run, place: Path):
    result = cli("run", "agents.py:agent", "y" * 70_000)
    assert result.exit_code == 0
    lines = cli("show", "last", "--jsonl").stdout
    assert '{"blob":"' in lines
    assert '{"document":"sha256:' in lines


def test_a_long_tape_is_shown_in_bounded_memory(place: Path):
    large = Reflection(text="z" * 10_000)
    stored(place / "long.db", *(large for _ in range(5_000)))
    stored(place / "short.db", large)
    code = (
        "import resource, sys\nfrom playhead.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )

    def peak(file: str, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", code, "show", "last", "--store", file, *words],
            cwd=place, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(done.stderr.splitlines()[-1]) // 1024, done.stdout

    small, _ = peak("short.db")
    for words in ([], ["--json"]):
        most, shown = peak("long.db", *words)
        assert shown.count("zzz") >= 5_000
        assert most - small < 30, "the tape has 50 MB"


def test_a_pager_is_used_at_a_terminal(cli: Run, place: Path):
    cli("run", "agents.py:agent", "Is it raining?")
    (place / "pager.sh").write_text("#!/bin/sh\necho PAGED; head -n 2\n")
    (place / "pager.sh").chmod(0o755)
    (place / "page.py").write_text(
        "import os, sys\nos.environ['PAGER'] = './pager.sh'\n"
        "from playhead.cli import main\nmain()\n"
    )
    code, seen = in_terminal("show", "last", cwd=place, program="page.py")
    assert "PAGED" in seen
    assert "tool_call" not in seen
    assert code == 0
    code, seen = in_terminal("show", "last", "--no-pager", cwd=place, program="page.py")
    assert "PAGED" not in seen
    assert "tool_call" in seen
