-- The first schema: organisations, people, devices, readings, alerts, audit; who may see what.
-- Every row of an organisation carries organisation_id; row-level security holds the web role to it.
-- Works on TimescaleDB and on plain PostgreSQL 15+; 0002 makes the hypertable where there is one.

-- roles -----------------------------------------------------------------------------------------
-- roles belong to the whole server: two databases that migrate at once may both try
do $$
declare name text;
begin
  foreach name in array array['tidings_web', 'tidings_worker'] loop
    begin
      if not exists (select from pg_roles where rolname = name) then execute format('create role %I login', name); end if;
    exception when duplicate_object or unique_violation then null;
    end;
  end loop;
end $$;

create function current_organisation() returns uuid language sql stable as
  $$ select nullif(current_setting('tidings.organisation', true), '')::uuid $$;

-- The web role sees its organisation only; workers serve all. Every later migration calls this.
create function isolate(relation regclass) returns void language plpgsql as $$ begin
  execute format('alter table %s enable row level security', relation);
  execute format('create policy organisation_isolation on %s to tidings_web using (organisation_id = current_organisation()) with check (organisation_id = current_organisation())', relation);
  execute format('create policy workers on %s to tidings_worker using (true) with check (true)', relation);
  execute format('grant select, insert, update, delete on %s to tidings_web, tidings_worker', relation);
end $$;

create function refuse_change() returns trigger language plpgsql as
  $$ begin raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege'; end $$;

create function append_only(relation regclass) returns void language plpgsql as $$ begin
  execute format('create trigger append_only before update or delete on %s for each row execute function refuse_change()', relation);
  execute format('create trigger append_only_whole before truncate on %s for each statement execute function refuse_change()', relation);
end $$;

-- people ----------------------------------------------------------------------------------------
create table organisation (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  time_zone text not null,                      -- IANA name; months of billing are counted in it
  created_at timestamptz not null default now()
);
grant select on organisation to tidings_web, tidings_worker;
grant insert, update on organisation to tidings_worker;

create table staff (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  email text not null,
  display_name text not null,
  credential text not null default '',          -- RN, MD, ...
  role text not null,                           -- nurse, provider, coordinator, billing, operations, administrator, auditor
  npi text,
  password_hash text,                           -- argon2id
  totp_secret text,
  disabled_at timestamptz,
  created_at timestamptz not null default now()
);
create unique index staff_email on staff (lower(email));
select isolate('staff');
-- sign-in happens before an organisation is known: one row by its address, nothing else
create function staff_signing_in(address text) returns setof staff
  language sql stable security definer set search_path = public, pg_temp as
  $$ select * from staff where lower(email) = lower(address) and disabled_at is null $$;

create table staff_session (
  token_hash bytea primary key,                 -- sha256 of the cookie; the cookie itself is nowhere
  staff_id uuid not null references staff,
  organisation_id uuid not null references organisation,
  csrf_token text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  user_agent text not null default ''
);
grant select, insert, update, delete on staff_session to tidings_web, tidings_worker;

create table care_team (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  name text not null,
  unique (organisation_id, name)
);
select isolate('care_team');

create table care_team_member (
  care_team_id uuid not null references care_team,
  staff_id uuid not null references staff,
  organisation_id uuid not null references organisation,
  role text not null,
  primary key (care_team_id, staff_id)
);
select isolate('care_team_member');

create table patient (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  mrn text not null,
  family_name text not null,
  given_name text not null,
  birth_date date not null,
  sex text not null,                            -- female, male, other, unknown
  time_zone text,                               -- IANA name; null is reported, never guessed
  language text not null default 'en',
  phone text not null default '',
  site text not null default '',
  allergies text[] not null default '{}',
  conditions text[] not null default '{}',      -- hypertension, heart_failure, diabetes, copd, ...: what rules may depend on
  traits text[] not null default '{}',          -- on_oxygen, hypercapnic_risk, beta_blocker, high_risk, ...
  care_team_id uuid references care_team,
  deceased_on date,
  created_at timestamptz not null default now(),
  unique (organisation_id, mrn)
);
create index patient_name on patient (organisation_id, lower(family_name), lower(given_name));
select isolate('patient');

-- one patient's stay in one care programme
create table enrolment (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  programme text not null,                      -- id of a care programme definition
  programme_version text not null,
  profiles text[] not null default '{}',        -- alert profiles in force through it
  care_team_id uuid references care_team,
  enrolled_at timestamptz not null,
  ended_at timestamptz,
  end_reason text
);
create unique index enrolment_open on enrolment (patient_id, programme) where ended_at is null;
select isolate('enrolment');

-- times at which rules rest or bend: inpatient, travel_hold, device_repair, ...
create table patient_hold (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  state text not null,
  from_at timestamptz not null,
  to_at timestamptz,
  note text not null default ''
);
create index patient_hold_patient on patient_hold (patient_id, from_at);
select isolate('patient_hold');

-- what a clinician ordered to be measured, how often
create table measurement_schedule (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  kind text not null,
  times_per_day smallint not null default 1,
  days_of_week smallint[] not null default '{1,2,3,4,5,6,7}',  -- ISO
  from_on date not null,
  to_on date
);
create index measurement_schedule_patient on measurement_schedule (patient_id);
select isolate('measurement_schedule');

-- a change of treatment, shown on the trend
create table treatment_change (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  at timestamptz not null,
  what text not null,
  by_staff_id uuid references staff
);
create index treatment_change_patient on treatment_change (patient_id, at);
select isolate('treatment_change');

-- devices ---------------------------------------------------------------------------------------
create table gateway (
  id text primary key,                          -- MQTT user name and topic level
  organisation_id uuid not null references organisation,
  site text not null,
  label text not null default '',
  enrolled_at timestamptz not null default now(),
  revoked_at timestamptz,
  last_seen_at timestamptz,
  state text not null default 'never_seen',     -- online, offline, never_seen
  status jsonb not null default '{}'            -- the last wire Status
);
select isolate('gateway');

create table device (
  id text primary key,                          -- identity on the wire: serial, System ID or address
  organisation_id uuid not null references organisation,
  model text not null default '',
  kinds text[] not null default '{}',
  serial text,
  firmware text,
  gateway_id text references gateway,
  battery smallint,
  last_seen_at timestamptz,
  averaging smallint not null default 1,        -- readings in one mean; 1: single readings
  retired_at timestamptz
);
select isolate('device');

-- whose device, from when to when; a shared device by user slot
create table device_assignment (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  device_id text not null references device,
  patient_id uuid not null references patient,
  user_slot smallint,
  assigned_from timestamptz not null,
  assigned_to timestamptz,
  check (assigned_to is null or assigned_to > assigned_from)
);
create index device_assignment_device on device_assignment (device_id, assigned_from);
create index device_assignment_patient on device_assignment (patient_id);
select isolate('device_assignment');

-- readings --------------------------------------------------------------------------------------
-- Uniqueness lives here and not on the hypertable, whose unique indexes would have to contain the
-- measurement time (docs/adr/0006). Ids begin with their time, so this index grows at its end.
create table reading_identity (
  reading_id uuid primary key,
  first_stored_at timestamptz not null default now()
);
grant select, insert, delete on reading_identity to tidings_worker;

create table reading (
  reading_id uuid not null,
  organisation_id uuid not null,
  patient_id uuid not null,
  device_id text not null,
  gateway_id text not null,
  kind text not null,                           -- devices.reading.Kind
  measured_at timestamptz not null,             -- effective time: device time corrected by the clock offset, or reception
  value double precision not null,              -- canonical unit of the kind: mm[Hg] systolic, kg, mg/dL, %, Cel, /min
  diastolic double precision,
  mean_arterial double precision,
  pulse double precision,
  original_value double precision,
  original_unit text,
  status text not null,                         -- accepted, flagged, entered_in_error
  flags text[] not null default '{}',           -- why flagged, and quality words of the device
  time_quality text not null,                   -- device_synced, corrected, gateway_reception, unknown
  device_time timestamp,                        -- as the device's clock wrote it
  gateway_time timestamptz not null,
  received_at timestamptz not null,             -- server clock
  clock_offset_s real,
  live boolean not null default true,
  user_slot smallint,
  sequence integer,
  entry text not null default 'device',         -- device, manual
  extra jsonb,
  characteristic text not null,
  frame bytea not null
);
create index reading_patient on reading (patient_id, kind, measured_at desc);
create index reading_arrival on reading (received_at desc);
-- Compression and row-level security exclude one another on a hypertable, so the web role reads
-- readings through this barrier only.
create view visible_reading with (security_barrier) as
  select * from reading where organisation_id = current_organisation();
grant select on visible_reading to tidings_web;
grant select, insert, update, delete on reading to tidings_worker;

-- whatever cannot be used, with its reason, until a person has dealt with it
create table quarantine (
  id uuid primary key,                          -- the reading's id, or a digest of an unusable message
  organisation_id uuid,                         -- null: not even the gateway is known
  gateway_id text,
  device_id text,
  reason text not null,
  detail text not null default '',
  topic text not null default '',
  payload bytea not null,                       -- the message part as it came
  gateway_time timestamptz,
  received_at timestamptz not null,
  times_seen integer not null default 1,
  queue text not null default 'technical',      -- identity_review, technical
  state text not null default 'open',           -- open, released, rejected
  resolved_by uuid,
  resolved_at timestamptz,
  resolution text
);
create index quarantine_open on quarantine (organisation_id, queue, received_at) where state = 'open';
select isolate('quarantine');

-- rows that the alert workers take (for update skip locked) and delete
create table to_evaluate (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  patient_id uuid not null,
  reading_id uuid not null,
  kind text not null,
  measured_at timestamptz not null,
  received_at timestamptz not null,             -- broker side of the one-second promise
  queued_at timestamptz not null default clock_timestamp()
);
create index to_evaluate_patient on to_evaluate (patient_id);
grant select, insert, update, delete on to_evaluate to tidings_worker;

create table gateway_event (
  id uuid primary key,
  organisation_id uuid not null,
  gateway_id text not null,
  device_id text,
  event text not null,
  detail text not null default '',
  at timestamptz not null,
  received_at timestamptz not null
);
create index gateway_event_gateway on gateway_event (gateway_id, at desc);
select isolate('gateway_event');

-- alerts ----------------------------------------------------------------------------------------
-- the unit of a nurse's work: all open alerts of one patient
create table episode (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  queue text not null default 'rn_triage',
  severity smallint not null,                   -- 1 critical .. 4 low: the worst of its open alerts
  technical boolean not null default false,
  headline text not null,                       -- "BP 183/111"
  why text not null,                            -- "Systolic above 180, twice within 30 minutes"
  alert_count integer not null default 1,
  opened_at timestamptz not null,
  due_at timestamptz not null,                  -- respond by
  owner_id uuid references staff,
  claimed_at timestamptz,
  lease_until timestamptz,
  snoozed_until timestamptz,
  snooze_reason text,
  sparkline real[] not null default '{}',       -- last 14 values of the leading alert's kind
  closed_at timestamptz,
  version bigint not null default 1             -- goes up with every change; browsers compare it
);
create unique index episode_open on episode (patient_id, technical) where closed_at is null;
create index episode_worklist on episode (organisation_id, severity, due_at, id) where closed_at is null;
create index episode_owner on episode (owner_id) where closed_at is null;
select isolate('episode');

create table alert (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  episode_id uuid not null references episode,
  rule_id text not null,
  rule_version text not null,                   -- which signed version of the rule decided
  profile text not null default '',
  kind text not null default '',
  severity smallint not null,
  state text not null default 'raised',         -- raised, notified, acknowledged, in_progress, snoozed, waiting_patient, waiting_provider, closed, downgraded, duplicate, entered_in_error
  headline text not null,
  why text not null,                            -- a plain sentence in the clinician's words and units
  reading_ids uuid[] not null default '{}',
  computed jsonb not null default '{}',         -- the values that were compared, with their limits
  raised_at timestamptz not null,
  last_breach_at timestamptz not null,
  due_at timestamptz not null,
  breaches integer not null default 1,
  late boolean not null default false,
  closed_at timestamptz,
  closed_by uuid references staff,
  outcome jsonb                                 -- the closing form
);
-- promise 5: one open alert per patient and rule, whatever the workers do
create unique index alert_open on alert (patient_id, rule_id) where closed_at is null;
create index alert_episode on alert (episode_id);
create index alert_patient on alert (patient_id, raised_at desc);
select isolate('alert');

-- what happened to an alert or episode, in order; never changed
create table alert_event (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  episode_id uuid not null,
  alert_id uuid,
  at timestamptz not null,
  action text not null,                         -- open, attach, raise, claim, release, take_over, snooze, escalate, resolve, undo, note, ...
  reason text not null default '',
  by_staff_id uuid,
  detail jsonb not null default '{}'
);
create index alert_event_episode on alert_event (episode_id, id);
select isolate('alert_event');
select append_only('alert_event');

-- audit -----------------------------------------------------------------------------------------
create table audit (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  at timestamptz not null default clock_timestamp(),
  actor text not null,                          -- staff:<uuid>, process:ingest, ...
  action text not null,                         -- look, change, sign_in, export, break_glass, ...
  object_kind text not null,
  object_id text not null,
  patient_id uuid,
  detail jsonb not null default '{}',
  previous_hash bytea,
  hash bytea
);
create index audit_patient on audit (organisation_id, patient_id, id);
create index audit_actor on audit (organisation_id, actor, id);
select isolate('audit');
select append_only('audit');

-- what the chain covers of a row; `tidings audit verify` calls it too
create function audit_text(row_ audit) returns text language sql stable as $$
  select concat_ws(e'\x1f', row_.id, row_.organisation_id, to_char(row_.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), row_.actor, row_.action, row_.object_kind, row_.object_id, coalesce(row_.patient_id::text, ''), row_.detail::text)
$$;

create function audit_chain() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ begin
  perform pg_advisory_xact_lock(7441, hashtext(new.organisation_id::text));  -- one writer at a time per chain
  new.previous_hash := (select hash from audit where organisation_id = new.organisation_id order by id desc limit 1);
  new.id := nextval(pg_get_serial_sequence('audit', 'id'));  -- in chain order: taken under the lock
  new.hash := sha256(coalesce(new.previous_hash, ''::bytea) || convert_to(audit_text(new), 'UTF8'));
  return new;
end $$;
create trigger audit_chain before insert on audit for each row execute function audit_chain();
create index audit_chain_order on audit (organisation_id, id desc);
revoke update, delete on audit, alert_event from tidings_web, tidings_worker;

grant usage on schema public to tidings_web, tidings_worker;
grant usage, select on all sequences in schema public to tidings_web, tidings_worker;
alter default privileges in schema public grant usage, select on sequences to tidings_web, tidings_worker;
