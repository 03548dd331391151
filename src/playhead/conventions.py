"""Names of OpenTelemetry's conventions for generative AI: one table to write and read spans by.

What is written follows the semantic conventions for generative AI as of 2026 (status: development);
what has no name there begins with `playhead.`. What is read are also the names of earlier versions,
and those of OpenInference. A name that is changed or taken away here changes `VERSION`.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

VERSION: Final = 1
"""Of this table."""
Form: TypeAlias = Literal["text", "int", "double", "bool", "texts", "json", "messages", "tools"]
Kind: TypeAlias = Literal["agent", "call", "tool"]


class Name(str):
    """The name of an attribute as it is written; a text like any other, that knows its row.

    Args:
        name: The name.
        also: Names that are read as well, the better ones first.
        form: What its value is. Of `json`, `messages` and `tools` it is JSON text; of those that
            others flatten into names with numbers, `also` has how these begin.
        says: What it is on a tape.
    """

    also: tuple[str, ...]
    spelled: tuple[str, ...]  # all of its names, as plain texts
    form: Form
    says: str

    def __new__(cls, name: str, *also: str, form: Form = "text", says: str = "") -> Name:
        """Make a row of the table."""
        made = super().__new__(cls, name)
        made.also, made.form, made.says = also, form, says
        made.spelled = (name, *also)
        return made


OPERATION = Name(
    "gen_ai.operation.name", "openinference.span.kind", says="what a span is: see below"
)
CONVERSATION = Name("gen_ai.conversation.id", "session.id", says="which tape it belongs to")
AGENT_NAME = Name("gen_ai.agent.name", "agent.name", says="the agent of the steps")
AGENT_DESCRIPTION = Name("gen_ai.agent.description", says="written only")
PROVIDER = Name(
    "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system",
    says="`provider` of a model call",
)  # fmt: skip
REQUEST_MODEL = Name(
    "gen_ai.request.model", "llm.request.model_name", "llm.model_name",
    "gen_ai.response.model", "llm.response.model_name",
    says="`model` of a model call",
)  # fmt: skip
FINISH_REASONS = Name(
    "gen_ai.response.finish_reasons", "llm.finish_reason", form="texts",
    says="`finish_reason` of a model call: the first one",
)  # fmt: skip
INPUT_TOKENS = Name(
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
    form="int", says="`usage.input_tokens`",
)  # fmt: skip
OUTPUT_TOKENS = Name(
    "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
    form="int", says="`usage.output_tokens`",
)  # fmt: skip
CACHED_TOKENS = Name(
    "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read",
    form="int", says="`usage.cached_tokens`",
)  # fmt: skip
CACHE_CREATION_TOKENS = Name(
    "gen_ai.usage.cache_creation.input_tokens", "llm.token_count.prompt_details.cache_write",
    form="int", says="`usage.cache_creation_tokens`",
)  # fmt: skip
REASONING_TOKENS = Name(
    "gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning",
    form="int", says="`usage.reasoning_tokens`",
)  # fmt: skip
SYSTEM_INSTRUCTIONS = Name(
    "gen_ai.system_instructions", form="json", says="the prompt's first message; read only"
)
INPUT_MESSAGES = Name(
    "gen_ai.input.messages", "llm.input_messages", form="messages",
    says="the prompt; of an agent, what it is told",
)  # fmt: skip
OUTPUT_MESSAGES = Name(
    "gen_ai.output.messages", "llm.output_messages", form="messages",
    says="`message` of a model call; of an agent, what it answers",
)  # fmt: skip
TOOL_DEFINITIONS = Name(
    "gen_ai.tool.definitions", "llm.tools", form="tools", says="the tools on offer"
)
STREAM = Name("gen_ai.request.stream", form="bool", says="written only")
INVOCATION = Name(
    "llm.invocation_parameters", form="json", says="settings of the prompt; read only"
)
TEMPERATURE = Name("gen_ai.request.temperature", form="double", says="a setting of the prompt")
TOP_P = Name("gen_ai.request.top_p", form="double", says="a setting of the prompt")
TOP_K = Name("gen_ai.request.top_k", form="int", says="a setting of the prompt")
MAX_TOKENS = Name("gen_ai.request.max_tokens", form="int", says="a setting of the prompt")
SEED = Name("gen_ai.request.seed", form="int", says="a setting of the prompt")
FREQUENCY_PENALTY = Name(
    "gen_ai.request.frequency_penalty", form="double", says="a setting of the prompt"
)
PRESENCE_PENALTY = Name(
    "gen_ai.request.presence_penalty", form="double", says="a setting of the prompt"
)
TOOL_NAME = Name("gen_ai.tool.name", "tool.name", says="`name` of a tool call")
TOOL_TYPE = Name("gen_ai.tool.type", says="written only: `function`")
TOOL_CALL_ID = Name(
    "gen_ai.tool.call.id", "tool_call.id", "tool.id", says="`call_id` of a tool call"
)
TOOL_ARGUMENTS = Name(
    "gen_ai.tool.call.arguments", "tool_call.function.arguments", "tool.parameters", "input.value",
    form="json", says="`arguments` of a tool call",
)  # fmt: skip
TOOL_RESULT = Name(
    "gen_ai.tool.call.result", "output.value", form="json", says="`result` of a tool result"
)
ERROR_TYPE = Name(
    "error.type", says="with the span's status: the call failed, or the result is an error"
)
FRAME = Name("playhead.frame", form="int", says="written only")
NODE = Name("playhead.node", says="written only")
STEP = Name("playhead.step", form="int", says="the position on the tape, which orders equal times")
ATTEMPTS = Name("playhead.attempts", form="int", says="written only")
EFFECT = Name("playhead.tool.effect", says="`effect` of a tool call")
COST = Name(
    "playhead.cost.usd", "llm.cost.total", form="double", says="`price.usd` of a model call"
)

TABLE: Final = tuple(value for value in list(globals().values()) if isinstance(value, Name))
"""All rows, in order."""
IN_JSON: Final = frozenset(name for name in TABLE if name.form in ("json", "messages", "tools"))
"""The names whose values are JSON text."""

SETTINGS: Final[dict[str, Name]] = {
    "frequency_penalty": FREQUENCY_PENALTY,
    "max_completion_tokens": MAX_TOKENS,
    "max_tokens": MAX_TOKENS,
    "presence_penalty": PRESENCE_PENALTY,
    "seed": SEED,
    "temperature": TEMPERATURE,
    "top_k": TOP_K,
    "top_p": TOP_P,
}
"""The settings of a prompt that have a name."""

INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"
OPERATIONS: Final[dict[str, Kind]] = {
    INVOKE_AGENT: "agent",
    "invoke_workflow": "agent",
    "AGENT": "agent",
    CHAT: "call",
    "generate_content": "call",
    "text_completion": "call",
    "LLM": "call",
    EXECUTE_TOOL: "tool",
    "TOOL": "tool",
}
"""What a span is, by the value of its operation; one with another value tells of none of these."""
