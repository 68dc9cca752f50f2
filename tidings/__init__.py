"""The command line: one console script that hands over to the folders."""
