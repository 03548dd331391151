"""Vectors of texts, from OpenAI or from any server that has its embeddings endpoint."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from playhead.errors import MissingExtraError, ModelRequestError, ModelUnavailableError
from playhead.llm._api import OPENAI, explain
from playhead.llm._clients import is_url, place_of
from playhead.llm._secret import Secret

_BATCH = 256  # texts of one request
_LONGEST = 8_000  # characters of a text that are sent


class Embeddings(Protocol):
    """Gives a vector for each text.

    `name` tells the vectors of different models apart; those of one name are comparable.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text, all of one length."""
        ...


class OpenAIEmbeddings:
    """A model of the embeddings endpoint of the OpenAI API.

    Args:
        model: The model, as the provider names it.
        base_url: Where the API is; OpenAI, or what OPENAI_BASE_URL says, if not given.
        api_key: The key; what OPENAI_API_KEY says, if not given. It is shown nowhere.
        timeout: Seconds for a request.

    Raises:
        ModelRequestError: There is no key, or `base_url` is no URL.
        MissingExtraError: The extra `openai` is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        if base_url is not None and not is_url(base_url):
            raise ModelRequestError("`base_url` is no URL: it begins with https:// or http://")
        key = api_key if api_key is not None else os.environ.get(OPENAI.variable, "")
        if not key.strip():
            raise ModelRequestError(
                f"no API key: give `api_key`, or set the variable {OPENAI.variable}; for a local "
                "server any text will do"
            )
        self.model = model
        self._secret = Secret.checked(key, variable=OPENAI.variable)
        self._base_url, self._timeout = base_url, timeout

    @property
    def name(self) -> str:
        """The model by its provider and, where it is not OpenAI's own, its address."""
        place = self._base_url or os.environ.get("OPENAI_BASE_URL")
        return f"openai:{self.model}" + (f"@{place_of(place)}" if place else "")

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """See `Embeddings`.

        Raises:
            ModelRequestError: The request or the answer is not in order.
            ModelUnavailableError: There is no answer; it may come later.
        """
        found: list[list[float]] = []
        with self._client() as client:
            for at in range(0, len(texts), _BATCH):
                found += self._asked(client, texts[at : at + _BATCH])
        if len({len(vector) for vector in found}) > 1:
            raise ModelRequestError(f"the vectors of `{self.model}` are not of one length")
        return found

    def _client(self) -> Any:  # noqa: ANN401
        try:
            from openai import OpenAI
        except ImportError:
            raise MissingExtraError(
                'embeddings of the OpenAI API need its SDK: run `pip install "playhead[openai]"`',
                extra="openai",
            ) from None
        return OpenAI(api_key=self._secret.reveal(), base_url=self._base_url, timeout=self._timeout)

    def _asked(self, client: Any, texts: Sequence[str]) -> list[list[float]]:  # noqa: ANN401
        given = [text[:_LONGEST] or " " for text in texts]  # an empty text is refused
        try:
            answer = client.embeddings.create(
                input=given, model=self.model, encoding_format="float"
            )
        except Exception as error:
            told = explain(error, self._secret, api=OPENAI)
            kind = ModelUnavailableError if told.retry else ModelRequestError
            advice = f". {told.advice}" if told.advice else ""
            raise kind(f"no embeddings of `{self.model}`: {told.message}{advice}") from None
        try:
            vectors = list(_vectors(answer, len(given)))
        except (AttributeError, IndexError, TypeError, ValueError):
            raise ModelRequestError(
                f"what came is no vectors, one for each text: check `base_url`: {OPENAI.base_url}"
            ) from None
        return vectors


def _vectors(answer: Any, count: int) -> Iterator[list[float]]:  # noqa: ANN401
    """The vectors in the order of the texts; raises where the answer has another form."""
    placed = {each.index: each.embedding for each in answer.data}
    if len(answer.data) != count or set(placed) != set(range(count)):
        raise ValueError
    for at in range(count):
        vector = [float(value) for value in placed[at]]
        if not vector or not all(map(math.isfinite, vector)):
            raise ValueError
        yield vector


def named_embeddings(spec: str) -> Embeddings:
    """The embeddings that a text names: `openai:text-embedding-3-small`.

    Any server with the endpoint can be asked: OPENAI_BASE_URL says where it is.

    Raises:
        ModelRequestError: It names none, or there is no key.
    """
    provider, _, name = spec.partition(":")
    if provider != "openai" or not name.strip():
        raise ModelRequestError(
            f"`{spec}` names no embeddings: write `openai:NAME`, as openai:text-embedding-3-small"
        )
    return OpenAIEmbeddings(name)
