"""`python -m examples.forms.rules`: rule models behind an endpoint like OpenAI's."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

import typer

from examples.forms.rules import RuleServer
from playhead.errors import PlayheadError


def main(
    port: Annotated[int, typer.Option(help="Where to listen, on this machine.")] = 8600,
) -> None:
    """Offer the rule models to any client of OpenAI's API. No language model is behind it."""
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(port))
    except PlayheadError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


async def _serve(port: int) -> None:
    server = RuleServer()
    async with server.serve(port=port) as url:
        names = ", ".join(server.models)
        typer.echo(f"rule models, and no language model, at {url}: {names} (Ctrl-C ends it)")
        await asyncio.Event().wait()


if __name__ == "__main__":
    typer.run(main)
