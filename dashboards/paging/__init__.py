"""The link in a page: whoever was paged takes the work, without signing in first."""
