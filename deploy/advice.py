"""Each trouble that `tidings doctor` knows, how grave it is, and what to do: words only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Gravity(StrEnum):
    """Whether it can wait: faults make the doctor's exit code 1."""

    FAULT = "fault"
    NOTICE = "notice"


class Trouble(StrEnum):
    """What can be wrong with a deployment."""

    DATABASE_AWAY = "the database cannot be reached"
    MIGRATE = "schema and program do not fit"
    DATABASE = "the database is not as it should be"
    BROKER_AWAY = "the broker cannot be reached"
    BROKER_UNFIT = "the broker lacks what ingest relies on"
    BROKER_OPEN = "the broker is open to strangers"
    BROKER_DROPS = "the broker has dropped messages"
    BROKER_FULL = "messages pile up in the broker"
    CERTIFICATE = "the broker's certificate expires"
    NO_INGEST = "no ingest process runs"
    SLOT_FREE = "a slot of the subscription has no owner"
    LAG = "readings are stored late"
    QUARANTINE = "readings are in quarantine"
    QUARANTINE_OLD = "readings have been in quarantine for more than a day"
    MANY_OFFLINE = "most gateways are offline"
    OFFLINE = "gateways are offline"
    STUCK_AT_HOME = "readings wait in gateways that are online"
    UNJUDGED = "readings wait to be judged"
    PARKED = "readings could not be judged"
    SCHEDULER = "the scheduler is silent"
    UNDELIVERED = "pages reached nobody"
    UNSENT = "pages are due and not sent"
    INCIDENT = "an operations alarm is open"
    INCIDENT_LESSER = "an operations alarm of lesser severity is open"
    NOBODY_TO_PAGE = "no last resort for pages"
    MAINTENANCE = "maintenance is overdue"
    BACKUP = "no recent backup"
    DRILL = "no recent restore drill"
    CLOCKS_APART = "this machine and the database disagree about the time"
    CLOCK_UNSET = "the network does not set this machine's clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """How grave, and what to do."""

    gravity: Gravity
    text: str


def _fault(text: str) -> Advice:
    return Advice(gravity=Gravity.FAULT, text=text)


def _notice(text: str) -> Advice:
    return Advice(gravity=Gravity.NOTICE, text=text)


ADVICE: Mapping[Trouble, Advice] = MappingProxyType(
    {
        Trouble.DATABASE_AWAY: _fault(
            "Start PostgreSQL, or correct the connection string. Nothing is lost meanwhile: the "
            "broker and the gateways keep every reading."
        ),
        Trouble.MIGRATE: _fault(
            "Pending migrations: run `tidings migrate`. A newer schema: install the newer program."
        ),
        Trouble.DATABASE: _fault(
            "See the detail. Rights and roles come from the migrations; whoever changed them by "
            "hand should undo it. TimescaleDB's failed jobs are in "
            "timescaledb_information.job_errors."
        ),
        Trouble.BROKER_AWAY: _fault(
            "Start the broker, or correct TIDINGS_BROKER_*. Gateways keep their readings and send "
            "them again."
        ),
        Trouble.BROKER_UNFIT: _fault(
            "Use MQTT 5 with shared subscriptions, quality of service 1 and sessions that are "
            "kept for a day: deploy/mosquitto/mosquitto.conf has such settings."
        ),
        Trouble.BROKER_OPEN: _fault(
            "Anybody who reaches the port can read or invent measurements. Set allow_anonymous "
            "false, acl_file and TLS as in deploy/mosquitto/mosquitto.conf, or listen on loopback."
        ),
        Trouble.BROKER_DROPS: _notice(
            "A limit is too low: set max_queued_messages 0 and max_inflight_messages 0. Gateways "
            "send again what was dropped, minutes later."
        ),
        Trouble.BROKER_FULL: _notice(
            "Ingest takes less than homes send, or a session without an owner collects its share: "
            "look at the slots above, and at tidings_ingest_lag_seconds."
        ),
        Trouble.CERTIFICATE: _fault(
            "Issue a new one (deploy/certificates.sh) and reload the broker: once it has expired, "
            "no gateway connects."
        ),
        Trouble.NO_INGEST: _fault(
            "Start `tidings ingest`. Until then readings wait in the broker and in the gateways."
        ),
        Trouble.SLOT_FREE: _fault(
            "The broker parks a share of all readings for that slot. Another process takes it "
            "over within seconds; if this lasts, start more processes or lower the number of slots."
        ),
        Trouble.LAG: _notice(
            "Look at tidings_ingest_commit_seconds (the database is slow) and "
            "tidings_ingest_batch_messages (full batches: add a worker)."
        ),
        Trouble.QUARANTINE: _notice(
            "Each waits for a person: in the staff application under identity review, or for "
            "operations (reasons are explained in docs/operations.md)."
        ),
        Trouble.QUARANTINE_OLD: _fault(
            "Somebody's readings have not been seen for a day. Release or reject them in the staff "
            "application; docs/operations.md explains each reason."
        ),
        Trouble.MANY_OFFLINE: _fault(
            "One cause is likely: the broker's address, certificate or firewall. Homes keep their "
            "readings, but nobody sees them."
        ),
        Trouble.OFFLINE: _notice(
            "Power, network or the box itself: the fleet page says whose home it is. Call."
        ),
        Trouble.STUCK_AT_HOME: _fault(
            "These boxes are heard, but their readings are not acknowledged: is ingest running, "
            "and may it write .../acks (ACL)?"
        ),
        Trouble.UNJUDGED: _fault(
            "Is `tidings alerts` running? Stored readings raise no alert until it is. Its log "
            "names the error."
        ),
        Trouble.PARKED: _fault(
            "Table evaluation_failure has the error. A person must look at these readings, then "
            "set resolved_at."
        ),
        Trouble.SCHEDULER: _fault(
            "Start `tidings alerts`: escalations, snoozes and absence checks do not run."
        ),
        Trouble.UNDELIVERED: _fault(
            "Call whoever is on duty. Then look at delivery_attempt.detail: address, provider, "
            "network."
        ),
        Trouble.UNSENT: _fault("Is `tidings alerts` running, and does it reach the network?"),
        Trouble.INCIDENT: _fault("The system raised it itself; it closes when the cause is gone."),
        Trouble.INCIDENT_LESSER: _notice(
            "The system raised it itself; it closes when the cause is gone."
        ),
        Trouble.NOBODY_TO_PAGE: _notice(
            "When nobody on duty answers, a page goes to the organisation's last resort: add one "
            "(contact_channel without a person)."
        ),
        Trouble.MAINTENANCE: _notice(
            "Something must run it every 5 to 15 minutes: `python -m deploy.maintain`. Trends and "
            "retention fall behind; readings and alerts do not."
        ),
        Trouble.BACKUP: _notice("Run deploy/backup.sh every night; it notes when it has worked."),
        Trouble.DRILL: _notice(
            "A backup that was never restored is a hope: run deploy/restore.sh into an empty "
            "database every three months."
        ),
        Trouble.CLOCKS_APART: _fault(
            "Set both by NTP (chrony or systemd-timesyncd). Readings are stamped by these clocks."
        ),
        Trouble.CLOCK_UNSET: _notice(
            "Install chrony or enable systemd-timesyncd; in a container, look at the host."
        ),
    }
)
