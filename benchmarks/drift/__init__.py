"""Experiences of one world, played while that world drifts."""
