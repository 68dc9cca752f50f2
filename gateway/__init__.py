"""The box at home: radio to disk to broker."""
