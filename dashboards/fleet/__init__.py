"""Gateways and devices: what is offline, apart from who is not measuring."""
