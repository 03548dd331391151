"""Fixtures for tests of models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from model_server import KEY, NO_WAIT, FakeServer

from playhead.llm import OpenAIModel


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no key of the machine that the tests run on."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("API_KEY", "ADMIN_KEY", "BASE_URL", "ORG_ID", "PROJECT_ID", "CUSTOM_HEADERS"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.close()


@pytest.fixture
def model(server: FakeServer) -> OpenAIModel:
    return OpenAIModel("gpt-4o-mini", base_url=server.url, api_key=KEY, backoff=NO_WAIT)
