"""Pages over real channels: a mail server and an HTTP receiver of this test's own."""

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from alerts import delivery, notify, pages, process, scheduler, senders
from alerts.delivery import Address, Message
from alerts.senders import Sent
from alerts.severity import Severity
from tests.alerts.conftest import Clinic
from tests.alerts.test_scheduler import (
    POLICY,
    SUNDAY_NIGHT,
    Outbox,
    address,
    critical,
    minute_by_minute,
    on_call,
)

MESSAGE = delivery.message(
    uuid4(), Severity.CRITICAL, "token", "4821", link="https://tidings.example"
)

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
"""apprise imports it when it first sends mail."""


class Mailbox:
    """Keeps what the mail server was given."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.letters.append(envelope)
        return "250 OK"


@dataclass
class Receiver:
    """Keeps what was posted to it; answers what it is told to."""

    url: str = ""
    answer: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
async def mail() -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="localhost", loop=loop), "127.0.0.1", 0
    )
    async with server:
        yield mailbox, server.sockets[0].getsockname()[1]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            state.got.append((dict(self.headers), body))
            self.send_response(state.answer)
            self.end_headers()

        do_GET = do_POST  # noqa: N815  # the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/page"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def to(channel: str, where: str, secret: str = "") -> Address:
    return Address(id=uuid4(), staff_id=uuid4(), channel=channel, address=where, secret=secret)


async def test_a_page_goes_out_by_mail(mail: tuple[Mailbox, int], noon: datetime) -> None:
    mailbox, port = mail
    where = f"mailto://127.0.0.1:{port}?from=pager@example.org&to=nurse@example.org&mode=insecure"
    assert await senders.send(to("email", where), MESSAGE, noon) == Sent(ok=True)
    (letter,) = mailbox.letters
    assert letter.rcpt_tos == ["nurse@example.org"]
    content = letter.content
    assert isinstance(content, bytes)
    assert b"a critical alert is waiting" in content


async def test_a_webhook_is_signed_and_carries_no_patient(
    receiver: Receiver, noon: datetime
) -> None:
    sent = await senders.send(to("webhook", receiver.url, "s3cret"), MESSAGE, noon)
    assert sent == Sent(ok=True, detail="200")
    ((headers, body),) = receiver.got
    moment = str(int(noon.timestamp()))
    expected = hmac.new(b"s3cret", moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Tidings-Signature"] == f"t={moment},v1={expected}"
    assert json.loads(body) == {
        "page": str(MESSAGE.page_id),
        "severity": "critical",
        "text": MESSAGE.text,
        "link": "https://tidings.example/page/token",
    }


@pytest.mark.parametrize("where", ["nonsense", "mailto://127.0.0.1:1?from=a@b.c&to=d@e.f"])
async def test_a_channel_that_does_not_work_is_an_outcome(where: str, noon: datetime) -> None:
    assert not (await senders.send(to("email", where), MESSAGE, noon)).ok


async def test_the_dead_man_signal_is_a_call_to_an_address(receiver: Receiver) -> None:
    assert (await senders.call(receiver.url)).ok
    receiver.answer = 500
    assert not (await senders.call(receiver.url)).ok
    assert not (await senders.call("http://127.0.0.1:1/")).ok
    assert len(receiver.got) == 2


async def test_a_failing_provider_gives_way_to_the_mail(
    clinic: Clinic, receiver: Receiver, mail: tuple[Mailbox, int]
) -> None:
    people, (mailbox, port) = on_call(clinic), mail
    receiver.answer = 503
    clinic.run("delete from contact_channel")
    primary = people["primary_on_call"]
    address(clinic, primary, "webhook", receiver.url, 1)
    where = f"mailto://127.0.0.1:{port}?from=pager@example.org&to=nurse@example.org&mode=insecure"
    address(clinic, primary, "email", where, 2)
    await critical(clinic, SUNDAY_NIGHT)
    outside = notify.Outside(send=senders.send)
    async with await process.connect(clinic.worker_dsn) as connection:
        for seconds in (0, 10, 20):
            now = SUNDAY_NIGHT + timedelta(seconds=seconds)
            await scheduler.tick(connection, POLICY, now=now, slow=False)
            await notify.deliver_due(connection, outside, now=now)
    assert len(receiver.got) == 2
    assert len(mailbox.letters) == 1
    tries = clinic.ask(
        "select split_part(channel, ':', 1), outcome, detail from delivery_attempt order by attempt"
    )
    assert tries == [
        ("webhook", "failed", "503"),
        ("webhook", "failed", "503"),
        ("email", "accepted", ""),
    ]


async def test_a_worker_killed_between_decision_and_delivery_pages_once_or_twice_never_zero_times(
    clinic: Clinic,
) -> None:
    on_call(clinic)
    await critical(clinic, SUNDAY_NIGHT)
    outbox = Outbox()

    async def dies(_: Address, __: Message, ___: datetime) -> Sent:
        raise asyncio.CancelledError

    async with await process.connect(clinic.worker_dsn) as connection:
        await pages.escalate_due(connection, POLICY, now=SUNDAY_NIGHT)
        with pytest.raises(asyncio.CancelledError):
            await notify.deliver_one(connection, notify.Outside(send=dies), now=SUNDAY_NIGHT)
    assert clinic.ask("select outcome from delivery_attempt") == [("unknown",)]
    found = await minute_by_minute(clinic, outbox, SUNDAY_NIGHT, [0, 1, 2])
    assert found == [(1, "push:primary_on_call")]


def test_addresses_are_tried_twice_each_round_and_round() -> None:
    first, second = to("push", "a"), to("sms", "b")
    resort = Address(id=uuid4(), staff_id=None, channel="webhook", address="c")
    everyone = delivery.order(("sms",), [first, second], [resort])
    assert everyone == [second, first, resort]
    tries = {each.id: 0 for each in everyone}
    tried: list[str] = []
    rounds: list[bool] = []
    for _ in range(8):
        choice = delivery.choose(everyone, tries)
        assert choice is not None
        tried.append(choice.address.address)
        tries[choice.address.id] += 1
        rounds.append(delivery.exhausted(everyone, tries))
    assert tried == ["b", "b", "a", "a", "c", "c", "b", "b"]
    assert rounds == [False] * 5 + [True, False, False]
    assert delivery.choose([], {}) is None
    assert delivery.exhausted([], {})
