"""What lies on the desks of the demo's care team: tasks and conversations; all invented."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid5

from deploy.demo.clinic import ORGANISATION, Resident

# number of the patient, days until it is due, whose it is (nobody: the team's), what
TASKS = (
    (3, 0, "maya", "Call about weight gain and the water tablet"),
    (22, 0, None, "Ask for the glucose diary of last week"),
    (12, 0, None, "Send a new cuff battery, then test together on the phone"),
    (41, 1, "maya", "Confirm the obstetrics visit"),
    (9, 1, "cora", "Arrange a ride to the cardiology visit"),
    (28, 2, None, "Hub is silent: check the plug with the family"),
    (16, 4, "maya", "Teach-back: what to do at a low sugar"),
)
# number of the patient, hours ago, who wrote (nobody: the patient), text
MESSAGES = (
    (2, 27, None, "My pressure was high this morning. Should I take the second tablet?"),
    (2, 26, "maya", "Please sit for five minutes and measure once more. I will call you at 10."),
    (2, 25, None, "Thank you, I will."),
    (12, 20, None, "The cuff shows a battery sign."),
    (22, 5, None, "I forgot my insulin yesterday evening. It is better today."),
    (8, 3, None, "¿Puedo pesarme por la noche en vez de la mañana?"),
    (33, 50, "jonah", "Your new scale is on its way. It connects by itself: just step on it."),
    (33, 47, None, "It came today. Works fine!"),
)


def tasks(people: Sequence[Resident], now: datetime) -> Iterator[Mapping[str, object]]:
    """Yield the rows of open tasks."""
    for number, days, login, title in TASKS:
        yield {
            "organisation": ORGANISATION,
            "patient": people[number - 1].id,
            "title": title,
            "due": (now + timedelta(days=days)).date(),
            "assigned": _staff(login),
            "by": _staff("tess"),
            "at": now - timedelta(hours=20),
        }


def messages(people: Sequence[Resident], now: datetime) -> Iterator[Mapping[str, object]]:
    """Yield the rows of conversations; what the team has answered is read."""
    answered = {number for number, _, login, _ in MESSAGES if login}
    for number, hours, login, text in MESSAGES:
        at = now - timedelta(hours=hours)
        yield {
            "organisation": ORGANISATION,
            "patient": people[number - 1].id,
            "by": _staff(login),
            "text": text,
            "at": at,
            "read": at if login is None and number in answered else None,
        }


def _staff(login: str | None) -> object:
    return uuid5(ORGANISATION, f"staff {login}") if login else None
