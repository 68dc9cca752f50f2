"""People, teams, programmes and plans: used by alerts, billing and dashboards, owned by none."""
