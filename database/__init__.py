"""One schema for several processes: pool, migrations, named SQL."""
