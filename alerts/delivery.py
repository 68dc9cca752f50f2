"""How one page goes out: which address next, what it says, how a webhook is signed. Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alerts.severity import Severity

TRIES = 2
"""An address that failed so often gives way to the next."""
RETRY = timedelta(seconds=10)
NEXT_ROUND = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One way to reach somebody."""

    id: UUID
    staff_id: UUID | None
    """None: the organisation's last resort."""
    channel: str
    address: str
    secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a page says: nothing about any patient."""

    page_id: UUID
    severity: Severity
    subject: str
    text: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The address to try now."""

    address: Address
    beyond_person: bool
    """The person could not be reached: this is the organisation's last resort."""


def order(
    via: Sequence[str], own: Sequence[Address], last_resort: Sequence[Address]
) -> list[Address]:
    """The person's addresses as the step wants them, then the rest, then the last resort."""
    wanted = [each for channel in via for each in own if each.channel == channel]
    rest = [each for each in own if each not in wanted]
    return [*wanted, *rest, *last_resort]


def choose(addresses: Sequence[Address], tries: Mapping[UUID, int]) -> Choice | None:
    """Return the address that is next: two tries each, then the next, round and round."""
    if not addresses:
        return None
    fewest = min(tries.get(each.id, 0) // TRIES for each in addresses)
    for each in addresses:
        if tries.get(each.id, 0) // TRIES == fewest:
            return Choice(address=each, beyond_person=each.staff_id is None)
    return None


def exhausted(addresses: Sequence[Address], tries: Mapping[UUID, int]) -> bool:
    """True when every address has failed in this round, or there is none."""
    done = [tries.get(each.id, 0) for each in addresses]
    return not done or (min(done) == max(done) and min(done) % TRIES == 0 and min(done) > 0)


def message(page_id: UUID, severity: Severity, token: str, code: str, *, link: str) -> Message:
    """Return the words of a page: how urgent, where to look, how to take it."""
    where = f"{link}/page/{token}" if link else ""
    open_it = f"Open {where}" if where else "Open Tidings"
    reply = f" or reply {code}" if code else ""
    reference = str(page_id)[:8]
    return Message(
        page_id=page_id,
        severity=severity,
        subject=f"Tidings: {severity.word} alert waiting",
        text=(
            f"Tidings: a {severity.word} alert is waiting (ref {reference}). "
            f"{open_it}{reply} to take it."
        ),
        link=where,
    )


def webhook_body(told: Message) -> bytes:
    """The JSON that a webhook receives."""
    fields = {
        "page": str(told.page_id),
        "severity": told.severity.word,
        "text": told.text,
        "link": told.link,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def signature(secret: str, body: bytes, sent_at: datetime) -> str:
    """The X-Tidings-Signature of a body: time and HMAC-SHA256, so that nobody replays it."""
    moment = str(int(sent_at.timestamp()))
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
