"""Calls the function like any other.

`python ask.py "The parcel came late again."`
"""

import sys
from pathlib import Path

import playhead as ph

function = ph.LLMFunction.of(ph.read_agent(Path(__file__).with_name("agent.yaml")).agent)

if __name__ == "__main__":
    result = function.sync(message=" ".join(sys.argv[1:]) or "The parcel came late again.")
    print(f"{result.mood}, about: {result.topic}")
