"""What the tests of the command line share: an agent file, tapes made by hand, processes."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from typer.testing import Result

from playhead.store import Batch, SqliteStore
from playhead.tape import Body, Draft, Tape

Run: TypeAlias = Callable[..., Result]

AGENTS = '''
import asyncio
from pathlib import Path

import playhead as ph
from playhead.tape import ToolCallPart, assistant


@ph.tool(effect="read")
def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


@ph.tool(effect="irreversible")
def send(to: str) -> str:
    """Send a message."""
    with Path("sent.txt").open("a") as file:
        file.write(to + "\\n")
    return "sent"


@ph.tool(effect="write")
async def hang() -> str:
    """Never answer."""
    Path("hanging").touch()
    await asyncio.Event().wait()
    return "never"


def call(name, **arguments):
    return assistant((ToolCallPart(id=name, name=name, arguments=arguments),))


def model(*script):
    """Answers from a script, by what the prompt holds already: any process can go on."""

    def answer(request):
        said = sum(message.role == "assistant" for message in request.prompt)
        return script[said] if said < len(script) else "nothing more to say"

    return ph.ScriptedModel(answer)


script = [call("weather", city="Montreal"), "It rains.", "Until noon."]
agent = ph.Agent("helper", model=model(*script), tools=[weather], instructions="Be brief.")
changed = ph.Agent("helper", model=model(*script), tools=[weather], instructions="Be long.")
other = ph.Agent("helper", model=model("No idea."), tools=[weather], instructions="Be brief.")
mailer = ph.Agent("mailer", model=model(call("send", to="ana"), "Sent it."), tools=[send])
hanging = ph.Agent("hanging", model=model(call("hang"), "Done."), tools=[hang])
silent = ph.Agent("silent", model=ph.ScriptedModel([]))


class Broken(ph.Node):
    def make_prompt(self, view, ctx):
        raise ValueError("a \\x1b[31mred\\x1b[0m fault\\nof two lines")


broken = ph.Agent("broken", nodes=[Broken("only")])
number = 7


def factory():
    return agent


def needs(something):
    return agent
'''


class Ended(NamedTuple):
    """What became of a process."""

    code: int
    out: str
    err: str


def start(*words: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """Start the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "playhead", *words],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def playhead(*words: str, cwd: Path, **environment: str) -> Ended:
    """Run the program in a process of its own."""
    process = start(*words, cwd=cwd, **environment)
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file is there."""
    until = time.monotonic() + 60
    while not path.exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise AssertionError(f"{path} does not come: {process.communicate()}")
        time.sleep(0.02)


def in_terminal(
    *words: str,
    cwd: Path,
    typed: Sequence[tuple[str, str]] = (),
    interrupt_at: str | None = None,
    columns: int = 100,
    program: str | None = None,
) -> tuple[int, str]:
    """Run the program at a terminal: what is typed after what is seen; its exit code and output."""
    terminal, theirs = os.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", "PAGER": "cat"}
    environment.pop("NO_COLOR", None)
    begin = [program] if program else ["-m", "playhead"]
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *begin, *words],
        cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        seen = _talk(terminal, list(typed), interrupt_at)
        return process.wait(timeout=60), seen
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


_AT_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"  # so that Ctrl-C is a signal
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
)


def _talk(terminal: int, typed: list[tuple[str, str]], interrupt_at: str | None) -> str:
    seen, looked, until = "", 0, time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # the program has ended
            break
        if not data:
            break
        seen += data.decode(errors="replace")
        if typed and typed[0][0] in seen[looked:]:
            looked = len(seen)
            os.write(terminal, typed.pop(0)[1].encode())
        if interrupt_at and interrupt_at in seen:
            interrupt_at = None
            os.write(terminal, b"\x03")
    return seen


def stored(path: Path, *bodies: Body | Draft, tape: Tape | None = None) -> Tape:
    """Store a tape made by hand."""

    async def store_it() -> Tape:
        async with SqliteStore(path, durability="normal") as store:
            made = tape or Tape.new()
            first = made.start
            for at in range(0, len(bodies), 500):
                made = made.append(*bodies[at : at + 500])
            for at in range(first, len(made), 500):
                await store.append(Batch(made.id, at, made[at : at + 500]))
            return await store.open(made.id)

    return asyncio.run(store_it())


def document(text: str) -> Any:
    """The one JSON document on stdout."""
    return json.loads(text)
