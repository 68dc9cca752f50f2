"""What somebody would otherwise use between broker and database; each runs as its own process."""
