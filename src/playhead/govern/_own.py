"""Rules of the user's own: patterns, and members of JSON objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from playhead.errors import PrivacyError
from playhead.govern._extra import needed
from playhead.govern._rules import Rule, Span


def own_rule(kind: str, pattern: str) -> Rule:
    """A rule from your own pattern, matched by RE2: in linear time, whatever the text.

    Args:
        kind: What it finds.
        pattern: In RE2's syntax; its first group, if it has one, is the value.

    Raises:
        MissingExtraError: `google-re2` is not installed.
        PrivacyError: RE2 does not take the pattern, or it matches the empty text.
    """
    re2 = needed("re2")
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PrivacyError(f"the pattern of `{kind}` is none for RE2: {error}") from None
    if compiled.search("") is not None:
        raise PrivacyError(f"the pattern of `{kind}` matches the empty text: make it longer")
    group = 1 if compiled.groups else 0

    def spans(text: str) -> Iterator[Span]:
        for match in compiled.finditer(text):
            start, end = match.span(group)
            if end > start:
                yield start, end

    return Rule(kind, spans)


def field_rules(fields: Mapping[str, str]) -> list[Rule]:
    """Rules for named members of JSON that stands in a text. See `Guard(fields=…)`."""
    by_kind: dict[str, list[str]] = {}
    for name, kind in fields.items():
        by_kind.setdefault(kind, []).append(name)
    return [_field_rule(kind, names) for kind, names in by_kind.items()]


def _field_rule(kind: str, names: Sequence[str]) -> Rule:
    choice = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    member = re.compile(
        rf'(?P<q>\\{{0,3}}")(?:{choice})(?P=q)\s{{0,4}}:\s{{0,4}}(?P=q)(?P<v>[^"\\]{{1,1000}})(?P=q)',
        re.IGNORECASE,
    )

    def spans(text: str) -> Iterator[Span]:
        if '"' in text:
            yield from (match.span("v") for match in member.finditer(text))

    return Rule(kind, spans)
