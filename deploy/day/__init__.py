"""One day of a synthetic clinic: readings, alerts, pages, nurses; time is an argument."""
