"""`export`, `import`, `rm`, `erase`: tapes and their words, in and out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import Run, document, in_terminal, playhead, stored

from playhead.cli._verify_file import verify_file
from playhead.tape import Tape, text_parts
from playhead.tape.kinds import UserMessage

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_tape.py"


def said(text: str) -> UserMessage:
    return UserMessage(parts=text_parts(text))


@pytest.fixture
def family(place: Path) -> tuple[Tape, Tape]:
    tape = stored(place / "tapes.db", said("apple"), said("secret-3141592653"), said("last"))
    child = stored(place / "tapes.db", said("of the child"), tape=tape.fork(2))
    return tape, child


def everything(place: Path) -> bytes:
    return b"".join(file.read_bytes() for file in place.iterdir() if file.is_file())


def test_a_backup_goes_into_another_store(cli: Run, place: Path, family):
    done = document(cli("export", "--all", "--to", "backup", "--json").stdout)
    assert len(done["files"]) == 2
    for file in sorted(Path("backup").iterdir()):
        checked = subprocess.run([sys.executable, VERIFIER, file], capture_output=True, check=False)
        assert checked.returncode == 0
    result = cli("import", "backup", "--store", "other.db")
    assert result.exit_code == 0, result.stderr
    for store in ("tapes.db", "other.db"):
        assert len(document(cli("ls", "--json", "--store", store).stdout)["tapes"]) == 2
    for tape in family:
        out = [cli("export", tape.id, "--store", s).stdout for s in ("tapes.db", "other.db")]
        assert out[0] == out[1]
        assert out[0] == cli("show", tape.id, "--jsonl").stdout
    again = document(cli("import", "backup", "--store", "other.db", "--json").stdout)
    assert (again["ok"], [file["stored"] for file in again["files"]]) == (True, [0, 0])
    assert "there already" in cli("import", "backup", "--store", "other.db").stdout
    assert cli("verify", "--all", "--store", "other.db").exit_code == 0


def test_a_tape_goes_through_a_pipe(cli: Run, place: Path, family):
    tape = family[1]
    out = playhead("export", "last", cwd=place)
    done = subprocess.run(
        [sys.executable, "-m", "playhead", "import", "-", "--store", "piped.db"],
        input=out.out, cwd=place, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"with what it shares with {family[0].id[-8:]}" in done.stdout
    assert cli("export", tape.id, "--store", "piped.db").stdout == out.out


def test_one_bad_file_keeps_no_other_out(cli: Run, place: Path, family):
    cli("export", "--all", "--to", "backup")
    bad = Path("backup", f"{family[0].id}.tape.jsonl")
    bad.write_text(bad.read_text().replace("secret", "public"))
    result = cli("import", "backup", "--store", "other.db", "--json")
    assert result.exit_code == 1
    files = document(result.stdout)["files"]
    assert sorted(file["tape"] is None for file in files) == [False, True]
    assert next(f["error"]["code"] for f in files if f["error"]) == "verification"


def test_a_conflict_is_told(cli: Run, place: Path, family):
    cli("export", "-2", "-o", "one.tape.jsonl")
    cli("import", "one.tape.jsonl", "--store", "other.db")
    cli("erase", family[0].id, "--steps", "2", "--yes")
    cli("erase", family[0].id, "--steps", "3", "--yes", "--store", "other.db")
    cli("export", family[0].id, "-o", "two.tape.jsonl")
    result = cli("import", "two.tape.jsonl", "--store", "other.db")
    assert result.exit_code == 4
    assert "conflict" in result.stderr
    assert "nothing was imported" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "or --all"),
        (["last", "--all"], "or --all"),
        (["-1", "-2"], "--to DIR"),
        (["last", "--json"], "stdout is taken"),
        (["last", "-o", "agents.py"], "--force"),
        (["last", "-o", "x.jsonl", "--to", "d"], "one of them"),
        (["last", "-o", "agents.py/x"], "cannot be written"),
    ],
)
def test_an_export_that_cannot_be_is_told(cli: Run, family, words, told):
    result = cli("export", *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_files_are_whole_or_not_there(cli: Run, place: Path, family, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert cli("export", "last", "-o", "out/x.tape.jsonl").exit_code == 2
    assert list(Path("out").iterdir()) == []


def test_removed_tapes_leave_no_bytes(cli: Run, place: Path, family):
    assert cli("search", "secret").exit_code == 0  # so that there is an index
    assert b"3141592653" in everything(place)
    result = cli("rm", "-2", "--yes")
    assert result.exit_code == 0
    assert "3 steps" in result.stdout.replace("4 steps", "3 steps")
    assert b"3141592653" not in everything(place)
    assert cli("verify", "--all").exit_code == 0
    assert "apple" in cli("show", family[1].id).stdout
    assert cli("search", "apple").stdout.split()[0] == family[1].id[-8:]
    done = document(cli("rm", "last", "--yes", "--json").stdout)
    assert done == {"removed": [{"tape": family[1].id, "steps": 2}]}
    assert b"apple" not in everything(place)
    assert cli("rm", "last", "--yes").exit_code == 2


def test_erased_words_leave_no_bytes_and_a_note(cli: Run, place: Path, family):
    assert cli("search", "secret").exit_code == 0
    result = cli("erase", family[0].id, "--steps", "2:4", "--reason", "Ana asked", "--yes")
    assert result.exit_code == 0, result.stderr
    assert b"3141592653" not in everything(place)
    assert cli("search", "secret").exit_code == 1
    shown = cli("show", family[0].id, "--all").stdout
    assert shown.count("(erased)") == 2
    assert "steps 2, 3: Ana asked" in shown
    assert cli("verify", "--all").exit_code == 0
    done = document(cli("erase", "-2", "--steps", "1", "--yes", "--json").stdout)
    assert (done["erased"], done["note"]) == ([1], 5)


def test_what_may_not_be_erased_is_told(cli: Run, place: Path, family):
    tape, child = family
    before = everything(place)
    for steps, told in (("0", "header"), ("1", tape.id), ("2", "header"), ("9", "no step 9")):
        result = cli("erase", child.id, "--steps", steps, "--yes")
        assert result.exit_code in (2, 4)
        assert told in result.stderr
    assert cli("erase", child.id, "--steps", "3:3", "--yes").exit_code == 2
    assert b"3141592653" in before
    assert b"3141592653" in everything(place)
    assert len(document(cli("show", child.id, "--json").stdout)["steps"]) == 2


@pytest.mark.parametrize("command", [["rm", "last"], ["erase", "-2", "--steps", "2"]])
def test_one_is_asked_first(cli: Run, place: Path, family, command):
    result = cli(*command)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    code, seen = in_terminal(*command, cwd=place, typed=[("[y/N]", "n\n")])
    assert code == 1
    assert "nothing was changed" in seen
    assert b"3141592653" in everything(place)
    code, seen = in_terminal(*command, cwd=place, typed=[("[y/N]", "y\n")])
    assert code == 0, seen


def test_a_file_is_verified_with_little_of_it_in_memory(place: Path):
    """The peak is a few lines, not the file."""
    import tracemalloc

    from playhead.tape import write_tape

    tape = Tape.new()
    for number in range(40):
        tape = tape.append(said(f"{number}" + "x" * 500_000))
    with Path("large.tape.jsonl").open("wb") as file:
        file.writelines(write_tape(tape))
    head = tape.head_text
    del tape
    tracemalloc.start()
    try:
        found, used = verify_file("large.tape.jsonl", [head], alone=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.fault, found.head, used) == (None, head, {head})
    assert peak < 10_000_000 < Path("large.tape.jsonl").stat().st_size


def test_a_session_goes_on_after_an_erasure(cli: Run, place: Path):
    cli("run", "agents.py:agent", "Is it raining?")
    seqs = [s["seq"] for s in document(cli("show", "last", "--json").stdout)["steps"]]
    assert cli("erase", "last", "--steps", str(seqs[1]), "--yes").exit_code == 0
    result = cli("run", "agents.py:agent", "For how long?", "--tape", "last", "--json")
    assert result.exit_code == 0, result.stderr
    assert document(result.stdout)["answer"] == "Until noon."
    assert cli("verify", "last").exit_code == 0
