"""Fault injection: seeded plans of crashes and cuts during traffic, then a count of every id."""
