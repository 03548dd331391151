"""`doctor`: what is well, and what is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from cli_helpers import Run, document, stored

from playhead.cli import _doctor_store, _doctor_surroundings
from playhead.cli._doctor import has_reset_fault, sqlite_checks
from playhead.tape import text_parts
from playhead.tape.kinds import UserMessage


def checks(cli: Run) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for check in document(cli("doctor", "--json").stdout)["checks"]:
        found.setdefault(check["name"], []).append(check)
    return found


@pytest.fixture
def store(place: Path) -> Path:
    stored(place / "tapes.db", UserMessage(parts=text_parts("hello")))
    return place / "tapes.db"


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_all_is_well(cli: Run, store: Path):
    result = cli("doctor")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.endswith("all is well\n")
    found = checks(cli)
    assert found["contents"][0]["found"].startswith("1 tape,")
    assert sqlite3.sqlite_version in found["sqlite"][0]["found"]
    assert {"python", "disk", "integrity", "sessions", "keys"} <= set(found)


def test_no_store_yet_is_no_fault(cli: Run):
    assert "nothing is stored there yet" in cli("doctor").stdout
    assert not Path("tapes.db").exists()


def test_keys_are_named_and_never_shown(cli: Run, store: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-3141592653")
    monkeypatch.setenv("HF_TOKEN", "")
    for words in (["doctor"], ["doctor", "--json"]):
        result = cli(*words)
        assert result.exit_code == 0
        assert "OPENAI_API_KEY" in result.stdout
        assert "HF_TOKEN is set to nothing" in result.stdout
        assert "3141592653" not in result.stdout + result.stderr


def test_a_damaged_file_is_found(cli: Run, store: Path):
    data = bytearray(store.read_bytes())
    data[-4096:] = b"\xaa" * 4096
    for page in range(2, len(data) // 8192):
        data[page * 8192 + 3 : page * 8192 + 9] = b"\xff" * 6
    store.write_bytes(bytes(data))
    result = cli("doctor")
    assert result.exit_code == 1
    assert "FAULT" in result.stdout


def test_another_file_is_no_store(cli: Run, place: Path):
    (place / "tapes.db").write_text("hello, this is no database at all, " * 40)
    assert cli("doctor").exit_code == 1


def test_what_belongs_to_no_tape_is_found(cli: Run, store: Path):
    change(store, f"INSERT INTO blobs VALUES (99, '{'a' * 64}', 'text/plain', x'00')")
    assert checks(cli)["orphans"][0]["state"] == "fault"
    assert cli("doctor").exit_code == 1


def test_leases_and_the_inbox_are_told_of(cli: Run, store: Path):
    change(
        store,
        "INSERT INTO leases VALUES ('default', 'a', 1, 'elsewhere|1|2|x', 9e12)",
        "INSERT INTO inbox (tenant, tape, time, content) VALUES ('default', 'a', 't', '1')",
    )
    found = checks(cli)
    assert "owned by live sessions: 1 tape" in found["sessions"][0]["found"]
    assert found["inbox"][0]["state"] == "note"


def test_a_full_disk_is_a_fault(cli: Run, store: Path, monkeypatch):
    monkeypatch.setattr(_doctor_store, "_LITTLE", 1 << 80)
    assert checks(cli)["disk"][0]["state"] == "fault"


def test_a_missing_extra_is_a_note(monkeypatch):
    monkeypatch.setattr(
        _doctor_surroundings.importlib.metadata,
        "requires",
        lambda _: ["rich", "openai>=2; extra == 'openai'", 'nowhere-to-be-found; extra == "x"'],
    )
    found = {check.name: check for check in _doctor_surroundings.extras()}
    assert set(found) == {"extra openai", "extra x"}
    assert found["extra x"].state == "note"
    assert "playhead[x]" in found["extra x"].advice


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 45, 0), True),
        ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)  # fmt: skip
def test_builds_with_the_fault_are_known(version, faulty):
    assert has_reset_fault(version) is faulty
    assert next(iter(sqlite_checks(version))).state == ("note" if faulty else "ok")
