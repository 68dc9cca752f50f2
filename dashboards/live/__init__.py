"""Live events: one LISTEN connection, fanned out to browsers as server-sent events."""
