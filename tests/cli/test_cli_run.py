"""`run` and `resume`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cli_helpers import Run, document, in_terminal, stored

from playhead.store import SqliteStore
from playhead.tape import Tape, text_parts
from playhead.tape.kinds import AssistantMessage, ToolCall, UserMessage
from playhead.tape.kinds import Run as RunNote

SUMS = {
    "tape", "status", "answer", "steps", "head", "parent", "model_calls", "tool_calls",
    "input_tokens", "output_tokens", "usd", "run", "waiting", "error",
}  # fmt: skip


def last(place: Path) -> Tape:
    async def open_it() -> Tape:
        async with SqliteStore(place / "tapes.db") as store:
            return await store.open((await store.tapes(limit=1))[0].id)

    return asyncio.run(open_it())


def test_a_run_shows_a_line_for_each_step_then_answer_and_facts(cli: Run, place: Path):
    result = cli("run", "agents.py:agent", "Is it raining?")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:8]] == [str(seq) for seq in range(8)]
    assert 'tool_call          weather(city="Montreal")' in lines[4]
    assert "← tool_result        rain in Montreal" in lines[5]
    assert lines[-3] == "It rains."
    tape = last(place)
    assert lines[-1].startswith(f"tape {tape.id}  answered  8 steps  2 model calls  0 tokens")
    assert result.stderr == ""
    tape.verify()


def test_json_is_one_document_and_progress_goes_to_stderr(cli: Run):
    result = cli("run", "agents.py:agent", "Is it raining?", "--json")
    said = document(result.stdout)
    assert set(said) == SUMS
    assert (said["status"], said["answer"], said["steps"]) == ("answered", "It rains.", 8)
    assert said["run"]["model_calls"] == said["model_calls"] == 2
    assert said["error"] is None
    assert "tool_call" in result.stderr


def test_a_conversation_goes_on(cli: Run, place: Path):
    cli("run", "agents.py:agent", "Is it raining?")
    result = cli("run", "agents.py:agent", "For how long?", "--tape", "-1", "--json")
    said = document(result.stdout)
    assert said["answer"] == "Until noon."
    assert said["run"]["model_calls"] == 1
    assert said["model_calls"] == 3
    assert said["tape"] == last(place).id


def test_a_budget_pauses_and_resume_goes_on(cli: Run):
    paused = cli("run", "agents.py:agent", "hi", "--budget-model-calls", "1")
    assert paused.exit_code == 3
    assert "paused: the budget of 1 model calls is used up" in paused.stderr
    hint = next(line for line in paused.stderr.splitlines() if line.startswith("go on with: "))
    result = cli(*hint.removeprefix("go on with: playhead ").split())
    assert result.exit_code == 0
    assert "It rains." in result.stdout
    again = cli("resume", "last", "--agent", "agents.py:agent", "--json")
    assert document(again.stdout)["run"]["steps"] == 0


@pytest.mark.parametrize(
    ("decision", "answer", "sent"),
    [("approve", "sent", "ana\n"), ("deny:ask Ana first", "ask Ana first", None),
     ('edit:{"to":"bob"}', "sent", "bob\n")],
)  # fmt: skip
def test_an_irreversible_action_waits_for_a_decision(
    cli: Run, place: Path, decision: str, answer: str, sent: str | None
):
    waits = cli("run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible")
    assert waits.exit_code == 3
    assert "--decide 4=approve|deny|edit" in waits.stderr
    assert not (place / "sent.txt").exists()
    still = cli("resume", "last", "--agent", "agents.py:mailer", "--json")
    assert still.exit_code == 3
    [waiting] = document(still.stdout)["waiting"]
    assert {k: waiting[k] for k in ("seq", "why", "name", "arguments", "effect")} == {
        "seq": 4, "why": "approval", "name": "send", "arguments": {"to": "ana"},
        "effect": "irreversible",
    }  # fmt: skip
    done = cli("resume", "last", "--agent", "agents.py:mailer", "--decide", f"4={decision}")
    assert done.exit_code == 0
    assert answer in done.stdout
    assert (sent is None) != (place / "sent.txt").exists()
    if sent is not None:
        assert (place / "sent.txt").read_text() == sent


@pytest.mark.parametrize(
    "said",
    ["approve", "9=approve", "4=perhaps", "4=redo", "4=edit:{", "=approve"],
)
def test_a_decision_that_fits_nothing_is_refused_before_anything_happens(
    cli: Run, place: Path, said: str
):
    cli("run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible")
    length = len(last(place))
    result = cli("resume", "last", "--agent", "agents.py:mailer", "--decide", said)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: usage: ")
    assert len(last(place)) == length


def test_approve_write_waits_for_writing_tools_too(cli: Run):
    result = cli("run", "agents.py:hanging", "hi", "--approve", "write")
    assert result.exit_code == 3
    assert "hang()" in result.stdout


def test_after_a_crash_an_effect_of_unknown_outcome_waits(cli: Run, place: Path):
    cli("run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible")
    parent = last(place)
    stored(  # the tape of a process that died while it was sending
        place / "tapes.db",
        UserMessage(parts=text_parts("Write to Ana")),
        RunNote(mode="run", agent="mailer", config=parent.fold().config or ""),
        ToolCall(call_id="send", name="send", arguments={"to": "ana"}, effect="irreversible"),
    )
    waits = cli("resume", "last", "--agent", "agents.py:mailer")
    assert waits.exit_code == 3
    assert "--decide 3=redo|skip|result" in waits.stderr
    done = cli("resume", "last", "--agent", "agents.py:mailer", "--decide", '3=result:"it went"')
    assert done.exit_code == 0
    assert not (place / "sent.txt").exists()


def test_a_model_without_answer_is_exit_code_5_and_the_tape_is_safe(cli: Run, place: Path):
    result = cli("run", "agents.py:silent", "hi", "--json")
    assert result.exit_code == 5
    said = document(result.stdout)
    assert said["error"]["code"] == "model_request"
    assert said["status"] == "paused"
    assert "error: model_request: the script of `scripted`" in result.stderr
    assert f"playhead resume {said['tape'][-8:]} --agent agents.py:silent" in result.stderr


def test_a_node_that_raises_is_exit_code_1_on_one_harmless_line(cli: Run):
    result = cli("run", "agents.py:broken", "hi")
    assert result.exit_code == 1
    [line] = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: node: node `only` of agent `broken` raised ValueError: a ␛[31m")
    assert "\x1b" not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in cli("run", "agents.py:missing", "hi", "--debug").stderr


def test_a_terminal_is_asked_and_shows_words_as_they_come(place: Path):
    code, seen = in_terminal(
        "run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible",
        cwd=place,
        typed=[("later: ", "perhaps\n"), ("later: ", "yes\n")],
    )  # fmt: skip
    assert code == 0
    assert "`perhaps` decides no approval" in seen
    assert '"to": "ana"' in seen
    assert "Sent it. " in seen or "Sent it.\x1b" in seen
    assert (place / "sent.txt").read_text() == "ana\n"


def test_a_terminal_is_asked_about_what_waits_when_it_resumes(cli: Run, place: Path):
    cli("run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible")
    code, seen = in_terminal(
        "resume", "last", "--agent", "agents.py:mailer",
        cwd=place,
        typed=[("later: ", "no:not today\n")],
    )  # fmt: skip
    assert code == 0
    assert "denied: not today" in seen
    assert not (place / "sent.txt").exists()


def test_a_terminal_is_asked_about_an_unknown_outcome(place: Path):
    stored(  # the tape of a process that died while it was sending
        place / "tapes.db",
        UserMessage(parts=text_parts("Write to Ana")),
        RunNote(mode="run", agent="mailer", config="sha256:" + "0" * 64),
        ToolCall(call_id="send", name="send", arguments={"to": "ana"}, effect="irreversible"),
    )
    words = ("resume", "last", "--agent", "agents.py:mailer")
    code, seen = in_terminal(*words, cwd=place, typed=[("later: ", "later\n")])
    assert code == 3
    assert seen.count("it is not known whether this happened") == 1
    code, seen = in_terminal(*words, cwd=place, typed=[("later: ", "r\n")])
    assert code == 0
    assert (place / "sent.txt").read_text() == "ana\n"


def test_who_says_later_is_asked_once(place: Path):
    words = ("run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible")
    code, seen = in_terminal(*words, cwd=place, typed=[("later: ", "\n")])
    assert code == 3
    assert seen.count("approve? ") == 1


def test_nobody_is_asked_where_nobody_can_answer(place: Path):
    words = ("run", "agents.py:mailer", "Write to Ana", "--approve", "irreversible", "--no-ask")
    code, seen = in_terminal(*words, cwd=place)
    assert code == 3
    assert "approve? " not in seen


def test_an_answered_tape_answers_again_without_work(cli: Run, place: Path):
    stored(
        place / "tapes.db",
        RunNote(mode="run", agent="helper", config=""),
        UserMessage(parts=text_parts("hi")),
        AssistantMessage(parts=text_parts("hello")),
    )
    result = cli("resume", "last", "--agent", "agents.py:agent")
    assert result.exit_code == 0
    assert "hello" in result.stdout
    assert len(last(place)) == 4
