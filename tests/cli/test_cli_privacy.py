"""`--vault`: sessions of the command line whose tapes hold placeholders."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cli_helpers import Run, document

from playhead.govern import KEY_VARIABLE, SqliteVault, make_key_file, new_key
from playhead.store import SqliteStore

ADDRESS = "ana@example.com"
AGENT = """
from pathlib import Path

import playhead as ph
from playhead.tape import ToolCallPart, assistant

def note(name, text):
    with Path(name).open("a") as file:
        file.write(text + "\\n")

@ph.tool(effect="irreversible")
def send(to: str) -> str:
    \"\"\"Send a message.\"\"\"
    note("sent.txt", to)
    return f"sent to {to}"

def answer(request):
    said = [message for message in request.prompt.messages() if message.role != "system"]
    note("seen.txt", said[0].text)
    if any(message.role == "tool" for message in said):
        return "Done."
    to = said[0].text.removeprefix("Write to ")
    return assistant((ToolCallPart(id="c", name="send", arguments={"to": to}),))

mailer = ph.Agent("mailer", model=ph.ScriptedModel(answer, name="small"), tools=[send])
"""
RUN = ("run", "mail.py:mailer", f"Write to {ADDRESS}")


@pytest.fixture
def vault(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(KEY_VARIABLE, new_key())
    (place / "mail.py").write_text(AGENT)
    return place / "vault.db"


def bytes_of(place: Path) -> bytes:
    return b"".join(each.read_bytes() for each in place.glob("tapes.db*"))


def test_a_run_with_a_vault_keeps_values_off_the_tape(cli: Run, place: Path, vault: Path) -> None:
    result = cli(*RUN, "--vault", str(vault))
    assert result.exit_code == 0
    assert (place / "sent.txt").read_text() == f"{ADDRESS}\n"  # the tool got the value
    assert ADDRESS not in (place / "seen.txt").read_text()  # the model did not
    assert ADDRESS not in result.output
    assert "⟦email:" in result.output
    assert ADDRESS.encode() not in bytes_of(place)


def test_without_a_vault_it_is_there(cli: Run, place: Path, vault: Path) -> None:
    assert cli(*RUN).exit_code == 0
    assert ADDRESS.encode() in bytes_of(place)


def test_a_model_that_is_trusted_sees_the_value(cli: Run, place: Path, vault: Path) -> None:
    assert cli(*RUN, "--vault", str(vault), "--trust", "small").exit_code == 0
    assert ADDRESS in (place / "seen.txt").read_text()
    assert ADDRESS.encode() not in bytes_of(place)


def test_the_hint_to_go_on_names_the_vault(cli: Run, place: Path, vault: Path) -> None:
    paused = cli(*RUN, "--vault", str(vault), "--approve", "irreversible")
    assert paused.exit_code == 3
    told = document(cli("pending", "--json").stdout)["pending"]
    assert ADDRESS not in str(told)
    without = cli("decide", "last", told[0]["action"], "approve", "--resume", "--agent", RUN[1])
    assert without.exit_code == 1
    assert "holds placeholders of the vault" in without.stderr
    assert "--vault" in without.stderr
    hint = next(line for line in paused.stderr.splitlines() if "playhead resume" in line)
    words = hint.partition("playhead ")[2].split()
    assert words[words.index("--vault") + 1] == str(vault)
    assert cli("decide", "last", told[0]["action"], "approve").exit_code == 0
    assert cli(*words).exit_code == 0
    assert (place / "sent.txt").read_text() == f"{ADDRESS}\n"


def test_a_decision_from_outside_is_guarded_as_well(cli: Run, place: Path, vault: Path) -> None:
    cli(*RUN, "--vault", str(vault), "--approve", "irreversible")
    waiting = document(cli("pending", "--json").stdout)["pending"][0]["action"]
    edit = ("--arguments", '{"to": "bo@example.com"}', "--vault", str(vault))
    assert cli("decide", "last", waiting, "edit", *edit).exit_code == 0
    done = cli("resume", "last", "--agent", "mail.py:mailer", "--vault", str(vault))
    assert done.exit_code == 0
    assert (place / "sent.txt").read_text() == "bo@example.com\n"
    assert b"bo@example.com" not in bytes_of(place)


def test_a_fork_needs_and_takes_the_vault(cli: Run, place: Path, vault: Path) -> None:
    cli(*RUN, "--vault", str(vault))
    words = ("fork", "last", "--agent", "mail.py:mailer", "--effects", "reuse", "--at", "3")
    assert cli(*words).exit_code == 1
    assert cli(*words, "--vault", str(vault)).exit_code == 0
    assert ADDRESS.encode() not in bytes_of(place)


def test_the_key_may_stand_in_a_file(
    cli: Run, place: Path, vault: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    refused = cli(*RUN, "--vault", str(vault))
    assert refused.exit_code == 1
    assert "a vault needs a key" in refused.stderr
    (tmp_path / "keys").mkdir()
    key = make_key_file(tmp_path / "keys" / "vault.key")
    assert cli(*RUN, "--vault", str(vault), "--key-file", str(key)).exit_code == 0
    opened = SqliteVault(vault, key_file=key)
    assert opened.forget(ADDRESS) == 1
    opened.close()


@pytest.mark.parametrize("words", [("--key-file", "k"), ("--trust", "small")])
def test_options_of_a_vault_need_one(cli: Run, vault: Path, words: tuple[str, str]) -> None:
    refused = cli(*RUN, *words)
    assert refused.exit_code == 2
    assert "name it with --vault" in refused.stderr


def test_nothing_is_begun_without_the_vault(cli: Run, place: Path, vault: Path) -> None:
    vault.write_text("no vault at all")
    assert cli(*RUN, "--vault", str(vault)).exit_code == 1

    async def tapes() -> int:
        async with SqliteStore(place / "tapes.db") as store:
            return len(await store.tapes(limit=5))

    assert asyncio.run(tapes()) == 0
