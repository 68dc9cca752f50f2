"""Closed teams, and breaking the glass: opening a record outside one's team, with a reason."""
