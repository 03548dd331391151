"""`record mcp` and `replay mcp`. Standard output belongs to the protocol: messages go to stderr."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playhead.cli._guard import DONE, STORE, UsageFault
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._tapes import find, open_store
from playhead.cli._text import plural, short_id
from playhead.environment.mcp import require_sdk
from playhead.errors import JsonError
from playhead.govern import Redactor, default_rules, own_rule, secret_rules
from playhead.record.mcp import (
    Capture,
    HttpPlayer,
    HttpProxy,
    Player,
    play_stdio,
    read_recording,
    record_stdio,
)
from playhead.tape import loads_strict

if TYPE_CHECKING:
    import uvicorn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How connections are to be recorded."""

    name: str | None
    by: str | None
    task: str | None
    effects: Path | None
    redact: Sequence[str]
    trust_hints: bool
    keep_personal: bool

    def capture(self) -> Capture:
        """The same, made ready.

        Raises:
            UsageFault: The file of effects cannot be read.
            MissingExtraError: The rules need the extra `govern`.
        """
        rules = [own_rule("own", pattern) for pattern in self.redact]
        rules += secret_rules() if self.keep_personal else default_rules()
        return Capture(
            Redactor(rules),
            name=self.name,
            by=self.by,
            task=self.task,
            effects=_effects(self.effects) if self.effects is not None else {},
            trust_hints=self.trust_hints,
        )


def _effects(path: Path) -> Any:  # noqa: ANN401  (checked where it is used)
    try:
        found = loads_strict(path.read_bytes())
    except OSError as error:
        raise UsageFault(f"`--effects {path}`: {error.strerror}") from None
    except JsonError as error:
        raise UsageFault(f"`--effects {path}`: {error.message}") from None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise UsageFault(f'`--effects {path}`: write an object, such as {{"get_*": "read"}}')
    return found


def over_stdio(common: Common, wanted: Wanted, command: Sequence[str], port: int | None) -> int:
    """Record one connection over standard input and output."""
    if not command:
        raise UsageFault("name the server: `playhead record mcp -- COMMAND…`, or `--url URL`")
    if port is not None:
        raise UsageFault("`--port` goes with `--url`: a program is spoken to on standard input")
    output = Output(as_json=True)

    async def main() -> int:
        async with open_store(common) as store:
            ended = await record_stdio(
                command, store=store, capture=wanted.capture(), tell=output.message
            )
        if ended.tape is not None:
            output.message(f"recorded as tape {short_id(ended.tape)}")
        return STORE if ended.fault is not None else ended.exit_code

    return asyncio.run(main())


def over_http(
    common: Common,
    wanted: Wanted,
    url: str,
    command: Sequence[str],
    host: str,
    port: int | None,
) -> int:
    """Record connections over streamable HTTP until somebody stops it."""
    if command:
        raise UsageFault("a server is a `--url` or a COMMAND, not both")
    output = Output(as_json=True)

    async def main() -> int:
        async with open_store(common) as store:
            proxy = HttpProxy(
                url, store=store, capture=wanted.capture(), tell=output.message, hosts=(host,)
            )
            await serve_until_stopped(proxy, output, host, port, proxy.path, "records")
        output.message(f"recorded {plural(len(proxy.tapes), 'tape')}")
        return STORE if proxy.faults else DONE

    return asyncio.run(main())


def replay(common: Common, names: Sequence[str], host: str, port: int | None) -> int:
    """Answer from tapes: one client over standard input and output, or any over HTTP."""
    output = Output(as_json=True)
    player = asyncio.run(_player(common, names))
    if port is None:
        play_stdio(player, reading=sys.stdin.buffer, writing=sys.stdout.buffer)
    else:
        require_sdk()  # it brings the web server
        app = HttpPlayer(player, hosts=(host,))
        asyncio.run(serve_until_stopped(app, output, host, port, "/mcp", "answers from recordings"))
    return DONE


async def _player(common: Common, names: Sequence[str]) -> Player:
    if not names:
        raise UsageFault("name the tapes to answer from: `playhead replay mcp last`")
    async with open_store(common) as store:
        return Player([await read_recording(store, await find(store, name)) for name in names])


async def serve_until_stopped(
    app: Any,  # noqa: ANN401  (an ASGI application)
    output: Output,
    host: str,
    port: int | None,
    path: str,
    does: str,
) -> None:
    import uvicorn

    try:
        listening = socket.create_server((host, port or 0))
    except OSError as error:
        raise UsageFault(f"`--host {host} --port {port or 0}`: {error.strerror}") from None
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="on",
        server_header=False, date_header=False, timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = _uncaught  # type: ignore[method-assign]
    number = listening.getsockname()[1]
    output.message(f"{does} at http://{host}:{number}{path} (Ctrl-C ends it)")
    with _stopped_by_signals(server):
        await server.serve(sockets=[listening])


@contextlib.contextmanager
def _uncaught() -> Iterator[None]:
    """In the place of what the web server does about signals: it would raise them once more."""
    yield


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """End the server in good order, so that its tapes are whole."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in _SIGNALS:
        with contextlib.suppress(NotImplementedError):  # not everywhere
            loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in _SIGNALS:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
