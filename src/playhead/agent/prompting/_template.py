"""Templates in a sandbox: texts with places for values, and no way to compute or to reach out.

The sandbox is Jinja2's; on top of it only a part of the language is read, so that what a template
gives is bounded by what it is given: no macros, no arithmetic, no calls but of a mapping's methods.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from playhead.errors import AgentError, told
from playhead.govern import needed
from playhead.tape import Json

INSTALL = '"playhead[templates]"'
MOST = 200_000  # characters of a rendered text
_MARKS = ("{{", "{%", "{#")
_NODES = frozenset([
    "Add", "And", "Assign", "Call", "Compare", "CondExpr", "Const", "Filter", "For", "Getattr",
    "Getitem", "If", "Keyword", "List", "Name", "Not", "Operand", "Or", "Output", "Slice", "Sub",
    "Template", "TemplateData", "Test", "Tuple",
])  # fmt: skip
_METHODS = ("get", "items", "keys", "values")
_FILTERS = (
    "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last",
    "length", "list", "lower", "map", "rejectattr", "round", "selectattr", "sort", "string",
    "title", "tojson", "trim", "truncate", "unique", "upper",
)  # fmt: skip
_WORDS = {
    "Call": "calls",
    "Concat": "`~`: write {{ a }}{{ b }}",
    "For": "`recursive` loops",
    "List": "lists but of constants",
    "Name": "`self`",
    "Tuple": "lists but of constants",
}


class Template:
    """A text with places for values. One without `{{`, `{%` and `{#` is just a text.

    Args:
        text: As Jinja2 has it.
        known: The names that it may use.

    Raises:
        AgentError: It cannot be read, or uses what templates may not or do not have.
        MissingExtraError: The extra `templates` is not installed, and it is more than a text.
    """

    def __init__(self, text: str, *, known: Collection[str]) -> None:
        self.text = text
        self.names: frozenset[str] = frozenset()
        self.templates: frozenset[str] = frozenset()
        self._made: Any = None
        if any(mark in text for mark in _MARKS):
            self._compile(known)

    def _compile(self, known: Collection[str]) -> None:
        jinja2 = needed("jinja2", install=INSTALL)
        meta = needed("jinja2.meta", install=INSTALL)
        try:
            tree = _sandbox().parse(self.text)
        except jinja2.TemplateSyntaxError as error:
            raise AgentError(f"line {error.lineno} of the template: {error.message}") from None
        _check(tree, jinja2.nodes)
        self.names = frozenset(meta.find_undeclared_variables(tree))
        if strange := sorted(self.names.difference(known)):
            raise AgentError(
                f"the template names `{strange[0]}`: there is {', '.join(sorted(known))}"
            )
        self.templates = frozenset(
            node.attr
            for node in tree.find_all(jinja2.nodes.Getattr)
            if isinstance(node.node, jinja2.nodes.Name) and node.node.name == "templates"
        )
        try:
            self._made = _sandbox().from_string(tree)
        except (jinja2.TemplateError, SyntaxError) as error:
            raise AgentError(f"the template cannot be read: {told(error)}") from None

    def render(self, values: Mapping[str, Json]) -> str:
        """The text with the values of its names in their places.

        Raises:
            AgentError: A value is missing, or the text becomes too long.
        """
        if self._made is None:
            return self.text
        jinja2 = needed("jinja2", install=INSTALL)
        try:
            return _bounded_text(self._made.generate(dict(values)))
        except jinja2.UndefinedError as error:
            raise AgentError(f"the template needs what is not there: {error.message}") from None
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise AgentError(f"the template cannot be filled in: {told(error)}") from None


def _check(tree: Any, nodes: Any) -> None:  # noqa: ANN401  (of an extra)
    """Make sure that a template uses only what is read here.

    Raises:
        AgentError: It does not; the message says what instead, where there is something.
    """
    for node in (tree, *tree.find_all(nodes.Node)):
        name = type(node).__name__
        method = getattr(getattr(node, "node", None), "attr", None)
        if (
            name not in _NODES
            or (name == "Call" and method not in _METHODS)
            or (name == "For" and node.recursive)
            or (name == "Name" and node.name == "self")
            or (name in ("List", "Tuple") and not _is_constant(node, nodes))
        ):
            what = _WORDS.get(name, f"`{name}`")
            raise AgentError(f"line {node.lineno} of the template: templates here have no {what}")
        if name == "Filter" and node.name not in (*_FILTERS, "join"):
            choice = ", ".join(sorted((*_FILTERS, "join")))
            raise AgentError(
                f"line {node.lineno} of the template: there is no filter `{node.name}` here, only "
                f"{choice}"
            )


def _is_constant(node: Any, nodes: Any) -> bool:  # noqa: ANN401
    """Whether a list holds constants only; or it is what a loop or an assignment names.

    Lists of values could be put into lists again and again, until their text is endless.
    """
    return getattr(node, "ctx", "load") == "store" or all(
        isinstance(item, nodes.Const) for item in node.items
    )


@functools.cache
def _sandbox() -> Any:  # noqa: ANN401
    jinja2 = needed("jinja2", install=INSTALL)
    sandbox = needed("jinja2.sandbox", install=INSTALL)
    runtime = needed("jinja2.runtime", install=INSTALL)

    class Sandbox(sandbox.ImmutableSandboxedEnvironment):  # type: ignore[name-defined,misc]
        """Members of mappings before their methods; of methods, only those that read mappings."""

        intercepted_binops = frozenset("+")

        def getattr(self, obj: object, attribute: str) -> Any:  # noqa: ANN401
            if isinstance(obj, dict) and attribute in obj:
                return obj[attribute]
            return super().getattr(obj, attribute)

        def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
            if isinstance(obj, runtime.LoopContext):
                return not attr.startswith("_")
            return isinstance(obj, dict) and attr in _METHODS

        def is_safe_callable(self, obj: object) -> bool:
            return isinstance(getattr(obj, "__self__", None), dict)

        def call_binop(self, context: object, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
            for value in (left, right):
                if not isinstance(value, int | float | str):
                    raise TypeError(f"a {type(value).__name__} cannot be added")
            return _bounded(left + right)

    made = Sandbox(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    made.globals.clear()
    made.filters = {name: _guarded(made.filters[name]) for name in _FILTERS if name != "tojson"}
    made.filters |= {"join": _join, "tojson": _json}
    return made


def _guarded(filter_: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(filter_)  # with Jinja2's marks of what it is given first
    def guarded(*args: object, **kwargs: object) -> object:
        return _bounded(filter_(*args, **kwargs))

    return guarded


def _json(value: Json) -> str:
    """JSON for models, not for HTML."""
    return json.dumps(value, ensure_ascii=False)


def _join(items: Iterable[object], between: str = "", attribute: str | None = None) -> str:
    """Jinja2's `join`, which looks at the length before it makes the text."""
    texts = [str(item.get(attribute, "") if isinstance(item, dict) else item) for item in items]
    if sum(map(len, texts)) + len(between) * len(texts) > MOST:
        raise AgentError(f"a template gives more than {MOST:,} characters")
    return between.join(texts)


def _bounded(value: object) -> object:
    if isinstance(value, str) and len(value) > MOST:
        raise AgentError(f"a template gives more than {MOST:,} characters")
    return value


def _bounded_text(pieces: Iterable[str]) -> str:
    made: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MOST:
            raise AgentError(f"a template gives more than {MOST:,} characters")
        made.append(piece)
    return "".join(made)
