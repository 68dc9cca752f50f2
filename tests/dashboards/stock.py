"""One fresh thing of every kind that an address can name, for one clinic."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from psycopg.types.json import Jsonb

from billing.claims import BillLine
from billing.outcome import Evidence
from tests.dashboards.conftest import Clinic, Connection, _quarantined

MONTH = "2026-09"
RULE = "bp_severe"
THINGS = {
    "task_id": "insert into task (organisation_id, patient_id, title, due_on, created_by, "
    "created_at) values (%(o)s, %(p)s, 'Call', %(now)s, %(s)s, %(now)s) returning id",
    "entry_id": "insert into time_entry (organisation_id, patient_id, staff_id, staff_role, "
    "activity, started_at, ended_at, note, source) values (%(o)s, %(p)s, %(s)s, 'nurse', "
    "'review', %(past)s, %(now)s, 'Looked', 'manual') returning id",
    "job_id": "insert into billing_job (id, organisation_id, first, kind, by_whom, started_at, "
    "beat_at, state) values (gen_random_uuid(), %(o)s, '2026-09-01', 'export', 'x', %(now)s, "
    "%(now)s, 'done') returning id",
    "file_id": "insert into billing_export (organisation_id, first, format, name, content, sha256, "
    "lines, by_whom, at) values (%(o)s, '2026-09-01', 'csv', 'f.csv', 'SAMPLETON', 'x', 0, 'x', "
    "%(now)s) returning id",
    "line_id": "insert into bill_line (organisation_id, first, patient_id, line_id, code, units, "
    "content, reading_ids, entry_ids, pack, pack_version, parameter_hash, made_at) values (%(o)s, "
    "'2026-09-01', %(p)s, %(line)s, '99454', 1, %(content)s, '{}', '{}', 'x', '1', 'x', %(now)s) "
    "returning line_id",
    "finding_id": "insert into billing_finding (organisation_id, first, pattern, subject, number, "
    "most, ids) values (%(o)s, '2026-09-01', 'long_day', 'SAMPLETON', 1, 1, '{}') returning id",
    "replay_id": "insert into replay_run (organisation_id, asked_by, days) values (%(o)s, %(s)s, "
    "30) returning id",
    "order_id": "insert into gateway_command (id, organisation_id, gateway_id, command, "
    "ordered_by, ordered_at, expires_at) values (gen_random_uuid(), %(o)s, %(hub)s, 'report_now', "
    "'x', %(now)s, %(ahead)s) returning id",
    "reading_id": "insert into reading (reading_id, organisation_id, patient_id, device_id, "
    "gateway_id, kind, measured_at, value, status, time_quality, gateway_time, received_at, "
    "characteristic, frame) values (gen_random_uuid(), %(o)s, %(p)s, %(device)s, %(hub)s, "
    "'weight', %(past)s, 80, 'accepted', 'device_synced', %(past)s, %(past)s, '2A9D', '') "
    "returning reading_id",
    "glass_id": "insert into break_glass (organisation_id, staff_id, patient_id, cause, reason, "
    "opened_at, expires_at) values (%(o)s, %(s)s, %(p)s, 'other', 'for the tests', %(now)s, "
    "%(ahead)s) returning id",
    "limit_id": "insert into rule_override (organisation_id, level, patient_id, rule_id, reason, "
    "set_by, set_at, effective_from, expires_at, review_at) values (%(o)s, 'patient', %(p)s, "
    "'bp_severe', 'because', %(s)s, %(now)s, %(now)s, %(ahead)s, %(ahead)s) returning id",
    "token_id": "insert into api_token (organisation_id, token_hash, name, scopes, staff_id, "
    "created_at, expires_at) values (%(o)s, %(hash)s, 'x', '{}', %(integration)s, %(now)s, "
    "%(ahead)s) returning id",
    "rota_id": "insert into rota (organisation_id, name, time_zone) values (%(o)s, %(line)s, "
    "'America/New_York') returning id",
    "layer_id": "insert into rota_layer (organisation_id, rota_id, duty, members, starts_at) "
    "values (%(o)s, %(rota_id)s, 'primary_on_call', array[%(s)s::uuid], %(now)s) returning id",
    "override_id": "insert into rota_override (organisation_id, rota_id, duty, staff_id, from_at, "
    "to_at) values (%(o)s, %(rota_id)s, 'primary_on_call', %(s)s, %(now)s, %(ahead)s) returning id",
    "passkey_id": "insert into passkey (organisation_id, staff_id, credential_id, public_key, "
    "sign_count, name, created_at) values (%(o)s, %(s)s, %(hash)s, %(hash)s, 0, 'Key', %(now)s) "
    "returning id",
    "session_id": "insert into staff_session (token_hash, staff_id, organisation_id, csrf_token, "
    "created_at, last_seen_at, expires_at) values (%(hash)s, %(s)s, %(o)s, 'x', %(now)s, %(now)s, "
    "%(ahead)s) returning id",
    "view_id": "insert into saved_view (organisation_id, staff_id, name, query) values (%(o)s, "
    "%(s)s, %(line)s, 'sev=critical') returning id",
    "consent_id": "insert into consent (organisation_id, patient_id, programme, given_at, method, "
    "recorded_by, recorded_at) values (%(o)s, %(p)s, 'RPM', '2026-01-05Z', 'written', %(s)s, "
    "'2026-01-05Z') returning id",
    "enrolment_id": "insert into enrolment (organisation_id, patient_id, programme, "
    "programme_version, enrolled_at) values (%(o)s, %(p)s, %(line)s, '1', %(past)s) returning id",
    "team_id": "select id from care_team where organisation_id = %(o)s",
}


def stock(connection: Connection, at: Clinic, who: str) -> dict[str, object]:
    """Put one of each on the shelf; return ids by the names they have in addresses."""
    now = datetime.now(UTC)
    fields = {
        "o": at.id,
        "p": at.patients[0],
        "s": at.staff[who],
        "integration": _integration(connection, at),
        "now": now,
        "past": now - timedelta(minutes=1),
        "ahead": now + timedelta(days=30),
        "line": (line := uuid4().hex),
        "content": Jsonb(msgspec.to_builtins(_bill_line(line, at))),
        "hash": uuid4().bytes,
        "hub": f"gw-{at.letter}",
        "device": _device(connection, at),
    }
    made: dict[str, object] = {}
    for name, query in THINGS.items():
        made[name] = _one(connection, query, fields | made)
    return made | {
        "episode_id": at.episodes[0],
        "patient_id": at.patients[0],
        "staff_id": at.staff["jonah" if who != "jonah" else "tess"],
        "quarantine_id": _quarantined(connection, at.id, at.letter, now),
        "version_id": _version(connection, at, now),
        "gateway_id": f"gw-{at.letter}",
        "device_id": fields["device"],
    }


def _bill_line(name: str, at: Clinic) -> BillLine:
    """A line as it is kept."""
    return BillLine(
        id=name,
        patient_id=str(at.patients[0]),
        code="99454",
        units=1,
        family="rpm_device",
        service_from=date(2026, 9, 1),
        service_to=date(2026, 9, 30),
        date_of_service=date(2026, 9, 30),
        threshold_met_at=None,
        billing_npi="",
        rendering_npi="",
        ordering_npi="",
        place_of_service="11",
        icd10=(),
        evidence=Evidence(),
        pack="x",
        pack_version="1",
        parameter_hash="x",
    )


def _one(connection: Connection, query: str, fields: dict[str, object]) -> object:
    row = connection.execute(query.encode(), fields).fetchone()
    assert row is not None
    return row[0]


def _integration(connection: Connection, at: Clinic) -> object:
    """An account that tokens can be revoked of without locking anybody else out."""
    return _one(
        connection,
        "insert into staff (organisation_id, email, display_name, role) "
        "values (%(o)s, %(e)s, 'Bridge', 'nurse') returning id",
        {"o": at.id, "e": f"{uuid4().hex}@integrations.invalid"},
    )


def _device(connection: Connection, at: Clinic) -> object:
    """The first patient's own device."""
    fields = {"p": at.patients[0]}
    return _one(
        connection, "select device_id from device_assignment where patient_id = %(p)s", fields
    )


def _version(connection: Connection, at: Clinic, now: datetime) -> UUID:
    """A draft of rules; a clinic has one at a time."""
    fields = {"o": at.id, "s": at.staff["tess"], "now": now, "c": Jsonb({})}
    connection.execute(
        "insert into rule_draft (organisation_id, title, changes, drafted_by, drafted_at) "
        "select %(o)s, 'A draft', %(c)s, %(s)s, %(now)s where not exists "
        "(select from rule_draft where organisation_id = %(o)s and state = 'draft')",
        fields,
    )
    found = _one(
        connection,
        "select id from rule_draft where organisation_id = %(o)s and state = 'draft'",
        fields,
    )
    assert isinstance(found, UUID)
    return found
