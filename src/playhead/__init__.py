"""Playhead."""
