"""Benchmarks: `python -m benchmarks.overhead`, `python -m benchmarks.workbench`."""
