"""Launchers, benchmarks and fault injection: what runs Tidings, not what Tidings is."""
