"""Learning from recorded WorkBench runs, and playing what was learnt on other tasks."""
