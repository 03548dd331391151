"""Playhead: build LLM agents on a tape, the append-only log that is the agent's whole state.

Example::

    import playhead as ph

    @ph.tool(effect="read")
    def weather(city: str) -> str: ...

    agent = ph.Agent("helper", model="openai:gpt-4o-mini", tools=[weather])
    tape = await ph.run(agent, "Is it raining in Montreal?")
"""

import importlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playhead.agent import (
        Agent,
        FunctionNode,
        Node,
        NodeContext,
        PromptBudget,
        PromptNode,
        ReActNode,
        Team,
        ToolCallingNode,
        read_agent,
    )
    from playhead.environment import (
        Environment,
        MCPEnvironment,
        Memory,
        OutcomeUnknown,
        Tool,
        Toolbox,
        ToolContext,
        ToolFailure,
        ToolOutput,
        User,
        tool,
    )
    from playhead.errors import (
        PlayheadError,
    )
    from playhead.experience.learn import (
        learn,
    )
    from playhead.experience.play import (
        Played,
        play,
        play_sync,
        resume_play,
        resume_play_sync,
    )
    from playhead.llm import (
        AnthropicModel,
        LiteLLMModel,
        Model,
        OpenAIModel,
        Prompt,
        RecordedModel,
        ScriptedModel,
    )
    from playhead.orchestrator import (
        Approval,
        ApprovalRule,
        Budget,
        LLMFunction,
        PendingAction,
        ReplayReport,
        Verdict,
        decide,
        decide_sync,
        fork,
        fork_sync,
        llm_function,
        pending,
        pending_sync,
        replay,
        replay_all,
        replay_all_sync,
        replay_sync,
        resume,
        resume_sync,
        run,
        run_sync,
    )
    from playhead.store import (
        MemoryStore,
        SqliteStore,
    )
    from playhead.tape import (
        Action,
        Message,
        Note,
        Observation,
        Step,
        Tape,
        Thought,
        View,
        assistant,
        system,
        user,
    )

__version__ = "0.1.0"
logging.getLogger("playhead").addHandler(logging.NullHandler())  # quiet unless asked

__all__ = [
    "Action",
    "Agent",
    "AnthropicModel",
    "Approval",
    "ApprovalRule",
    "Budget",
    "Environment",
    "FunctionNode",
    "LLMFunction",
    "LiteLLMModel",
    "MCPEnvironment",
    "Memory",
    "MemoryStore",
    "Message",
    "Model",
    "Node",
    "NodeContext",
    "Note",
    "Observation",
    "OpenAIModel",
    "OutcomeUnknown",
    "PendingAction",
    "Played",
    "PlayheadError",
    "Prompt",
    "PromptBudget",
    "PromptNode",
    "ReActNode",
    "RecordedModel",
    "ReplayReport",
    "ScriptedModel",
    "SqliteStore",
    "Step",
    "Tape",
    "Team",
    "Thought",
    "Tool",
    "ToolCallingNode",
    "ToolContext",
    "ToolFailure",
    "ToolOutput",
    "Toolbox",
    "User",
    "Verdict",
    "View",
    "assistant",
    "decide",
    "decide_sync",
    "fork",
    "fork_sync",
    "learn",
    "llm_function",
    "pending",
    "pending_sync",
    "play",
    "play_sync",
    "read_agent",
    "replay",
    "replay_all",
    "replay_all_sync",
    "replay_sync",
    "resume",
    "resume_play",
    "resume_play_sync",
    "resume_sync",
    "run",
    "run_sync",
    "system",
    "tool",
    "user",
]


_FOLDERS = {  # where each name is, so that it is imported when it is asked for first
    "agent": (
        "Agent",
        "FunctionNode",
        "Node",
        "NodeContext",
        "PromptBudget",
        "PromptNode",
        "ReActNode",
        "Team",
        "ToolCallingNode",
        "read_agent",
    ),
    "environment": (
        "Environment",
        "MCPEnvironment",
        "Memory",
        "OutcomeUnknown",
        "Tool",
        "ToolContext",
        "ToolFailure",
        "ToolOutput",
        "Toolbox",
        "User",
        "tool",
    ),
    "errors": ("PlayheadError",),
    "experience.learn": ("learn",),
    "experience.play": (
        "Played",
        "play",
        "play_sync",
        "resume_play",
        "resume_play_sync",
    ),
    "llm": (
        "AnthropicModel",
        "LiteLLMModel",
        "Model",
        "OpenAIModel",
        "Prompt",
        "RecordedModel",
        "ScriptedModel",
    ),
    "orchestrator": (
        "Approval",
        "ApprovalRule",
        "Budget",
        "LLMFunction",
        "PendingAction",
        "ReplayReport",
        "Verdict",
        "decide",
        "decide_sync",
        "fork",
        "fork_sync",
        "llm_function",
        "pending",
        "pending_sync",
        "replay",
        "replay_all",
        "replay_all_sync",
        "replay_sync",
        "resume",
        "resume_sync",
        "run",
        "run_sync",
    ),
    "store": (
        "MemoryStore",
        "SqliteStore",
    ),
    "tape": (
        "Action",
        "Message",
        "Note",
        "Observation",
        "Step",
        "Tape",
        "Thought",
        "View",
        "assistant",
        "system",
        "user",
    ),
}
_FOLDER_OF = {name: folder for folder, names in _FOLDERS.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a name, or a folder, when it is asked for: a command needs few of them."""
    if name in _FOLDER_OF:
        value = getattr(importlib.import_module(f"playhead.{_FOLDER_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in _FOLDERS:
        return importlib.import_module(f"playhead.{name}")
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
