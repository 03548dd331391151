"""Kinds of tasks that were made up over the WorkBench tables, to learn and to play."""
