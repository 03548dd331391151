"""The form filler without a language model: `python -m pytest`."""

from pathlib import Path

import playhead as ph

FOLDER = Path(__file__).parent


def rule_agent() -> ph.Agent:
    """The agent with the rule model, whatever model its file names."""
    from rules import model

    agent = ph.read_agent(FOLDER / "agent.yaml").agent
    agent.model = model
    return agent


def test_a_form_is_filled_in() -> None:
    """Several values at once, a wrong one, a correction."""
    agent, store = rule_agent(), ph.MemoryStore()
    tape = ph.run_sync(agent, "My name is Ana, I stay 90 nights", store=store)
    assert tape.answer == "nights: 90 is greater than the maximum of 30. " + (
        "How many nights will you stay?"
    )
    for said, asked in (
        ("3 nights from 2027-02-01", "Would you like breakfast (yes or no)?"),
        ("yes", "Thank you. name: Ana, nights: 3, arrival: 2027-02-01, breakfast: yes."),
    ):
        tape = ph.run_sync(agent, said, tape=tape, store=store)
        assert tape.answer == asked
    assert [step.kind for step in tape].count("form.filled") == 4
    assert ph.replay_sync(tape, agent=agent, store=store).ok
