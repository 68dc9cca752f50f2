"""Billing as a process: `python -m billing`; the only place of billing that reads the clock."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Return the time; everything below receives it as an argument."""
    return datetime.now(UTC)


def main() -> None:
    """Run the command line."""
    from billing.cli import app  # noqa: PLC0415  the command line reads this module's clock

    app()


if __name__ == "__main__":
    main()
