"""The commands of the form filler, as a person runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_the_table_of_candidates_and_behaviours(tmp_path: Path) -> None:
    done = command(
        "examples.forms.evaluate", "--each", "1", "--behaviour", "happy_terse",
        "--behaviour", "skip_required", "--judge", "rules", "--store", str(tmp_path / "t.db"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == [
        "candidate", "behaviour", "n", "G", "R", "A", "D", "T", "H", "success", "calls", "tokens"
    ]  # fmt: skip
    table = {(row[0], row[1]): row[2:] for row in rows[1:] if len(row) == 12 and row[2] in "12"}
    assert len(table) == 8 * 3
    assert table["teacher", "all"][1:8] == ["100"] * 7
    assert table["student", "skip_required"][1:8] == ["100"] * 7
    assert float(table["teacher", "all"][8]) > 3 * float(table["student", "all"][8])
    assert any("grounded changes by -" in line for line in done.stdout.splitlines())
    assert "program and judge agree" in done.stdout


def test_what_cannot_be_done_is_told(tmp_path: Path) -> None:
    to = str(tmp_path / "tree")
    for words, says in (
        (["examples.forms.evaluate", "--behaviour", "of_topic"], "do you mean `off_topic`"),
        (["examples.forms.talk", "--behaviour", "of_topic"], "do you mean `off_topic`"),
        (["examples.forms.talk", "--company", "acme"], "there is no company `acme`"),
        (["examples.forms.evaluate", "--split", "dev"], "there is no split `dev`"),
        (
            ["examples.forms.tree", "--to", to, "--user-model", "gpt"],
            "--user-model: `gpt` names no",
        ),
        (["examples.forms.tree", "--to", to, "--roots", "9", "--dialogues", "3"], "9 `roots` are"),
    ):
        done = command(*words)
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_broken_settings_are_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "tree.yaml"
    path.write_text("dialogues: 10\nroots: 20\n")
    done = command("examples.forms.tree", "--to", str(tmp_path), "--settings", str(path))
    assert done.returncode == 2
    assert f"{path}:1: " in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_recorded_tapes_are_scored(tmp_path: Path, data_dir: Path) -> None:
    file = data_dir / "tapeagents" / "form_filler" / "output_tapes_for_teacher.yaml"
    store = str(tmp_path / "tapes.db")
    assert command("playhead", "import", str(file), "--store", store).returncode == 0
    done = command("examples.forms.score", store)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("G 100  R 100  A 100  D 100  T 100") == 3
    assert "turn 1, helpful: the message does not tell that `baggage_details` may" in done.stdout
    missing = command("examples.forms.score", str(tmp_path / "none.db"))
    assert missing.returncode == 2
    assert "playhead import" in missing.stderr


def test_a_dialogue_is_printed() -> None:
    done = command("examples.forms.talk", "--agent", "student", "--behaviour", "skip_required")
    assert done.returncode == 0, done.stderr
    assert "cannot be skipped" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" 0 breaches")
