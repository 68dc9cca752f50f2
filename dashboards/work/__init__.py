"""Tasks and messages: what is to be done, and what is said, about a patient."""
