"""A fleet of simulated homes for load and soak: who lives there, what runs, what must be equal."""
