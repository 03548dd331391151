"""`serve agent`: an agent on offer until somebody stops it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass

from playhead.cli._agents import load
from playhead.cli._guard import DONE
from playhead.cli._loop import until_stopped
from playhead.cli._options import Common
from playhead.cli._output import Output
from playhead.cli._policy import Policy
from playhead.cli._tapes import open_store
from playhead.orchestrator import Budget
from playhead.serve import AgentServer, AgentTool, Served
from playhead.store import Store

KEY = "PLAYHEAD_SERVE_KEY"


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered, and under which limits."""

    agent: str
    environments: Sequence[str]
    budget: Budget
    policy: Policy

    def served(self, store: Store) -> Served:
        """The agent on offer.

        Raises:
            UsageFault: There is no such agent.
        """
        loaded = load(self.agent, self.environments)
        approval = self.policy.approval(None, said=loaded.approval)
        return Served(
            loaded.agent,
            store=store,
            environments=loaded.make_environments,
            approval=approval,
            budget=self.budget,
        )


def as_model(common: Common, offer: Offer, host: str, port: int) -> int:
    """Offer it as a model of OpenAI's API."""
    output = Output(as_json=True)

    async def main() -> None:
        async with open_store(common) as store:
            served = offer.served(store)
            server = AgentServer(served, key=os.environ.get(KEY) or None)
            async with server.serve(host=host, port=port) as url:
                name = served.agent.name
                output.message(f"serves `{name}` at {url}/v1 (Ctrl-C ends it)")
                await until_stopped()

    asyncio.run(main())
    return DONE


def as_tool(common: Common, offer: Offer, host: str, port: int | None) -> int:
    """Offer it as a tool of MCP."""
    output = Output(as_json=True)

    async def main() -> None:
        async with open_store(common) as store:
            tool = AgentTool(offer.served(store), key=os.environ.get(KEY) or None)
            if port is None:
                await tool.run_stdio()
                return
            async with tool.serve(host=host, port=port) as url:
                name = tool.served.agent.name
                output.message(f"serves `{name}` to MCP at {url} (Ctrl-C ends it)")
                await until_stopped()

    asyncio.run(main())
    return DONE
