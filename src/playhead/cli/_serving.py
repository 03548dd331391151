"""The command that offers an agent to other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from playhead.cli._options import (
    DEFAULT_STORE,
    AgentArgument,
    Approve,
    ApproveOption,
    BudgetCalls,
    BudgetSeconds,
    BudgetTokens,
    BudgetUsd,
    Common,
    Debug,
    Durability,
    Durable,
    EnvironmentOption,
    OnTimeout,
    OnTimeoutOption,
    RulesOption,
    Store,
    WaitOption,
)
from playhead.cli._recording import HostOption, PortOption

serve_app = typer.Typer(
    help="Offer agents to other programs: as a model of OpenAI's API, or as a tool of MCP.",
    no_args_is_help=True,
)
_PORT = 8500


def serve_agent(
    agent: AgentArgument,
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    mcp: Annotated[
        bool,
        typer.Option("--mcp", help="As a tool of MCP: over stdin and stdout, or at --port."),
    ] = False,
    environment: EnvironmentOption = None,
    approve: ApproveOption = Approve.none,
    rules: RulesOption = None,
    wait: WaitOption = None,
    on_timeout: OnTimeoutOption = OnTimeout.pause,
    budget_model_calls: BudgetCalls = 200,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    budget_seconds: BudgetSeconds = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    debug: Debug = False,
) -> int:
    """Offer an agent as an endpoint of OpenAI's Chat Completions, or as a tool of MCP."""
    from playhead.cli import _serve
    from playhead.cli._policy import Policy
    from playhead.orchestrator import Budget

    budget = Budget(
        model_calls=budget_model_calls,
        tokens=budget_tokens,
        usd=budget_usd,
        seconds=budget_seconds,
    )
    common = Common(store, durability=durability, debug=debug)
    offer = _serve.Offer(agent, environment or [], budget, Policy(approve, rules, wait, on_timeout))
    if mcp:
        return _serve.as_tool(common, offer, host, port)
    return _serve.as_model(common, offer, host, _PORT if port is None else port)
