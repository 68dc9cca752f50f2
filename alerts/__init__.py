"""A stored reading, or its absence, becomes a line in a queue."""
