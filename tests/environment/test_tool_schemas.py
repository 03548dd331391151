"""What a model is told of a function."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

import playhead as ph
from playhead.environment import as_tool
from playhead.errors import AgentError


def properties(function: Any) -> dict[str, Any]:
    found = as_tool(function).schema.parameters["properties"]
    assert isinstance(found, dict)
    return found


def test_a_whole_schema() -> None:
    def weather(city: str, days: int = 1) -> str:
        """Tell the weather.

        For a city, some days ahead.

        Args:
            city: Name of the city.
            days: How many days.

        Returns:
            The weather.
        """
        return ""

    assert as_tool(weather).schema.as_json() == {
        "name": "weather",
        "description": "Tell the weather.\n\nFor a city, some days ahead.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name of the city."},
                "days": {"type": "integer", "default": 1, "description": "How many days."},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    }


def test_types() -> None:
    def odd(
        a: int,
        b: float,
        c: bool,
        d: list[str],
        e: dict[str, int],
        f: Literal["x", "y"],
        g: Optional[int],  # noqa: UP045  (as people write it)
        h: int | str,
        i: Any,
        j: tuple[int, int],
        k: None,
    ) -> None: ...

    found = properties(odd)
    assert found["a"] == {"type": "integer"}
    assert found["b"] == {"type": "number"}
    assert found["c"] == {"type": "boolean"}
    assert found["d"] == {"type": "array", "items": {"type": "string"}}
    assert found["e"]["additionalProperties"] == {"type": "integer"}
    assert found["f"] == {"enum": ["x", "y"], "type": "string"}
    assert found["g"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert found["h"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert found["i"] == {}
    assert found["j"]["maxItems"] == 2
    assert found["k"] == {"type": "null"}


def test_defaults() -> None:
    def odd(a: str, b: str = "x", c: list[int] = [1], d: str | None = None) -> None: ...  # noqa: B006

    assert as_tool(odd).schema.parameters["required"] == ["a"]
    found = properties(odd)
    assert (found["b"]["default"], found["c"]["default"]) == ("x", [1])
    assert found["d"]["default"] is None


class Place(BaseModel):
    """A place."""

    city: str
    country: str = Field("CA", description="Two letters.")


async def test_pydantic_models() -> None:
    def go(place: Place, via: list[Place] | None = None) -> str:
        """Go.

        Args:
            place: Where to.
        """
        assert isinstance(place, Place)
        return place.country

    made = as_tool(go)
    schema = made.schema.parameters
    assert schema["$defs"]["Place"]["properties"]["country"]["description"] == "Two letters."  # type: ignore[index,call-overload]
    assert properties(go)["place"] == {"$ref": "#/$defs/Place", "description": "Where to."}
    context = ph.ToolContext(key="k", tape="t")
    assert await made.run({"place": {"city": "Montreal"}}, context) == "CA"


def test_annotated() -> None:
    def odd(
        a: Annotated[str, Field(description="from the type", min_length=1)],
        b: Annotated[int, Field(ge=1, le=9)] = 5,
    ) -> None:
        """Odd.

        Args:
            a: from the docstring
            b: from the docstring
        """

    assert properties(odd)["a"]["description"] == "from the type"
    assert properties(odd)["a"]["minLength"] == 1
    assert properties(odd)["b"] == {
        "type": "integer", "default": 5, "minimum": 1, "maximum": 9,
        "description": "from the docstring",
    }  # fmt: skip


@pytest.mark.parametrize(
    "docstring",
    [
        "Do it.\n\n:param a: The a.",
        "Do it.\n\nParameters\n----------\na : str\n    The a.",
        "Do it.\n\nArgs:\n    a (str): The a.",
        "Do it.\n\n@param a: The a.",
    ],
)
def test_docstrings_of_every_style(docstring: str) -> None:
    def odd(a: str) -> None: ...

    odd.__doc__ = docstring
    made = as_tool(odd)
    assert made.schema.description == "Do it."
    assert properties(odd)["a"]["description"] == "The a."


@pytest.mark.parametrize("docstring", [None, "", "   ", ":", "Args:\n  :::\n\n:param", "\ud83d"])
def test_odd_docstrings(docstring: str | None) -> None:
    def odd(a: str) -> None: ...

    odd.__doc__ = docstring
    assert isinstance(as_tool(odd).schema.description, str)


def test_the_context_is_no_parameter() -> None:
    def one(a: str, context: ph.ToolContext) -> None: ...
    def two(ctx: ph.ToolContext | None = None) -> None: ...

    assert list(properties(one)) == ["a"]
    assert list(properties(two)) == []


async def test_the_context_is_given() -> None:
    def one(where: ph.ToolContext, a: int) -> list[object]:
        return [where.key, where.tape, where.deps, a]

    context = ph.ToolContext(key="k", tape="t", deps=5)
    assert await as_tool(one).run({"a": 1}, context) == ["k", "t", 5, 1]


async def test_parameters_with_names_that_models_use_themselves() -> None:
    def odd(
        schema: int,
        json: int,
        copy: int,
        model_config: int,
        model_dump: int,
        _private: int,
        p0: int,
    ) -> list[int]:
        return [schema, json, copy, model_config, model_dump, _private, p0]

    names = ["schema", "json", "copy", "model_config", "model_dump", "_private", "p0"]
    assert list(properties(odd)) == names
    arguments = {name: number for number, name in enumerate(names)}
    context = ph.ToolContext(key="k", tape="t")
    assert await as_tool(odd).run(arguments, context) == list(range(7))


def unknown(a: NotThere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


class Unschematic:
    pass


def arbitrary(a: Unschematic) -> None: ...


def untyped(a) -> None: ...


def star(*a: int) -> None: ...


def stars(**a: int) -> None: ...


def positional(a: int, /) -> None: ...


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (unknown, "NotThere"),
        (arbitrary, "its parameters cannot be described"),
        (untyped, "give the parameter `a` a type"),
        (star, "name every parameter"),
        (stars, "name every parameter"),
        (positional, "cannot be given by name"),
        (lambda: None, "no named function"),
        (5, "no named function"),
        ("text", "no named function"),
        (functools.partial(positional), "no named function"),
    ],
)
def test_what_is_no_tool(function: Any, told: str) -> None:
    with pytest.raises(AgentError, match=told):
        as_tool(function)


class Counter:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, by: int) -> int:
        """Count on."""
        self.count += by
        return self.count

    def method(self, by: int = 1) -> int:
        """Count on too."""
        return self(by)

    async def later(self) -> int:
        return self.count


async def test_methods_partials_and_objects() -> None:
    counter = Counter()
    context = ph.ToolContext(key="k", tape="t")
    assert await as_tool(counter.method).run({}, context) == 1
    assert as_tool(counter.method).schema.description == "Count on too."
    assert await as_tool(counter, name="count").run({"by": 2}, context) == 3
    assert as_tool(counter, name="count").schema.description == "Count on."
    partial = as_tool(functools.partial(counter.method, by=5), name="five")
    assert await partial.run({}, context) == 8
    assert await as_tool(counter.later).run({}, context) == 8
    assert await as_tool(functools.partial(counter.later), name="later").run({}, context) == 8


def test_marked_functions_stay_what_they_are() -> None:
    @ph.tool
    def plain(a: int) -> int:
        """Plain."""
        return a + 1

    @ph.tool(effect="read", name="other", description="Said otherwise.", timeout=5)
    def marked(a: int) -> int:
        """Not said."""
        return a + 1

    assert (plain(1), marked(1)) == (2, 2)
    assert (as_tool(plain).effect, as_tool(plain).name) == ("write", "plain")
    made = as_tool(marked)
    assert (made.effect, made.name, made.schema.description) == ("read", "other", "Said otherwise.")
    assert made.timeout == 5
    assert as_tool(made) is made


def test_an_effect_that_is_none() -> None:
    with pytest.raises(AgentError, match="read, idempotent, write, irreversible, not `maybe`"):
        ph.tool(effect="maybe")(test_an_effect_that_is_none)  # type: ignore[arg-type]


async def test_values_are_converted_where_that_is_safe() -> None:
    def odd(a: int, b: bool, c: list[int]) -> list[object]:
        return [a, b, c]

    context = ph.ToolContext(key="k", tape="t")
    assert await as_tool(odd).run({"a": "5", "b": "true", "c": [1.0]}, context) == [5, True, [1]]


async def test_many_faults_are_told_in_short() -> None:
    def odd(rows: list[int]) -> None: ...

    with pytest.raises(ph.ToolFailure) as caught:
        await as_tool(odd).run({"rows": ["x"] * 10_000}, ph.ToolContext(key="k", tape="t"))
    assert caught.value.code == "bad_arguments"
    assert len(caught.value.message) <= 2000
