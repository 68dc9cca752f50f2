"""A crowd: 100,000 patients, 50,000 open alerts, and browsers that listen."""
