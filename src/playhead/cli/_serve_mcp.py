"""`serve mcp`: trusted experiences as tools of any MCP client."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from playhead.cli._library import LibraryOption
from playhead.cli._options import (
    DEFAULT_STORE,
    Approve,
    Common,
    Debug,
    Durability,
    Durable,
    EnvironmentOption,
    Store,
)
from playhead.cli._recording import HostOption, PortOption

serve_app = typer.Typer(help="Offer what Playhead can do to other programs.", no_args_is_help=True)


def serve_mcp(
    environment: EnvironmentOption = None,
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    approve: Annotated[
        Approve,
        typer.Option(
            "--approve",
            metavar="irreversible|write|none",
            help="Which calls wait for your word (playhead decide) instead of being made.",
        ),
    ] = Approve.none,
    library: LibraryOption = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    debug: Debug = False,
) -> int:
    """Be an MCP server whose tools are the trusted experiences: over stdio, or over HTTP."""
    common = Common(store, durability=durability)
    return serve(common, library, environment or (), approve, host=host, port=port)


def serve(
    common: Common,
    library: Path | None,
    names: Sequence[str],
    approve: Approve,
    *,
    host: str,
    port: int | None,
) -> int:
    """Serve until the client goes, or somebody stops it."""
    from playhead.cli._agents import load_environments
    from playhead.cli._guard import DONE, UsageFault
    from playhead.cli._library_looking import opened
    from playhead.cli._output import Output
    from playhead.cli._policy import Policy
    from playhead.cli._record_mcp import serve_until_stopped
    from playhead.cli._tapes import open_store
    from playhead.serve.mcp import ExperienceServer

    if not names:
        raise UsageFault("name what has the tools that the experiences call: --environment ENV")
    environments = load_environments(names)
    output = Output(as_json=True)  # standard output belongs to the protocol

    async def main() -> None:
        with opened(library, common.store) as found:
            async with open_store(common) as store:
                approval = Policy(approve).approval(None, said=None)
                server = ExperienceServer(found, environments, store=store, approval=approval)
                for part in environments:
                    await part.open()
                for label, reason in server.left_out().items():
                    output.message(f"{label} is not offered: {reason}", "yellow")
                output.message(f"offers {', '.join(server.offered()) or 'nothing yet'}")
                try:
                    if port is None:
                        await server.over_stdio()
                    else:
                        app = server.app(host=host)
                        await serve_until_stopped(
                            app, output, host, port, "/mcp", "offers experiences"
                        )
                finally:
                    for part in environments:
                        await part.close()

    asyncio.run(main())
    return DONE
