"""`replay` and `fork`."""

from __future__ import annotations

import shlex
from pathlib import Path

from cli_helpers import Run, document


def test_a_replay_as_recorded_is_ok(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    result = cli("replay", "last", "--agent", "agents.py:agent")
    assert result.exit_code == 0
    assert result.stdout.startswith("ok 2 turns and 2 steps of tape ")
    said = document(cli("replay", "last", "--agent", "agents.py:agent", "--json").stdout)
    assert (said["ok"], said["turns"], said["steps"], said["divergences"]) == (True, 2, 2, [])


def test_a_changed_prompt_diverges_and_is_shown_as_a_table(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    result = cli("replay", "last", "--agent", "agents.py:changed")
    assert result.exit_code == 1
    heads = ["step", "node", "what", "where", "recorded", "now"]
    assert result.stdout.splitlines()[0].split() == heads
    assert "go on live from there: playhead fork" in result.stderr
    assert "--at 3 --agent agents.py:changed" in result.stderr
    assert "Be brief." in result.stdout
    assert "Be long." in result.stdout
    assert "1 divergence in 1 turn" in result.stdout
    words = ("replay", "last", "--agent", "agents.py:changed", "--json", "--mode")
    every = document(cli(*words, "observe").stdout)["divergences"]
    assert [each["seq"] for each in every] == [3, 6]
    keys = {"seq", "agent", "node", "what", "recorded", "now", "path", "fork_at"}
    assert set(every[0]) == keys
    assert document(cli(*words, "strict", "--every").stdout)["divergences"] == every
    assert document(cli(*words, "steps").stdout)["ok"]
    assert cli(*words, "loose").exit_code == 2


def test_a_replay_asks_no_model_and_does_nothing(cli: Run, place: Path):
    cli("run", "agents.py:mailer", "Write to Ana")
    (place / "sent.txt").unlink()
    assert cli("replay", "last", "--agent", "agents.py:mailer").exit_code == 0
    assert not (place / "sent.txt").exists()


def results(text: str) -> list[tuple[str, str]]:
    return [(row["tape"][-8:], row["result"]) for row in document(text)["tapes"]]


def test_many_tapes_give_a_table(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    cli("run", "agents.py:mailer", "Write to Ana")
    result = cli("replay", "--all", "--agent", "agents.py:agent")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["tape", "turns", "result", "first", "difference"]
    assert "skipped  it was made by agent `mailer`, not by `helper`" in lines[1]
    assert lines[2].split()[1:] == ["2", "same"]
    assert lines[3].startswith("2 tapes: 1 as recorded, 0 differ, 1 skipped; 2 turns")
    result = cli("replay", "--all", "--agent", "agents.py:changed")
    assert result.exit_code == 1
    assert "step 3, node act: prompt (message 0, parts/0/content) was Be brief., now" in (
        result.stdout
    )
    assert "go on live from there: playhead fork" in result.stdout


def test_tapes_are_chosen(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    cli("run", "agents.py:mailer", "Write to Ana")
    mailer, helper = (tape["id"][-8:] for tape in document(cli("ls", "--json").stdout)["tapes"])
    words = ("replay", "--json", "--agent", "agents.py:agent")
    skipped, same = (mailer, "skipped"), (helper, "same")
    assert results(cli(*words, "--all").stdout) == [skipped, same]
    assert results(cli(*words, "--agent-name", "helper").stdout) == [same]
    assert results(cli(*words, "--status", "answered").stdout) == [skipped, same]
    assert cli(*words, "--status", "waiting").exit_code == 2
    assert results(cli(*words, "--since", "1h").stdout) == [skipped, same]
    assert results(cli(*words, mailer, helper, "--all").stdout) == [skipped, same]
    assert results(cli(*words, helper, "--all").stdout) == [same]
    none = cli(*words, "--until", "2020-01-01")
    assert none.exit_code == 2
    assert document(none.stdout)["error"]["code"] == "usage"
    for wrong in (("replay", "--agent", "agents.py:agent"), ("replay", "--all")):
        assert cli(*wrong).exit_code == 2
    only = cli("replay", mailer, "--all", "--agent", "agents.py:agent")
    assert only.exit_code == 1  # nothing was compared


def test_several_processes_say_the_same_as_one(cli: Run, place: Path):
    for _ in range(9):
        cli("run", "agents.py:agent", "Is it raining?")
    cli("run", "agents.py:mailer", "Write to Ana")
    for agent in ("agent", "changed"):
        words = ("replay", "--all", "--json", "--agent", f"agents.py:{agent}", "--jobs")
        one, two = cli(*words, "1"), cli(*words, "2")
        assert document(one.stdout) == document(two.stdout)
        assert one.exit_code == two.exit_code == (agent == "changed")


def test_a_process_that_dies_costs_its_tape_alone(cli: Run, place: Path):
    with Path("agents.py").open("a") as file:
        file.write(DEADLY)
    for number in range(10):
        cli("run", "agents.py:agent", "Die." if number == 4 else "Is it raining?")
    result = cli("replay", "--all", "--json", "--agent", "agents.py:deadly", "--jobs", "2")
    found = document(result.stdout)["tapes"]
    assert [row["result"] for row in found].count("same") == 9
    (dead,) = [row for row in found if row["result"] == "differs"]
    assert dead["reason"] == "the process that replayed it ended with code 7"
    assert result.exit_code == 1


DEADLY = """

class Deadly(ph.ToolCallingNode):
    def make_prompt(self, view, ctx):
        print("said on stdout")
        if any("Die." in message.text for message in view.messages):
            import os
            os._exit(7)
        return super().make_prompt(view, ctx)


deadly = ph.Agent(
    "helper", model=model(), tools=[weather], instructions="Be brief.", nodes=[Deadly()]
)
"""


def test_a_fork_goes_another_way(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    result = cli("fork", "last", "--at", "3", "--agent", "agents.py:other", "--json")
    assert result.exit_code == 0
    said = document(result.stdout)
    assert said["answer"] == "No idea."
    assert said["parent"]["at"] == 3
    pair = f"{said['parent']['tape'][-8:]} {said['tape'][-8:]}"
    assert f"compare with: playhead diff {pair}" in result.stderr


def test_a_fork_goes_on_live_from_where_a_replay_parts(cli: Run):
    recorded = document(cli("run", "agents.py:agent", "Is it raining?", "--json").stdout)
    parted = cli("replay", "last", "--agent", "agents.py:changed")
    command = parted.stderr.partition("go on live from there: playhead ")[2].splitlines()[0]
    said = document(cli(*shlex.split(command), "--json").stdout)
    assert said["parent"] == {"tape": recorded["tape"], "at": 3}
    assert cli("replay", said["tape"], "--agent", "agents.py:changed").exit_code == 0


def test_a_fork_may_be_told_something(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    words = ("fork", "last", "--agent", "agents.py:agent", "--task", "How long?", "--json")
    assert document(cli(*words).stdout)["answer"] == "Until noon."


def test_a_fork_lists_effects_and_asks(cli: Run, place: Path):
    cli("run", "agents.py:mailer", "Write to Ana")
    words = ("fork", "last", "--at", "3", "--agent", "agents.py:mailer")
    asks = cli(*words)
    assert asks.exit_code == 3
    assert asks.stderr.startswith("error: decision_needed: after step 3 the parent did this")
    assert '  step 4: send(to="ana")' in asks.stderr
    said = document(cli(*words, "--json").stdout)
    assert said["effects"] == [{"seq": 4, "name": "send", "arguments": {"to": "ana"}}]
    assert len(document(cli("ls", "--json").stdout)["tapes"]) == 1
    assert cli(*words, "--effects", "reuse").exit_code == 0
    assert (place / "sent.txt").read_text() == "ana\n"
    assert cli(*words[:2], *words[2:], "--effects", "redo").exit_code in (0, 3)


def test_a_fork_within_a_tape_has_a_place(cli: Run):
    cli("run", "agents.py:agent", "Is it raining?")
    for at in ("0", "-1", "99", "x"):
        assert cli("fork", "last", "--at", at, "--agent", "agents.py:agent").exit_code == 2


SIMULATED = """

def simulated(call):
    return f"as if {call.name}"
"""


def test_a_fork_may_simulate_effects(cli: Run, place: Path):
    """A function of the person's gives what the world would; it is needed to go on, too."""
    with Path("agents.py").open("a") as file:
        file.write(SIMULATED)
    cli("run", "agents.py:mailer", "Write to Ana")
    words = ["fork", "last", "--at", "4", "--agent", "agents.py:mailer", "--effects", "simulate"]
    for wrong in (words, [*words[:-1], "reuse", "--simulate", "agents.py:simulated"]):
        result = cli(*wrong)
        assert result.exit_code == 2
        assert "go together" in result.stderr
    for name in ("agents.py:nothing", "simulated", "nowhere.py:f"):
        assert cli(*words, "--simulate", name).exit_code == 2
    result = cli(*words, "--simulate", "agents.py:simulated", "--json")
    assert result.exit_code == 0, result.stderr
    assert "as if send" in cli("show", "last").stdout
    assert (place / "sent.txt").read_text() == "ana\n"
