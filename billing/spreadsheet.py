"""Text that goes into spreadsheets."""


def harmless(value: str) -> str:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
