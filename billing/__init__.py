"""Days and minutes become bill lines that carry their evidence."""
