"""Layer 2: prompts, completions, models and prices."""

from typing import TYPE_CHECKING

from playhead.llm._attempts import Backoff
from playhead.llm._cached import CachedModel, ResponseCache, TapeSource
from playhead.llm._embeddings import Embeddings, OpenAIEmbeddings, named_embeddings
from playhead.llm._model import (
    CallIdentity,
    Completion,
    Delta,
    Model,
    ModelRequest,
    OnDelta,
    ToolSchema,
    is_text,
)
from playhead.llm._named import LAZY as _LAZY
from playhead.llm._named import lazily as _lazily
from playhead.llm._named import named_model
from playhead.llm._price_table import LIST_PRICES
from playhead.llm._prices import (
    Rates,
    add_rates,
    list_rates,
    read_rates,
    total_price,
    total_usage,
)
from playhead.llm._prompt import Prompt, PromptWriter, read_prompt
from playhead.llm._rate_limit import RateLimit
from playhead.llm._reading import (
    AnswerRead,
    read_chat_answer,
    read_chat_message,
    read_messages_answer,
    read_messages_message,
)
from playhead.llm._recorded import RecordedModel, Recording, Recordings
from playhead.llm._routed import RoutedModel
from playhead.llm._scripted import Answer, ScriptedModel

if TYPE_CHECKING:
    from playhead.llm._anthropic import AnthropicModel
    from playhead.llm._litellm import LiteLLMModel
    from playhead.llm._openai import OpenAIModel

__all__ = [
    "LIST_PRICES",
    "Answer",
    "AnswerRead",
    "AnthropicModel",
    "Backoff",
    "CachedModel",
    "CallIdentity",
    "Completion",
    "Delta",
    "Embeddings",
    "LiteLLMModel",
    "Model",
    "ModelRequest",
    "OnDelta",
    "OpenAIEmbeddings",
    "OpenAIModel",
    "Prompt",
    "PromptWriter",
    "RateLimit",
    "Rates",
    "RecordedModel",
    "Recording",
    "Recordings",
    "ResponseCache",
    "RoutedModel",
    "ScriptedModel",
    "TapeSource",
    "ToolSchema",
    "add_rates",
    "is_text",
    "list_rates",
    "named_embeddings",
    "named_model",
    "read_chat_answer",
    "read_chat_message",
    "read_messages_answer",
    "read_messages_message",
    "read_prompt",
    "read_rates",
    "total_price",
    "total_usage",
]


def __getattr__(name: str) -> object:
    """Import what needs an extra only when it is asked for."""
    if name in _LAZY:
        return _lazily(name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
