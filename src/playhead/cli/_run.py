"""The commands that run agents: `run`, `resume`, `fork`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playhead.cli._options import (
    DEFAULT_STORE,
    AgentArgument,
    AgentOption,
    Approve,
    ApproveOption,
    AsJson,
    AskOption,
    AtOption,
    BudgetCalls,
    BudgetSeconds,
    BudgetSteps,
    BudgetTokens,
    BudgetUsd,
    Common,
    Debug,
    DecideOption,
    Durability,
    Durable,
    EffectsOption,
    EffectsPolicy,
    EnvironmentOption,
    GoOnOption,
    KeyFileOption,
    OnTimeout,
    OnTimeoutOption,
    Privacy,
    RulesOption,
    SimulateOption,
    Store,
    TapeArgument,
    TaskArgument,
    TaskOption,
    TrustOption,
    VaultOption,
    WaitOption,
)

if TYPE_CHECKING:
    from playhead.cli._sessions import Wanted


def _wanted(
    common: Common,
    agent: str | None,
    environments: list[str] | None,
    limits: tuple[int, int | None, int | None, float | None, float | None],
    *,
    approvals: tuple[Approve, Path | None, float | None, OnTimeout],
    ask: bool | None,
) -> Wanted:
    from playhead.cli._policy import Policy
    from playhead.cli._sessions import Wanted
    from playhead.orchestrator import Budget

    calls, steps, tokens, usd, seconds = limits
    budget = Budget(model_calls=calls, steps=steps, tokens=tokens, usd=usd, seconds=seconds)
    return Wanted(common, agent, environments, budget, Policy(*approvals), ask)


def run(
    agent: AgentArgument,
    task: TaskArgument,
    tape: GoOnOption = None,
    environment: EnvironmentOption = None,
    approve: ApproveOption = Approve.none,
    rules: RulesOption = None,
    wait: WaitOption = None,
    on_timeout: OnTimeoutOption = OnTimeout.pause,
    ask: AskOption = None,
    budget_model_calls: BudgetCalls = 200,
    budget_steps: BudgetSteps = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    budget_seconds: BudgetSeconds = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    vault: VaultOption = None,
    key_file: KeyFileOption = None,
    trust: TrustOption = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Run an agent on a task; every step is stored before the next one begins."""
    from playhead.cli import _sessions

    limits = (budget_model_calls, budget_steps, budget_tokens, budget_usd, budget_seconds)
    privacy = Privacy(vault, key_file, tuple(trust or ()))
    common = Common(store, as_json, durability, debug, privacy)
    approvals = (approve, rules, wait, on_timeout)
    wanted = _wanted(common, agent, environment, limits, approvals=approvals, ask=ask)
    return _sessions.run(wanted, task, tape)


def resume(
    tape: TapeArgument,
    agent: AgentOption = None,
    decide: DecideOption = None,
    simulate: SimulateOption = None,
    environment: EnvironmentOption = None,
    approve: ApproveOption = Approve.none,
    rules: RulesOption = None,
    wait: WaitOption = None,
    on_timeout: OnTimeoutOption = OnTimeout.pause,
    ask: AskOption = None,
    budget_model_calls: BudgetCalls = 200,
    budget_steps: BudgetSteps = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    budget_seconds: BudgetSeconds = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    vault: VaultOption = None,
    key_file: KeyFileOption = None,
    trust: TrustOption = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Finish a tape: after a crash, a pause, a decision, a week. Nothing is asked or done twice."""
    from playhead.cli import _sessions

    limits = (budget_model_calls, budget_steps, budget_tokens, budget_usd, budget_seconds)
    privacy = Privacy(vault, key_file, tuple(trust or ()))
    common = Common(store, as_json, durability, debug, privacy)
    approvals = (approve, rules, wait, on_timeout)
    wanted = _wanted(common, agent, environment, limits, approvals=approvals, ask=ask)
    return _sessions.resume(wanted, tape, decide or [], simulate=simulate)


def fork(
    tape: TapeArgument,
    at: AtOption = None,
    agent: AgentOption = None,
    effects: EffectsOption = EffectsPolicy.ask,
    simulate: SimulateOption = None,
    task: TaskOption = None,
    environment: EnvironmentOption = None,
    approve: ApproveOption = Approve.none,
    rules: RulesOption = None,
    wait: WaitOption = None,
    on_timeout: OnTimeoutOption = OnTimeout.pause,
    ask: AskOption = None,
    budget_model_calls: BudgetCalls = 200,
    budget_steps: BudgetSteps = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    budget_seconds: BudgetSeconds = None,
    store: Store = DEFAULT_STORE,
    durability: Durable = Durability.full,
    vault: VaultOption = None,
    key_file: KeyFileOption = None,
    trust: TrustOption = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Make a child tape that shares a prefix and goes its own way, live."""
    from playhead.cli import _sessions

    limits = (budget_model_calls, budget_steps, budget_tokens, budget_usd, budget_seconds)
    privacy = Privacy(vault, key_file, tuple(trust or ()))
    common = Common(store, as_json, durability, debug, privacy)
    approvals = (approve, rules, wait, on_timeout)
    wanted = _wanted(common, agent, environment, limits, approvals=approvals, ask=ask)
    return _sessions.fork(wanted, tape, at=at, effects=effects, task=task, simulate=simulate)
