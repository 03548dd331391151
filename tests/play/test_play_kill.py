"""Plays whose process is killed (SIGKILL), before and after each append and each effect.

Whatever dies: the tape verifies, the play goes on from where it was in another process, each effect
happens once, and the play replays without a difference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lending import LENT, lend_experience

import playhead as ph
from playhead.errors import TapeNotFoundError
from playhead.experience.play import player_agent, read_played
from playhead.orchestrator import pending
from playhead.tape import new_id

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

SERVER = Path(__file__).with_name("play_kill_server.py")
POINTS = ("before append", "after append", "before effect", "after effect")


class Server:
    """Gives plays their lives."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def live(self, **said: Any) -> bool:
        """One life; whether it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        ended = json.loads(self._process.stdout.readline())
        assert not ended["fault"], ended["fault"]
        return bool(ended["killed"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SERVER.parent)},
    )
    yield Server(process)
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def effects(folder: Path) -> list[dict[str, Any]]:
    file = folder / "effects.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def decisions(folder: Path, tape: str) -> dict[str, list[Any]] | None:
    """What a person who looks at the world decides; None if nothing was stored yet."""
    async with ph.SqliteStore(folder / "store.db") as store:
        try:
            opened = await store.open(tape)
        except TapeNotFoundError:
            return None
        opened.verify()
        had = [each["tool"] for each in effects(folder)]
        return {
            waiting.action: ["result", {"loan": 41, "due": "2030-02-14"}]
            if waiting.name in had
            else ["redo", None]
            for waiting in await pending(store, tape=tape)
        }


@pytest.mark.parametrize("point", POINTS)
async def test_a_play_survives_its_death_at_every_step(
    point: str, server: Server, tmp_path: Path
) -> None:
    number = 0
    while True:
        number += 1
        folder, tape = tmp_path / str(number), new_id()
        folder.mkdir()
        said = {"folder": str(folder), "tape": tape, "contract": "external", "decisions": {}}
        if not server.live(begin=True, point=point, number=number, **said):
            break
        await finished(server, said, folder)
    assert number == (3 if "effect" in point else 11)  # the last one was not killed


async def finished(server: Server, said: dict[str, Any], folder: Path) -> None:
    """Bring a killed play to its end, in further processes."""
    for _ in range(3):  # the second one is asked about what nobody knows
        decided = await decisions(folder, said["tape"])
        more = {**said, "decisions": decided or {}}
        assert not server.live(begin=decided is None, point=None, number=0, **more)
    assert effects(folder) == LENT
    async with ph.SqliteStore(folder / "store.db") as store:
        done = read_played(await store.open(said["tape"]))
        assert (done.outcome, done.answer) == ("done", "Lent.")
        done.tape.verify()
        agent = player_agent(lend_experience(), limited=False)
        assert (await ph.replay(done.tape, agent=agent, store=store)).ok


async def test_a_play_survives_one_death_after_the_other(server: Server, tmp_path: Path) -> None:
    """Each life makes a step or two; in the end, everything happened once."""
    tape = new_id()
    said = {"folder": str(tmp_path), "tape": tape, "contract": "external"}
    for number in range(60):
        decided = await decisions(tmp_path, tape)
        point = POINTS[1] if number % 2 else POINTS[0]
        killed = server.live(
            begin=decided is None,
            point=point,
            number=3 + number % 2,
            decisions=decided or {},
            **said,
        )
        if not killed and not await decisions(tmp_path, tape):
            break
    await finished(server, {**said, "decisions": {}}, tmp_path)


async def test_what_nobody_knows_waits_for_a_decision(server: Server, tmp_path: Path) -> None:
    tape = new_id()
    said = {"folder": str(tmp_path), "tape": tape, "contract": "external", "decisions": {}}
    assert server.live(begin=True, point="after effect", number=1, **said)
    assert not server.live(begin=False, point=None, number=0, **said)
    assert effects(tmp_path) == LENT[:1]
    async with ph.SqliteStore(tmp_path / "store.db") as store:
        assert read_played(await store.open(tape)).outcome == "waiting"
        (waiting,) = await pending(store, tape=tape)
        assert (waiting.name, waiting.why) == ("lend", "unknown_outcome")


async def test_a_play_goes_on_with_the_experience_that_its_tape_holds(
    server: Server, tmp_path: Path
) -> None:
    """`resume_play` in another process is given neither experience nor parameters."""
    tape = new_id()
    said = {"folder": str(tmp_path), "tape": tape, "contract": "external", "decisions": {}}
    assert server.live(begin=True, point="after append", number=1, **said)
    async with ph.SqliteStore(tmp_path / "store.db") as store:
        kinds = [step.kind for step in await store.open(tape)]
        assert kinds == [f"playhead.{name}" for name in ("tape", "run", "play", "user_message")]
    await finished(server, said, tmp_path)
