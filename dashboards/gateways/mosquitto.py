"""Mosquitto's password file and access list, as the database wants them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What may stand in a topic level, in a line of the password file and in the access list."""
SERVER = """\
user {server}
topic read $SYS/#
topic read tidings/v1/#
topic write tidings/v1/+/+/acks
topic write tidings/v1/+/+/commands
"""
BOX_WRITES = ("readings", "events", "status", "results")
BOX_READS = ("acks", "commands")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One box; without a hash it may not come in."""

    gateway: str
    site: str
    password_hash: str | None

    @property
    def is_open(self) -> bool:
        """Whether the broker lets it in."""
        names = PLAIN.fullmatch(self.gateway) and PLAIN.fullmatch(self.site)
        return self.password_hash is not None and names is not None


def passwords(accounts: Sequence[Account], before: str) -> str:
    """Return the password file; lines of users that are no boxes of ours stay as they were."""
    boxes = {account.gateway for account in accounts}
    kept = [line for line in before.splitlines() if line and line.split(":", 1)[0] not in boxes]
    ours = [f"{one.gateway}:{one.password_hash}" for one in accounts if one.is_open]
    return "".join(f"{line}\n" for line in [*kept, *ours])


def access(accounts: Sequence[Account], server: str) -> str:
    """Return the access list: a box writes and reads below its own id at its own site only."""
    parts = [SERVER.format(server=server)]
    parts += [_box(account) for account in accounts if account.is_open]
    return "\n".join(parts)


def _box(account: Account) -> str:
    top = f"tidings/v1/{account.site}/{account.gateway}"
    lines = [f"user {account.gateway}"]
    lines += [f"topic write {top}/{leaf}" for leaf in BOX_WRITES]
    lines += [f"topic read {top}/{leaf}" for leaf in BOX_READS]
    return "\n".join(lines) + "\n"
