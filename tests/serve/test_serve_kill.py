"""The process of a server is killed (SIGKILL) in the middle of an answer; the next one finishes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

import playhead as ph
from playhead.tape.kinds import ModelCall

AGENT = """
import os, signal
from pathlib import Path

import playhead as ph
from playhead.tape import ToolCallPart


@ph.tool(effect="write", thread=False)
def send(text: str) -> str:
    with Path("ledger").open("a") as out:
        out.write(text + chr(10))
    return "sent"


def say(request):
    last = request.prompt.messages()[-1]
    if last.role != "tool":
        return ph.assistant((ToolCallPart(id="1", name="send", arguments={"text": last.text}),))
    if not Path("go").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return "It is sent."


agent = ph.Agent("sender", model=ph.ScriptedModel(say), tools=[send])
"""


@contextmanager
def server(folder: Path) -> Iterator[openai.OpenAI]:
    command = [sys.executable, "-m", "playhead", "serve", "agent", "agent.py:agent"]
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        line = running.stderr.readline()
        found = re.search(r"http://[\d.:]+/v1", line)
        assert found, line
        with openai.OpenAI(base_url=found[0], api_key="none", max_retries=0) as client:
            yield client
        running.terminate()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
async def test_the_same_request_finishes_it(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(AGENT)
    messages = [{"role": "user", "content": "hello"}]
    with server(tmp_path) as client, pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="sender", messages=messages)
    (tmp_path / "go").touch()
    with server(tmp_path) as client:
        answer = client.chat.completions.create(model="sender", messages=messages)
        assert answer.choices[0].message.content == "It is sent."
    assert (tmp_path / "ledger").read_text() == "hello\n"
    async with ph.SqliteStore(tmp_path / ".playhead" / "tapes.db") as store:
        (info,) = await store.tapes(limit=10)
        tape = await store.open(info.id)
        assert sum(step.kind == ModelCall.kind for step in tape) == 2
        tape.verify()
