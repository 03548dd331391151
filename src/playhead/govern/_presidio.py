"""Rules from Presidio: names and other personal data in free text."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from playhead.errors import MissingExtraError, PrivacyError
from playhead.govern._extra import needed
from playhead.govern._rules import Rule, Span

_INSTALL = '"playhead[presidio]"'
_KINDS = {  # what the built-in rules find as well has their kind, so equal values have one token
    "PERSON": "name",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
}
_WINDOW, _OVERLAP, _LONGEST_WORD = 20_000, 1_000, 200  # characters
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"\w")


def presidio_rules(
    analyzer: Any = None,  # noqa: ANN401
    *,
    entities: Iterable[str] | Mapping[str, str] = ("PERSON",),
    language: str = "en",
    score: float = 0.5,
    model: str | None = "en_core_web_lg",
) -> list[Rule]:
    """Rules that find what a Presidio analyzer finds; slow, and never complete.

    Put them behind other rules, whose kinds are the more exact ones.

    Args:
        analyzer: A `presidio_analyzer.AnalyzerEngine` of your own; one is made if not given.
        entities: What to look for, as Presidio names it: `PERSON`, `LOCATION`, …; a mapping gives
            each the kind that placeholders show.
        language: Language of the texts.
        score: The least certainty, from 0 to 1.
        model: For the analyzer that is made: name or folder of a spaCy pipeline that is installed;
            None for patterns alone, which need no model and find no names.

    Raises:
        MissingExtraError: The extra `presidio` or the model is not installed; none is downloaded.
        PrivacyError: An entity or the language is unknown to the analyzer, which would find none.
    """
    if analyzer is None:
        with _quiet():
            analyzer = _patterns(language) if model is None else _with_model(model, language)
    kinds = _kinds(entities)
    _check(analyzer, kinds, language)
    analysis = _Analysis(analyzer, tuple(kinds), language, score)
    return [_rule(analysis, kind, kinds) for kind in dict.fromkeys(kinds.values())]


def _kinds(entities: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Kind by entity: as was said, as the built-in rules say it, or the entity's own name."""
    if isinstance(entities, Mapping):
        return dict(entities)
    names = [entities] if isinstance(entities, str) else entities
    return {name: _KINDS.get(name) or re.sub("[^a-z_]", "", name.lower())[:24] for name in names}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings of recognizers for languages that nobody asked for."""
    logger = logging.getLogger("presidio-analyzer")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _patterns(language: str) -> Any:  # noqa: ANN401
    presidio = needed("presidio_analyzer", install=_INSTALL)
    no_model = needed("presidio_analyzer.nlp_engine", install=_INSTALL).NoOpNlpEngine
    engine = no_model(models=[{"lang_code": language, "model_name": ""}])
    return presidio.AnalyzerEngine(nlp_engine=engine, supported_languages=[language])


def _with_model(model: str, language: str) -> Any:  # noqa: ANN401
    presidio = needed("presidio_analyzer", install=_INSTALL)
    spacy = needed("spacy", install=_INSTALL)
    if not (spacy.util.is_package(model) or Path(model).is_dir()):  # else it would be downloaded
        raise MissingExtraError(
            f"the spaCy pipeline `{model}` is not installed: python -m spacy download {model}, "
            "or name another `model`; None finds patterns only, and no names",
            package=model,
        )
    provider = needed("presidio_analyzer.nlp_engine", install=_INSTALL).NlpEngineProvider()
    provider.nlp_configuration["models"] = [{"lang_code": language, "model_name": model}]
    engine = provider.create_engine()
    pipeline = engine.get_nlp(language)
    if not any("doc.ents" in pipeline.get_pipe_meta(name).assigns for name in pipeline.pipe_names):
        raise PrivacyError(f"the spaCy pipeline `{model}` finds no entities: name one with `ner`")
    return presidio.AnalyzerEngine(nlp_engine=engine, supported_languages=[language])


def _check(analyzer: Any, kinds: Mapping[str, str], language: str) -> None:  # noqa: ANN401
    if not kinds:
        raise PrivacyError('name what to look for: `entities=("PERSON",)`')
    try:
        known = set(analyzer.get_supported_entities(language))
    except ValueError:
        raise PrivacyError(
            f"the analyzer does not know the language `{language}`: give it an engine for it"
        ) from None
    if unknown := sorted(set(kinds) - known):
        raise PrivacyError(
            f"the analyzer finds no {', '.join(f'`{name}`' for name in unknown)} in "
            f"`{language}`, only {', '.join(sorted(known))}: names of people need a `model`"
        )


class _Entity(NamedTuple):
    name: str
    start: int
    end: int


class _Analysis:
    """What an analyzer finds in a text; rules of several kinds ask once for each."""

    def __init__(
        self,
        analyzer: Any,  # noqa: ANN401
        entities: tuple[str, ...],
        language: str,
        score: float,
    ) -> None:
        self._analyzer = analyzer
        self._asked = {
            "entities": list(entities),
            "language": language,
            "score_threshold": score,
        }
        self._patience: float = needed(
            "presidio_analyzer.pattern_recognizer", install=_INSTALL
        ).REGEX_TIMEOUT_SECONDS
        self.of = lru_cache(maxsize=4)(self._of)

    def _of(self, text: str) -> tuple[_Entity, ...]:
        if not _WORD.search(text):
            return ()
        text = _SURROGATE.sub("\ufffd", text)  # models take none
        return tuple(found for start, end in _windows(text) for found in self._in(text, start, end))

    def _in(self, text: str, start: int, end: int) -> Iterator[_Entity]:
        began = time.monotonic()
        results = self._analyzer.analyze(text=text[start:end], **self._asked)
        if time.monotonic() - began >= self._patience:  # then Presidio leaves a pattern out
            raise TimeoutError
        for result in results:
            yield _Entity(result.entity_type, result.start + start, result.end + start)


def _windows(text: str) -> Iterator[Span]:
    """What is looked at together: some pages, from word to word, each with the end of the last."""
    start = 0
    while (end := start + _WINDOW) < len(text):
        end = _gap(text, end)
        yield start, end
        start = _gap(text, end - _OVERLAP)
    yield start, len(text)


def _gap(text: str, at: int) -> int:
    """Where a word begins, at a place in a text or shortly before it."""
    space = max(text.rfind(white, at - _LONGEST_WORD, at) for white in " \n\t")
    return space + 1 if space >= 0 else at


def _rule(analysis: _Analysis, kind: str, kinds: Mapping[str, str]) -> Rule:
    def spans(text: str) -> Iterable[Span]:
        return [(one.start, one.end) for one in analysis.of(text) if kinds.get(one.name) == kind]

    return Rule(kind, spans)
