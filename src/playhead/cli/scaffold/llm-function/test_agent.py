"""The function without a language model: `python -m pytest`."""

from pathlib import Path

import playhead as ph

FOLDER = Path(__file__).parent


def rule_function() -> ph.LLMFunction:
    """The function with the rule model, whatever model its file names."""
    from rules import model

    function = ph.LLMFunction.of(ph.read_agent(FOLDER / "agent.yaml").agent)
    return function.with_(model=model).using(store=ph.MemoryStore())


def test_it_gives_what_its_signature_says() -> None:
    """Outputs are typed."""
    result = rule_function().sync(message="The parcel came late again.")
    assert (result.mood, result.topic) == ("cross", "parcel")


def test_what_it_is_shown_can_be_changed() -> None:
    """Instruction and demonstrations are data, and part of its config."""
    function = rule_function()
    other = function.with_(instruction="Guess.", demonstrations=[])
    assert other.agent.config_digest != function.agent.config_digest
    assert other.sync(message="A lovely lamp.").topic == "lamp"
