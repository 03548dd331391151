"""The recording proxy over standard input and output: bytes go through as they are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from playhead.environment.mcp import Address, require_sdk
from playhead.errors import RecordError
from playhead.record._hider import Hider
from playhead.record.mcp._capture import Capture
from playhead.record.mcp._recorder import Recorder
from playhead.record.mcp._split import Lines
from playhead.record.mcp._transcript import Sender
from playhead.store import Store
from playhead.tape import Json

_CHUNK = 65_536
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a connection ended.

    Args:
        tape: The id of its tape; None if nothing was said, or nothing could be stored.
        exit_code: Of the server; 128 and more for a signal.
        fault: Why the recording is not whole; None if it is.
    """

    tape: str | None
    exit_code: int
    fault: str | None


async def record_stdio(
    command: Sequence[str],
    *,
    store: Store,
    capture: Capture,
    tell: Callable[[str], None],
    env: Mapping[str, str] | None = None,
    reading: int = 0,
    writing: int = 1,
) -> Recorded:
    """Start a server, and stand between it and the client until one of them ends.

    Args:
        command: Program and arguments of the server.
        store: Where the tape goes.
        capture: How it is recorded.
        tell: Is told faults of the recording.
        env: The server's environment; this process's own if not given.
        reading: File descriptor that the client writes to.
        writing: File descriptor that the client reads from.

    Raises:
        RecordError: The server cannot be started.
        MissingExtraError: The extra `mcp` is not installed.
    """
    require_sdk()
    around = dict(os.environ if env is None else env)
    address = Address.of(command, env=around, cwd=None, headers=None)
    try:
        process = subprocess.Popen(  # noqa: ASYNC220, S603  (what the person asked for)
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=around, bufsize=0
        )
    except OSError as error:
        raise RecordError(
            f"the MCP server `{command[0]}` cannot be started: {error.strerror}: check the command "
            "after `--`"
        ) from None
    described: dict[str, Json] = {**address.described(), "name": capture.name or address.name}
    hider = Hider(capture.redactor, address.secrets)
    recorder = Recorder(store, capture, hider, described, tell=tell)
    ended = await _between(process, recorder, reading, writing)
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    await recorder.close(ended)
    return Recorded(recorder.tape, code, recorder.fault)


async def _between(
    process: subprocess.Popen[bytes], recorder: Recorder, reading: int, writing: int
) -> str:
    """Pass on what is said until the server is gone; tells how it ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    to_server = _Pump("client", recorder, reading, process.stdin.fileno())
    to_client = _Pump("server", recorder, process.stdout.fileno(), writing)
    to_server.at_end = [process.stdin.close, lambda: _silence(reading)]
    to_client.at_end = [process.stdout.close, lambda: _silence(writing)]
    with _passed_signals(process) as asked:
        to_server.start()
        to_client.start()
        code = await asyncio.to_thread(process.wait)
        rest = [asyncio.create_task(event.wait()) for event in (to_client.ended, asked)]
        await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
    to_client.finish()
    to_server.finish()
    said = f"the server ended with {f'exit code {code}' if code >= 0 else f'signal {-code}'}"
    return f"the client closed the connection; {said}" if to_server.is_over else said


class _Pump(threading.Thread):
    """Passes bytes on in a thread of its own, so that nothing else can hold them up.

    When one side is gone, both ends are closed, as if the two had been connected.
    """

    def __init__(self, sender: Sender, recorder: Recorder, source: int, sink: int) -> None:
        super().__init__(name=f"playhead-mcp-{sender}", daemon=True)
        self._sender, self._recorder = sender, recorder
        self._source, self._sink = source, sink
        self._loop = asyncio.get_running_loop()
        self._lines = Lines()
        self.at_end: list[Callable[[], None]] = []
        self.is_over = False  # the sender has nothing more to say
        self.ended = asyncio.Event()

    def run(self) -> None:
        """Pass on until one side is gone."""
        try:
            while chunk := os.read(self._source, _CHUNK):
                self._in_loop(partial(self._take, chunk))  # before the other side can answer it
                _write(self._sink, chunk)
            self.is_over = True
        except OSError:  # nobody reads any more
            pass
        for close in self.at_end:
            with contextlib.suppress(OSError):
                close()
        self._in_loop(self.ended.set)

    def _in_loop(self, function: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is recorded any more
            self._loop.call_soon_threadsafe(function)

    def _take(self, chunk: bytes) -> None:
        for line in self._lines.feed(chunk):
            self._recorder.message(self._sender, line)

    def finish(self) -> None:
        """Take in what has no line end; in the loop."""
        for rest in self._lines.finish():
            raw = rest if isinstance(rest, bytes) else b""
            self._recorder.failed(self._sender, "no message: it has no line end", raw)


def _write(sink: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(sink, view) :]


def _silence(descriptor: int) -> None:
    """Close it for the other side; nothing else is given its number."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextlib.contextmanager
def _passed_signals(process: subprocess.Popen[bytes]) -> Iterator[asyncio.Event]:
    """What is asked of this process is asked of the server, whose end then is this one's."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def pass_on(number: int) -> None:
        asked.set()
        process.send_signal(number)

    set_up: list[signal.Signals] = []
    try:
        for number in _SIGNALS:
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, pass_on, number)  # in the main thread alone
                set_up.append(number)
        yield asked
    finally:
        for done in set_up:
            loop.remove_signal_handler(done)
