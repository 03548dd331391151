"""The pytest plugin: a test's model and tool calls, recorded once and replayed offline ever after.

It is loaded by every pytest where Playhead is installed, so nothing else is imported here: what
records and replays comes with the first test that asks for it.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playhead.govern import Redactor
    from playhead.record.cassettes import ApiAddresses, Cassette

_CASSETTE = pytest.StashKey["Cassette"]()
_LONGEST = 120  # characters of a file's name, but for its ending
_HELP = """What tests with the fixture `cassette` do. replay (the default): models and
environments are answered from the test's cassette, and nothing is asked; a call that is not
recorded fails the test. new: as replay, but what is not recorded is asked for and added, and what
is not used any more is removed. record: everything is asked for, and the cassette is made anew.
live: everything is asked for, cassettes are neither read nor written. A cassette is written only
where the test passed."""


class UnusedRecordingsWarning(pytest.PytestWarning):
    """A test passed without making calls that its cassette holds."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--playhead`."""
    group = parser.getgroup("playhead", "recorded model and tool calls")
    group.addoption(
        "--playhead",
        choices=("replay", "new", "record", "live"),
        default="replay",
        help=_HELP,
    )


@pytest.fixture
def playhead_redactor() -> Redactor | None:
    """Takes values out of what is recorded: override it with a `govern.Redactor` of your own."""
    return None


@pytest.fixture
def playhead_cassette(
    request: pytest.FixtureRequest, playhead_redactor: Redactor | None
) -> Cassette:
    """The test's cassette: wrap what it asks with its `model`, `agent` and `environment`."""
    from playhead.record.cassettes import Cassette

    cassette = Cassette(
        cassette_path(request.node),
        mode=request.config.getoption("--playhead"),
        redactor=playhead_redactor,
        test="::".join((request.node.path.name, *_names(request.node))),
    )
    request.node.stash[_CASSETTE] = cassette
    return cassette


@pytest.fixture
def cassette(playhead_cassette: Cassette) -> Cassette:
    """The test's cassette, by its short name."""
    return playhead_cassette


@pytest.fixture
def playhead_api(
    playhead_cassette: Cassette, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiAddresses]:
    """Puts what the test asks of models over HTTP on its cassette, whatever asks.

    `OPENAI_BASE_URL` and `ANTHROPIC_BASE_URL` lead there, from which the SDKs take their addresses.
    """
    with playhead_cassette.api() as addresses:
        for name, url in addresses.variables.items():
            monkeypatch.setenv(name, url)
        for name in ("NO_PROXY", "no_proxy"):  # this machine is not asked through another one
            monkeypatch.setenv(name, "127.0.0.1", prepend=",")
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            if playhead_cassette.mode != "live" and not os.environ.get(name):
                monkeypatch.setenv(name, "none")  # SDKs want one, also where nobody is asked
        yield addresses


@pytest.fixture
def cassette_api(playhead_api: ApiAddresses) -> ApiAddresses:
    """The APIs of models on the test's cassette, by its short name."""
    return playhead_api


def cassette_path(item: pytest.Item) -> Path:
    """Where a test's cassette is: `cassettes/MODULE/TEST.json` beside the module."""
    name = ".".join(_names(item))
    plain = re.sub(r"[^\w.\[\]-]", "_", name)
    if plain != name or len(plain) > _LONGEST:  # then two tests could have one
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        plain = f"{plain[:_LONGEST]}-{digest}"
    return item.path.parent / "cassettes" / item.path.stem / f"{plain}.json"


def _names(item: pytest.Item) -> list[str]:
    """The names of a test and of its classes: what pytest-xdist adds to ids is not among them."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return [*classes, item.name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail where a recording was missed, whatever became of that; write the cassette else."""
    try:
        result = yield
    except Exception as error:
        cassette = item.stash.get(_CASSETTE, None)
        if cassette is not None and cassette.misses:
            if isinstance(error, type(cassette.misses[0])):  # how the miss came up is no news
                pytest.fail(_missed(cassette), pytrace=False)
            item.add_report_section("call", "playhead", _missed(cassette))
        raise
    cassette = item.stash.get(_CASSETTE, None)
    if cassette is None:
        return result
    if cassette.misses:
        pytest.fail(_missed(cassette), pytrace=False)
    cassette.save()
    if cassette.offline and cassette.unused:
        warnings.warn(_unused(cassette), stacklevel=1)
    return result


def _missed(cassette: Cassette) -> str:
    return "\n".join(miss.message for miss in cassette.misses)


def _unused(cassette: Cassette) -> UnusedRecordingsWarning:
    unused = cassette.unused
    return UnusedRecordingsWarning(
        f"{len(unused)} recorded calls of `{cassette.path}` are not made any more: "
        f"{'; '.join(unused[:5])}{'; …' if len(unused) > 5 else ''}. `pytest --playhead=new` "
        "removes them"
    )
