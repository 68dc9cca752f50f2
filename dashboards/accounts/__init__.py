"""Staff accounts: passwords, sessions, sign-in; no clinical data."""
