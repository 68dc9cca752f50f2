"""Accounts, roles, teams: what an administrator keeps."""
