"""Boxes at home: how they get in, how they are kept out, what they are told to do."""
