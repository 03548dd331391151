"""The public list is what is visible, sorted, and nothing private is on it."""

from __future__ import annotations

import inspect
import types

import pytest

import playhead.tape
from playhead.tape import Body, kinds


def order(name: str) -> tuple[int, str]:
    """CONSTANTS, then Classes, then functions: as ruff sorts `__all__`."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_the_list_is_what_is_visible() -> None:
    visible = {
        name
        for name, value in vars(playhead.tape).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert visible == set(playhead.tape.__all__)


def test_the_list_is_sorted_and_has_no_name_twice() -> None:
    names = playhead.tape.__all__
    assert names == sorted(set(names), key=order)


def test_only_the_kinds_are_public_modules() -> None:
    modules = {
        name for name, value in vars(playhead.tape).items() if isinstance(value, types.ModuleType)
    }
    # pytest puts names that are none (`@pytest_ar`) into modules of a distribution with a plugin
    public = {name for name in modules if name.isidentifier() and not name.startswith("_")}
    assert public == {"annotations", "kinds"}


@pytest.mark.parametrize("name", playhead.tape.__all__)
def test_what_is_public_says_what_it_is(name: str) -> None:
    thing = getattr(playhead.tape, name)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert thing.__module__.startswith("playhead.tape.")
        assert not thing.__name__.startswith("_")
        assert (thing.__doc__ or "").strip()


def test_every_kind_says_what_it_is() -> None:
    classes = [
        value
        for value in vars(kinds).values()
        if inspect.isclass(value) and value.__module__ == kinds.__name__
    ]
    assert sum(issubclass(cls, Body) for cls in classes) == 35
    for cls in classes:
        assert cls.__doc__
        assert cls.__doc__.split("\n")[0].endswith(".")
