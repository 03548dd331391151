"""How agents are put together, found again, and told apart."""

from __future__ import annotations

import gc

import pytest

import playhead as ph
from playhead.agent import Agent, find_agent
from playhead.errors import AgentError, JsonError
from playhead.llm import ToolSchema


def look(at: str) -> str:
    """See something."""
    return at


def test_without_nodes_it_is_a_tool_calling_agent() -> None:
    (node,) = ph.Agent("a").nodes
    assert isinstance(node, ph.ToolCallingNode)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"nodes": []}, "has no nodes"),
        ({"nodes": [ph.Node("x"), ph.Node("x")]}, "two nodes `x`"),
        ({"nodes": [ph.Node("x", next="y")]}, "goes on to `y`"),
        ({"nodes": ["x"]}, "is no Node"),
        ({"subagents": ["x"]}, "is no Agent"),
        ({"subagents": [ph.Agent("a")]}, "two agents are called `a`"),
        ({"tools": [look, look]}, "two tools are called `look`"),
        ({"tools": [lambda: 1]}, "is no named function"),
        ({"tools": [5]}, "is no named function"),
        ({"model": "gpt-4o"}, "write `openai:NAME`"),
        ({"model": "openai:"}, "write `openai:NAME`"),
        ({"model": 5}, "is no model"),
    ],
)
def test_what_does_not_fit_is_said_at_once(options: dict, told: str) -> None:
    with pytest.raises(AgentError, match=told):
        ph.Agent("a", **options)


def test_family_names_each_agent_once() -> None:
    shared = ph.Agent("shared")
    left, right = ph.Agent("left", subagents=[shared]), ph.Agent("right", subagents=[shared])
    top = ph.Agent("top", subagents=[left, right])
    assert [agent.name for agent in top.family()] == ["top", "left", "shared", "right"]
    assert top.agent_named("shared") is shared
    with pytest.raises(AgentError, match="names an agent `nobody`"):
        top.agent_named("nobody")


def test_a_bound_copy_leaves_the_agent_alone() -> None:
    shared = ph.Agent("shared")
    left, right = ph.Agent("left", subagents=[shared]), ph.Agent("right", subagents=[shared])
    agent = ph.Agent("top", tools=[look], subagents=[left, right])
    schema = ToolSchema("x", "", {})
    bound = agent.bound([schema])
    assert [tool.name for tool in bound.nodes[0].tools] == [
        "look", "x", "delegate_to_left", "delegate_to_right",
    ]  # fmt: skip
    assert not hasattr(agent.nodes[0], "tools")
    assert bound.config_digest == agent.config_digest
    assert [member.name for member in bound.family()] == ["top", "left", "shared", "right"]


BEHAVIOUR = [
    {"instructions": "Other."},
    {"tools": [look]},
    {"description": "x"},
    {"settings": {"temperature": 0.5}},
    {"nodes": [ph.ToolCallingNode("other")]},
    {"nodes": [ph.ToolCallingNode(window=3)]},
    {"nodes": [ph.Node("act", flavour="sweet")]},
    {"subagents": [ph.Agent("sub")]},
    {"model": ph.ScriptedModel([], name="other")},
]


@pytest.mark.parametrize("change", BEHAVIOUR, ids=lambda change: next(iter(change)))
def test_the_digest_follows_behaviour(change: dict) -> None:
    plain = {"model": ph.ScriptedModel([])}
    assert (
        ph.Agent("a", **{**plain, **change}).config_digest != ph.Agent("a", **plain).config_digest
    )


def test_the_digest_is_of_nothing_else() -> None:
    one, two = (ph.Agent("a", model=ph.ScriptedModel([]), tools=[look]) for _ in range(2))
    assert one.config_digest == two.config_digest


def test_settings_that_are_no_json() -> None:
    with pytest.raises(JsonError):
        _ = ph.Agent("a", settings={"x": float("nan")}).config_digest


def test_the_next_node_is_what_the_tape_says() -> None:
    a, b, c = ph.Node("a", next="c"), ph.Node("b"), ph.Node("c")
    agent = ph.Agent("x", nodes=[a, b, c])
    frame = ph.Tape.new().fold().frame
    assert agent.next_node(frame) is a
    frame.last_node = "a"
    assert agent.next_node(frame) is c
    frame.last_node = "b"
    assert agent.next_node(frame) is c
    frame.last_node = "c"
    assert agent.next_node(frame) is None
    frame.next_node = "b"
    assert agent.next_node(frame) is b
    frame.next_node = "gone"
    with pytest.raises(AgentError, match="no node `gone`, only a, b, c"):
        agent.next_node(frame)


def test_an_agent_is_found_by_name_and_digest() -> None:
    gc.collect()
    one, two = Agent("found", instructions="1"), Agent("found", instructions="2")
    assert find_agent("found", one.config_digest) is one
    assert find_agent("found", two.config_digest) is two
    with pytest.raises(AgentError, match="2 different ones exist here"):
        find_agent("found", "sha256:0")
    del two
    gc.collect()
    assert find_agent("found", "sha256:0") is one
    with pytest.raises(AgentError, match="none exist here"):
        find_agent("not found", "sha256:0")


def test_repr() -> None:
    assert repr(ph.Agent("helper")) == "<Agent helper>"
