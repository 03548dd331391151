"""The commands that record other people's programs, and answer from the recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._options import (
    DEFAULT_STORE,
    Common,
    Debug,
    Durability,
    Durable,
    Store,
    TapesArgument,
)

record_app = typer.Typer(
    help="Record programs that know nothing of Playhead: a proxy in between makes tapes.",
    no_args_is_help=True,
)

_HTTP = "Over HTTP"
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="P", min=0, max=65535, help="Port to listen on; 0 for a free one.",
        rich_help_panel=_HTTP,
    ),
]  # fmt: skip
HostOption = Annotated[
    str,
    typer.Option("--host", metavar="HOST", help="Address to listen on.", rich_help_panel=_HTTP),
]
RedactOption = Annotated[
    list[str] | None,
    typer.Option(
        "--redact", metavar="PATTERN", help="Redact what matches, too (RE2); may be repeated."
    ),
]
KeepOption = Annotated[
    bool,
    typer.Option(
        "--keep-personal",
        help="Redact secrets only: e-mail addresses, telephone numbers and the like stay.",
    ),
]


def record_llm(
    upstream: Annotated[
        str,
        typer.Option(
            "--upstream", metavar="URL", help="The API, with or without its version at the end."
        ),
    ],
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    redact: RedactOption = None,
    keep_personal: KeepOption = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="S", min=0.001, help="Seconds the API may be silent."),
    ] = 600.0,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    debug: Debug = False,
) -> int:
    """Stand between a program and the API of its models; each conversation becomes a tape."""
    from playhead.cli import _record_llm

    rules = _record_llm.Rules(redact or [], keep_personal=keep_personal)
    common = Common(store, durability=durability)
    place = _record_llm.Place(host, port or 0)
    return _record_llm.record(common, rules, place, upstream=upstream, timeout=timeout)


def record_otlp(
    port: PortOption = 4318,
    host: HostOption = "127.0.0.1",
    settle: Annotated[
        float,
        typer.Option("--settle", metavar="S", min=0, help="Seconds of quiet that end a trace."),
    ] = 6.0,
    redact: RedactOption = None,
    keep_personal: KeepOption = False,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    debug: Debug = False,
) -> int:
    """Receive the traces of programs that OpenTelemetry watches; conversations become tapes."""
    from playhead.cli import _otlp, _record_llm

    rules = _record_llm.Rules(redact or [], keep_personal=keep_personal)
    common = Common(store, durability=durability)
    return _otlp.record(common, rules, _record_llm.Place(host, port or 0), settle=settle)


def replay_llm(
    tapes: TapesArgument = None,
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    redact: RedactOption = None,
    keep_personal: KeepOption = False,
    store: Store = DEFAULT_STORE,
    debug: Debug = False,
) -> int:
    """Be the API that tapes recorded: no model is asked, and no key is needed."""
    from playhead.cli import _record_llm

    rules = _record_llm.Rules(redact or [], keep_personal=keep_personal)
    place = _record_llm.Place(host, port or 0)
    return _record_llm.replay(Common(store), rules, place, names=tapes or [])


def record_mcp(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="After --: the server's program and arguments."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="N", help="What the server is called.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="NAME", help="The person who uses the tools: a demonstration."
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help="What is to be done, said first.")
    ] = None,
    effects: Annotated[
        Path | None,
        typer.Option(
            "--effects",
            metavar="FILE",
            help="JSON: by a tool's name (* and ? allowed), read, idempotent, write, irreversible.",
        ),
    ] = None,
    trust_hints: Annotated[
        bool,
        typer.Option("--trust-hints", help="The server's own word on effects counts."),
    ] = False,
    redact: RedactOption = None,
    keep_personal: KeepOption = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", metavar="URL", help="A server over streamable HTTP.", rich_help_panel=_HTTP
        ),
    ] = None,
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    debug: Debug = False,
) -> int:
    """Stand between an MCP client and a server; each connection becomes a tape."""
    from playhead.cli import _record_mcp

    wanted = _record_mcp.Wanted(
        name, by, task, effects, redact or [], trust_hints=trust_hints, keep_personal=keep_personal
    )
    common = Common(store, durability=durability)
    if url is not None:
        return _record_mcp.over_http(common, wanted, url, command or [], host, port)
    return _record_mcp.over_stdio(common, wanted, command or [], port)


def replay_mcp(
    tapes: TapesArgument = None,
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    store: Store = DEFAULT_STORE,
    debug: Debug = False,
) -> int:
    """Be the MCP server that tapes recorded: its tools and answers, and nothing is done."""
    from playhead.cli import _record_mcp

    return _record_mcp.replay(Common(store), tapes or [], host, port)
