"""Benchmarks: each prints progress and, as its last line, one JSON object."""
