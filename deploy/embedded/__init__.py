"""PostgreSQL and an MQTT broker as child processes: no Docker, no root, everything on loopback."""
