"""The billing pages: the month, one patient in it, its steps and files, the self-audit."""
