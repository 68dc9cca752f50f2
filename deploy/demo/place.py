"""Where a demo keeps its things: one directory, held by one demo at a time."""

import secrets
from dataclasses import dataclass
from pathlib import Path

DEFAULT = Path("data") / "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The directory and what lies in it."""

    root: Path

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.root / "logs"

    @property
    def database(self) -> Path:
        """PostgreSQL's directory."""
        return self.root / "postgres"

    @property
    def broker(self) -> Path:
        """The broker's directory."""
        return self.root / "broker"

    @property
    def homes(self) -> Path:
        """Outboxes and plans of the simulated homes."""
        return self.root / "homes"

    def make(self) -> None:
        """Create what is not there; other users may pass through but not look."""
        for directory in (self.root, self.logs, self.homes):
            directory.mkdir(parents=True, exist_ok=True)

    def password(self) -> str:
        """Return the demo's sign-in password: made once, kept where only its owner reads it."""
        file = self.root / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(9))
        return file.read_text().strip()
