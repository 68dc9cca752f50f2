"""The demonstration clinic: synthetic people, their history, and all processes on one machine."""
