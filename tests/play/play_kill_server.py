"""Lives of plays, each in a forked process that may be killed: `python play_kill_server.py`.

Reads a line of JSON a life: the folder, the tape's id, whether it goes on, where it dies, and
decisions. Answers with whether it was killed, or what went wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from lending import LEND, NOW, Lending, lend_experience

import playhead as ph
from playhead.experience.play import play, resume_play
from playhead.store import Answer, Batch
from playhead.tape import Tape


class Death:
    """Kills the process the n-th time that a point is passed."""

    def __init__(self, point: str | None, number: int) -> None:
        self.point, self.left = point, number

    def at(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DyingStore(ph.SqliteStore):
    """Passes a point before and after each append."""

    death: Death

    async def append(self, batch: Batch) -> Answer:
        self.death.at("before append")
        answer = await super().append(batch)
        self.death.at("after append")
        return answer


class DyingLending(Lending):
    """Passes a point before and after each effect."""

    death: Death

    def done(self, tool: str, **arguments: Any) -> None:
        self.death.at("before effect")
        super().done(tool, **arguments)
        self.death.at("after effect")


async def live(said: dict[str, Any]) -> None:
    folder, death = Path(said["folder"]), Death(said["point"], said["number"])
    world = DyingLending(folder / "effects.jsonl", contract=said["contract"])
    world.death = death
    DyingStore.death = death
    async with DyingStore(folder / "store.db") as store:
        common: dict[str, Any] = {
            "environment": world.environment(),
            "store": store,
            "limited": False,
        }
        if said["begin"]:
            tape = Tape.new(said["tape"])
            await play(lend_experience(), **LEND, now=NOW, tape=tape, **common)
        else:
            decisions = {
                action: ph.Verdict(name, result=result)
                for action, (name, result) in said["decisions"].items()
            }
            await resume_play(said["tape"], decisions=decisions, **common)


def life(said: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        fault = ""
        try:
            asyncio.run(live(said))
        except BaseException as error:
            fault = f"{type(error).__name__}: {error}"
        os.write(writing, fault.encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        fault = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return {"killed": os.WIFSIGNALED(status), "fault": fault}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(life(json.loads(line))), flush=True)
