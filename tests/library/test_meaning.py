"""Searching by meaning: vectors from a server, kept in the library, beside the words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from library_kit import experience, with_two
from loopback import loopback
from typer.testing import CliRunner

from playhead.cli._app import app
from playhead.errors import LibraryError, ModelRequestError, ModelUnavailableError
from playhead.experience.library import ByMeaning, Library, Vectors
from playhead.llm import OpenAIEmbeddings, named_embeddings

CONCEPTS = (
    ("meeting", "appointment", "gathering"),
    ("cancel", "drop", "scrap"),
    ("plot", "chart", "picture", "draw"),
    ("visits", "users", "traffic"),
)


def meant(text: str) -> list[float]:
    """What a text is about, as a model might see it, and a little of every text."""
    said = text.lower()
    return [float(any(word in said for word in each)) for each in CONCEPTS] + [0.3]


class Fake:
    """Embeddings without a model, which count what they are asked."""

    name = "fake"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [meant(text) for text in texts]


PARAPHRASE = "Please scrap tomorrow's appointment"


def test_meaning_finds_what_words_do_not(library: Library) -> None:
    with_two(library)
    assert library.find(PARAPHRASE).kept is None
    found = library.search(PARAPHRASE, similarity=library.by_meaning(Fake()))
    assert found[0].kept.name == "cancel-meeting"
    assert found[0].fit >= 0.5


def test_neither_meaning_nor_words_find_what_is_about_something_else(library: Library) -> None:
    with_two(library)
    similar = library.by_meaning(Fake())
    assert library.find("Order a pizza for everybody", similarity=similar).kept is None
    found = library.find("Cancel my next meeting with nia", similarity=similar)
    assert found.kept is not None


def test_words_decide_alone_where_nothing_can_be_measured(library: Library) -> None:
    library.add(experience(), origin="learnt")
    plain = library.search("Cancel my next meeting with nia")
    alone = library.search("Cancel my next meeting with nia", similarity=library.by_meaning(Fake()))
    assert [each.kept.name for each in alone] == [each.kept.name for each in plain]
    assert (alone[0].fit >= 0.5) == (plain[0].fit >= 0.38)


def test_vectors_are_asked_for_once_and_outlive_the_program(tmp_path: Path) -> None:
    place = tmp_path / "library.db"
    with Library(place) as library:
        with_two(library)
        library.search(PARAPHRASE, similarity=library.by_meaning(first := Fake()))
        library.search(PARAPHRASE, similarity=library.by_meaning(first))
    assert len(first.asked) == len(set(first.asked)) == 7
    with Library(place) as library:
        library.search("Draw it", similarity=library.by_meaning(second := Fake()))
        assert second.asked == ["Draw it"]
        other = Fake()
        other.name = "another"
        library.search("Draw it", similarity=library.by_meaning(other))
        assert len(other.asked) == 7, "vectors of different models are kept apart"
    assert b"scrap tomorrow" not in place.read_bytes()


def test_vectors_go_with_the_experience(library: Library) -> None:
    with_two(library)
    library.search(PARAPHRASE, similarity=library.by_meaning(Fake()))
    library.remove("plot-visits")
    again = Fake()
    library.add(experience("other", version=2), origin="learnt")
    Vectors(again, library._file)(["Cancel my next meeting with ana"])
    assert again.asked == ["Cancel my next meeting with ana"]


def test_a_task_that_went_wrong_is_guarded_here_too(library: Library) -> None:
    with_two(library)
    digest = library.get("cancel-meeting").digest
    task = "Scrap my next meeting with nia"
    assert library.find(task, similarity=library.by_meaning(Fake())).kept is not None
    guard = library.guards.add(task, "it was the board's", experience=digest)
    choice = library.find(task, similarity=library.by_meaning(Fake()))
    assert choice.kept is None
    assert guard.text in choice.reason


@pytest.mark.parametrize("made", [[], [[1.0], [1.0, 2.0]], [[1.0]]])
def test_what_is_no_vector_for_each_text_is_refused(made: list[list[float]]) -> None:
    class Odd:
        name = "odd"

        def __call__(self, texts: Sequence[str]) -> list[list[float]]:
            return made

    with pytest.raises(LibraryError):
        ByMeaning(Vectors(Odd()))("x", [["a", "b"], ["c"]])


# --- The endpoint --------------------------------------------------------------------------------


def answered(vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": at, "embedding": list(vector)}
        for at, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "model": "small", "data": data[::-1], "usage": usage}


def test_an_endpoint_gives_vectors_in_the_order_of_the_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(path: str, body: dict[str, Any]) -> Any:
        assert path == "/v1/embeddings"
        asked.append(body)
        return answered([[float(len(text)), 0.0] for text in body["input"]])

    with loopback(answer) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        embed = named_embeddings("openai:small")
        assert embed.name == f"openai:small@{url}"
        texts = ["a" * (1 + at % 50) for at in range(300)]
        found = embed([*texts, ""])
    assert [vector[0] for vector in found] == [float(len(text)) for text in texts] + [1.0]
    assert [len(body["input"]) for body in asked] == [256, 45]
    assert {body["model"] for body in asked} == {"small"}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        answered([]),
        answered([[1.0], [2.0]]),
        answered([[]]),
        answered([[1.0]]) | {"data": [{"index": 3, "embedding": [1.0]}]},
        answered([[1.0]]) | {"data": [{"index": 0, "embedding": "text"}]},
    ],
)
def test_an_answer_that_is_none_is_told(odd: dict[str, Any]) -> None:
    with loopback(lambda path, body: odd) as url:
        embed = OpenAIEmbeddings("small", base_url=url, api_key="secret-key")
        with pytest.raises(ModelRequestError) as caught:
            embed(["x"])
    assert "secret-key" not in str(caught.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with loopback(lambda path, body: {}) as url:
        pass
    embed = OpenAIEmbeddings("small", base_url=url, api_key="none", timeout=2)
    with pytest.raises(ModelUnavailableError, match="no embeddings of `small`"):
        embed(["x"])


@pytest.mark.parametrize("spec", ["small", "openai:", "cohere:x", ""])
def test_a_name_that_is_none_is_told(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(ModelRequestError, match="names no embeddings"):
        named_embeddings(spec)


def test_no_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelRequestError, match="OPENAI_API_KEY"):
        named_embeddings("openai:small")


def test_the_command_searches_by_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "library.db"
    with Library(place) as library:
        with_two(library)
    words = ["library", "search", PARAPHRASE, "--library", str(place)]
    plain = CliRunner().invoke(app, words)
    assert plain.exit_code == 1
    with loopback(lambda path, body: answered([meant(text) for text in body["input"]])) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        found = CliRunner().invoke(app, [*words, "--embeddings", "openai:small"])
    assert "cancel-meeting" in found.output
    assert CliRunner().invoke(app, [*words, "--embeddings", "odd"]).exit_code != 0
