"""What users see: names, arguments, errors, and what works without extras."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import playhead
from playhead import errors

FOLDERS = [
    info.name
    for info in pkgutil.iter_modules(playhead.__path__, "playhead.")
    if info.ispkg and info.name != "playhead.cli"
]
ALL = ["playhead", *FOLDERS, "playhead.evaluate.statistics"]


def visible(module: ModuleType) -> set[str]:
    """Names that stand in a module without an underscore, but for its own parts."""
    lazy = set(module.__all__) - set(vars(module)) if hasattr(module, "__getattr__") else set()
    return lazy | {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name != "TYPE_CHECKING"
        and not isinstance(value, ModuleType)
    }


@pytest.mark.parametrize("name", ALL)
def test_what_is_visible_is_listed(name: str) -> None:
    module = importlib.import_module(name)
    assert set(module.__all__) == visible(module)
    assert list(module.__all__) == sorted(module.__all__, key=_as_ruff)
    assert module.__doc__


def _as_ruff(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest."""
    if name.isupper():
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)


@pytest.mark.parametrize("name", ALL)
def test_every_listed_name_is_there(name: str) -> None:
    module = importlib.import_module(name)
    for listed in module.__all__:
        getattr(module, listed)
    with pytest.raises(AttributeError):
        _ = module.no_such_name


def public_functions() -> dict[str, object]:
    """Functions, and methods and constructors of classes, by where they are found."""
    found: dict[str, object] = {}
    for name in ALL:
        module = importlib.import_module(name)
        for listed in module.__all__:
            value = getattr(module, listed)
            if inspect.isfunction(value):
                found[f"{value.__module__}.{value.__qualname__}"] = value
            elif inspect.isclass(value) and value.__module__.startswith("playhead."):
                found.update(methods_of(value))
    return found


def methods_of(cls: type) -> dict[str, object]:
    made_by_hand = not hasattr(cls, "__dataclass_fields__") and "__init__" in vars(cls)
    return {
        f"{cls.__module__}.{cls.__qualname__}.{name}": value
        for name, value in vars(cls).items()
        if inspect.isfunction(inspect.unwrap(getattr(value, "__func__", value)))
        and (not name.startswith("_") or (name == "__init__" and made_by_hand))
    }


IN_ORDER = {  # where the order is the meaning
    "playhead.agent._node.Node.generate_steps",  # the view, what came of it, the context
    "playhead.agent._native.ToolCallingNode.generate_steps",
    "playhead.agent._react.ReActNode.generate_steps",
    "playhead.agent.functions._node.FunctionNode.generate_steps",
    "playhead.agent.prompting._node.PromptNode.generate_steps",
    "playhead.tape._file.write_tape",  # as they stand in the file
    "playhead.tape._history.History.__init__",
    "playhead.tape._history.HistoryRange.__init__",  # of a tape, of a frame, from, to
    "playhead.tape._history.history_messages",
    "playhead.tape._step.Step.load",  # the three byte strings of an entry
    "playhead.tape._view.View.__init__",
}


def test_beyond_the_first_two_arguments_are_given_by_name() -> None:
    too_many = {}
    for where, function in public_functions().items():
        function = getattr(function, "__func__", function)
        by_place = [
            parameter.name
            for parameter in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            and parameter.name not in ("self", "cls")
        ]
        if len(by_place) > 2:
            too_many[where] = by_place
    assert set(too_many) == IN_ORDER, too_many


@pytest.mark.parametrize("name", ALL)
def test_every_public_name_says_what_it_is(name: str) -> None:
    module = importlib.import_module(name)
    silent = [
        listed
        for listed in module.__all__
        if inspect.isfunction(value := getattr(module, listed))
        or (inspect.isclass(value) and value.__module__.startswith("playhead."))
        if not inspect.getdoc(value)
    ]
    assert silent == []


def error_classes() -> dict[str, type[errors.PlayheadError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }


def drawn_tree() -> dict[str, str | None]:
    """Class and parent of each line of the tree in the docstring."""
    tree: dict[str, str | None] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        text = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ")
        words = text.split()
        if not words or not words[0].endswith("Error") or not line.startswith("    "):
            continue
        depth = len(text) - len(text.lstrip())
        above = {place: name for place, name in above.items() if place < depth}
        tree[words[0]] = above[max(above)] if above else None
        above[depth] = words[0]
    return tree


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    real = {
        name: (cls.__bases__[0].__name__ if name != "PlayheadError" else None)
        for name, cls in error_classes().items()
    }
    assert drawn_tree() == real
    assert len(real) > 20


def test_errors_that_are_defined_elsewhere_are_private_shades_of_these() -> None:
    """For a caller they are the class in the tree that they derive from: same code, no name.

    The command line has no callers: its own faults are exit codes.
    """
    public = {name for folder in ALL for name in importlib.import_module(folder).__all__}
    for cls in _subclasses(errors.PlayheadError):
        module = cls.__module__
        if module.startswith("playhead.") and not module.startswith(
            ("playhead.errors", "playhead.cli")
        ):
            assert "code" not in vars(cls), cls
            assert cls.__name__ not in public, cls


def _subclasses(cls: type) -> set[type]:
    direct = set(cls.__subclasses__())
    return direct | {inner for one in direct for inner in _subclasses(one)}


def test_codes_are_stable_and_each_is_one_error() -> None:
    codes = {name: cls.code for name, cls in error_classes().items()}
    assert len(set(codes.values())) == len(codes)
    assert codes["TapeOwnedError"] == "tape_owned"
    assert codes["DecisionNeededError"] == "decision_needed"


@pytest.mark.parametrize("name", error_classes())
def test_errors_keep_their_facts_and_survive_pickling(name: str) -> None:
    error = error_classes()[name]("what to do", seq=3, tape="t")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.seq, again.data) == ("what to do", 3, {"seq": 3, "tape": "t"})
    with pytest.raises(AttributeError):
        _ = error.nothing


ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        models = ("openai", "anthropic", "litellm", "httpx2", "mcp", "mcp_types", "opentelemetry")
        private = ("cryptography", "re2", "phonenumbers", "stdnum", "presidio_analyzer", "spacy")
        checks = ("cel_expr_python", "jsonschema_rs")
        numbers = ("numpy", "scipy", "nltk", "jinja2")
        proxy = ("aiohttp", "yarl", "httptools", "uvicorn")
        if name.split(".")[0] in (*models, *private, *checks, *numbers, *proxy):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_works_without_the_extra() -> None:
    code = """
import playhead as ph
@ph.tool(effect="read")
def add(a: int, b: int) -> int: return a + b
call = ph.assistant((ph.tape.ToolCallPart(id="1", name="add", arguments={"a": 1, "b": 2}),))
agent = ph.Agent("a", model=ph.ScriptedModel([call, "3"]), tools=[add])
store = ph.MemoryStore()
tape = ph.run_sync(agent, "add", store=store)
tape.verify()
assert ph.replay_sync(tape, agent=agent, store=store).ok
print(tape.answer)
"""
    assert run_python(ABSENT + code) == "3\n"


@pytest.mark.parametrize(
    ("model", "extra"),
    [("openai:m", "openai"), ("anthropic:m", "anthropic"), ("litellm:p/m", "litellm")],
)
def test_a_missing_extra_is_named_where_it_is_needed(model: str, extra: str) -> None:
    code = f"""
import playhead as ph
from playhead.errors import MissingExtraError
try:
    agent = ph.Agent("a", model="{model}")
    ph.run_sync(agent, "hi", store=ph.MemoryStore())
except MissingExtraError as error:
    print(error)
"""
    assert f"playhead[{extra}]" in run_python(ABSENT + code)


def test_mcp_names_its_extra() -> None:
    code = """
import playhead as ph
from playhead.errors import MissingExtraError
try:
    ph.MCPEnvironment(["mcp-server-git"])
except MissingExtraError as error:
    print(error)
"""
    assert "playhead[mcp]" in run_python(ABSENT + code)


@pytest.mark.parametrize(
    "what",
    [
        "Guard(MemoryVault())",
        "Redactor()",
        "phone_rule()",
        "national_id_rule()",
        "own_rule('mine', 'x')",
        "SqliteVault('vault.db', key=new_key())",
        "SigningKey.new()",
    ],
)
def test_privacy_names_its_extra_and_does_the_rest_without(what: str) -> None:
    code = f"""
from playhead.errors import MissingExtraError
from playhead.govern import *
try:
    {what}
except MissingExtraError as error:
    print(error)
guard = Guard(MemoryVault(), rules=basic_rules())
assert "@" not in guard.tokenise("ana@example.com")
"""
    assert "playhead[govern]" in run_python(ABSENT + code)


@pytest.mark.parametrize(
    ("what", "extra"),
    [
        ("ph.Agent('a', nodes=[ph.PromptNode('p', prompt='{{ task }}')]).bound()", "templates"),
        ("ph.PromptNode('p', output={'type': 'object'})", "checks"),
        ("AgentTool(Served(ph.Agent('a'), store=ph.MemoryStore()))", "mcp"),
        ("asyncio.run(served())", "serve"),
    ],
)
def test_agents_as_data_and_serving_name_their_extras(what: str, extra: str) -> None:
    code = f"""
import asyncio
import playhead as ph
from playhead.errors import MissingExtraError
from playhead.serve import AgentServer, AgentTool, Served

async def served():
    async with AgentServer(Served(ph.Agent("a"), store=ph.MemoryStore())).serve():
        pass

try:
    {what}
except MissingExtraError as error:
    print(error)
"""
    assert f"playhead[{extra}]" in run_python(ABSENT + code)


def test_typed_functions_work_without_an_extra() -> None:
    code = """
import playhead as ph
model = ph.ScriptedModel(['{"answer": 3}', '{"answer": "b"}'])
f = ph.llm_function("question -> answer: 'a' | 'b'", model=model)
print(f.using(store=ph.MemoryStore()).sync(question="which").answer)
"""
    assert run_python(ABSENT + code) == "b\n"


def test_recording_names_its_extra() -> None:
    code = """
import asyncio
import playhead as ph
from playhead.errors import MissingExtraError
from playhead.govern import Redactor, basic_rules
from playhead.record import LLMProxy, LLMReplay
try:
    LLMProxy("https://example.com", store=ph.MemoryStore(), redactor=Redactor(basic_rules()))
except MissingExtraError as error:
    print(error)
"""
    assert "playhead[record]" in run_python(ABSENT + code)


def test_checks_of_arguments_name_their_extra_and_rules_do_without() -> None:
    code = """
import playhead as ph
from playhead.errors import MissingExtraError
try:
    ph.ApprovalRule("deny", when={"type": "object"})
except MissingExtraError as error:
    print(error)
assert ph.Approval(rules=[{"tools": "x", "then": "deny"}]).rules
"""
    assert "playhead[checks]" in run_python(ABSENT + code)


@pytest.mark.parametrize(
    "what",
    [
        "clustered_mean({'a': [1.0], 'b': [0.0]})",
        "compare({'a': [1.0]}, {'a': [0.0]})",
        "plan(tasks=50)",
        "cohen_kappa({'x': 1, 'y': 0}, {'x': 1, 'y': 1})",
        "krippendorff_alpha({'ana': {'x': 1, 'y': 0}, 'bo': {'x': 1, 'y': 1}})",
    ],
)
def test_statistics_name_their_extra_and_do_the_plain_figures_without(what: str) -> None:
    code = f"""
from playhead.errors import MissingExtraError
from playhead.evaluate.statistics import *
try:
    {what}
except MissingExtraError as error:
    print(error)
assert pass_at_k(2, 1, k=1) == pass_hat_k(2, 1, k=1) == mean_of_tasks({{"a": [1.0, 0.0]}}) == 0.5
assert holm([0.01, 0.5]) == [0.02, 0.5]
assert raw_agreement({{"ana": {{"x": 1}}, "bo": {{"x": 1}}}}) == 1.0
"""
    assert "playhead[evaluate]" in run_python(ABSENT + code)


def test_names_in_free_text_name_their_extra() -> None:
    code = """
from playhead.errors import MissingExtraError
from playhead.govern import presidio_rules
try:
    presidio_rules()
except MissingExtraError as error:
    print(error)
"""
    assert "playhead[presidio]" in run_python(ABSENT + code)


def test_a_run_that_nobody_traces_does_not_import_telemetry() -> None:
    code = """
import sys, playhead as ph
tape = ph.run_sync(ph.Agent("a", model=ph.ScriptedModel(["3"])), "add", store=ph.MemoryStore())
print(tape.answer, any(name.startswith("opentelemetry") for name in sys.modules))
"""
    assert run_python(code) == "3 False\n"


def test_importing_stays_light() -> None:
    """The SDK of a provider and the command line are imported when they are used."""
    code = """
import sys, playhead
heavy = {"openai", "anthropic", "litellm", "mcp", "anyio", "httpx", "httpx2", "typer", "rich",
         "aiohttp", "uvicorn", "yarl", "httptools",
         "pytest", "numpy", "cryptography", "re2", "phonenumbers", "stdnum", "jsonschema_rs",
         "cel_expr_python", "opentelemetry", "scipy", "nltk", "jinja2"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""
    assert run_python(code) == "[]\n"
