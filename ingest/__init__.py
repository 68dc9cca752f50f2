"""Broker to database, each reading once."""
