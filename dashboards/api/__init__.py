"""The JSON API: what the staff pages do, for programs; the same acts, the same door."""
