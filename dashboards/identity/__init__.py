"""Whose reading is it: the review queue, and corrections of stored readings."""
