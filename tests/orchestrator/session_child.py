"""A session in a process of its own: `python session_child.py PATH TAPE COMMAND …`.

`own` runs or resumes a session whose tool tells when it runs and waits for a line on standard
input. `steal` takes a tape's lease away by editing the table. `say` posts to a tape's inbox.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys

from session_kit import by_history, calls

import playhead as ph


@ph.tool(effect="write")
async def slow(context: ph.ToolContext) -> str:
    print(f"running {context.key}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return "done"


def agent() -> ph.Agent:
    return ph.Agent("slow", model=by_history(calls("slow"), "finished", "more"), tools=[slow])


async def own(path: str, tape: str) -> None:
    async with ph.SqliteStore(path) as store:
        try:
            if tape == "new":
                done = await ph.run(agent(), "Go.", store=store)
            else:
                done = await ph.resume(tape, agent=agent(), store=store)
            print(f"ended {done.status} {done.answer}", flush=True)
        except ph.PlayheadError as error:
            print(f"failed {type(error).__name__}", flush=True)


def steal(path: str, tape: str) -> None:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute(
        "UPDATE leases SET epoch = epoch + 1, owner = 'elsewhere|1|1|thief', expires = 9e9 "
        "WHERE tape = ?",
        (tape,),
    )
    connection.close()


async def say(path: str, tape: str, content: str) -> None:
    async with ph.SqliteStore(path) as store:
        await store.post(tape, json.loads(content))


if __name__ == "__main__":
    where, which, command, *more = sys.argv[1:]
    if command == "own":
        asyncio.run(own(where, which))
    elif command == "steal":
        steal(where, which)
    else:
        asyncio.run(say(where, which, *more))
