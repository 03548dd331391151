"""Whole applications of Playhead, run from a checkout: `python -m examples.NAME.…`."""
