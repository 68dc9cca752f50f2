-- rules, rota, escalation, delivery: what alerts/ and the on-call rota of care/ keep

-- rules -----------------------------------------------------------------------------------------
-- every set of product rules that ever judged a reading, so that an alert's rule_version resolves
create table rule_set (
  version text primary key,                     -- digest of the definitions
  loaded_at timestamptz not null default clock_timestamp(),
  definition jsonb not null
);
grant select on rule_set to tidings_web, tidings_worker;
grant insert on rule_set to tidings_worker;

-- a named person's signature under a product rule set or an organisation's rule
create table rule_approval (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  version text not null,                        -- rule_set.version or rule_change.id
  approved_by uuid not null references staff,
  approved_at timestamptz not null,
  effective_from timestamptz not null,
  note text not null default '',
  unique (organisation_id, version)
);
select isolate('rule_approval');

-- a change to one rule for one patient, one programme or the organisation; the narrowest wins
create table rule_override (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  level text not null check (level in ('patient', 'programme', 'organisation')),
  patient_id uuid references patient,
  programme text,
  rule_id text not null,
  changes jsonb not null default '{}',          -- fields of the rule as in profiles/*.yaml
  disabled boolean not null default false,
  reason text not null check (reason <> ''),
  set_by uuid not null references staff,
  set_at timestamptz not null,
  effective_from timestamptz not null,
  expires_at timestamptz not null,
  review_at timestamptz not null,
  ended_at timestamptz,                         -- taken back or replaced before it expired
  check (expires_at <= effective_from + interval '12 months'),
  check ((level = 'patient') = (patient_id is not null)),
  check ((level = 'programme') = (programme is not null))
);
create index rule_override_patient on rule_override (patient_id) where ended_at is null;
create index rule_override_organisation on rule_override (organisation_id) where ended_at is null;
select isolate('rule_override');

-- a draft or published rule set of an organisation (its changes over the product's), for what-if
create table rule_draft (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  title text not null,
  changes jsonb not null,                       -- rule id -> changed fields, or {"disabled": true}
  state text not null default 'draft' check (state in ('draft', 'published', 'retired')),
  drafted_by uuid not null references staff,
  drafted_at timestamptz not null,
  published_by uuid references staff,           -- a second person
  published_at timestamptz,
  replay jsonb,                                 -- what the replay said before publishing
  check (published_by is null or published_by <> drafted_by)
);
select isolate('rule_draft');

-- evidence --------------------------------------------------------------------------------------
-- every breach behind an alert: the alert's severity, count and words follow from these rows
create table alert_breach (
  alert_id uuid not null references alert,
  reading_id uuid not null,                     -- the reading (or survey answer) that breached
  organisation_id uuid not null,
  rule_id text not null,
  measured_at timestamptz not null,
  severity smallint not null,
  standing boolean not null default true,       -- false: a later arrival took its ground away
  headline text not null,
  why text not null,
  reading_ids uuid[] not null,
  computed jsonb not null,
  late boolean not null default false,
  answered_normal boolean not null default false,  -- a second measurement was normal
  primary key (alert_id, reading_id)
);
select isolate('alert_breach');

alter table alert add column route text not null default '';
alter table alert add column technical boolean not null default false;
alter table alert add column reopened_at timestamptz;
create index alert_technical on alert (patient_id) where technical and closed_at is null;
alter table alert add column counts_from timestamptz;  -- evidence up to here was dealt with at the last closing
alter table episode add column wakes_on_reading boolean not null default false;
alter table episode add column snoozed_kinds text[] not null default '{}';  -- measurements that were snoozed
alter table episode add column snoozed_severity smallint;
alter table episode add column kind text not null default '';               -- measurement of the leading alert
alter table episode add column risk smallint not null default 0;            -- 1: patient marked high risk
alter table episode add column waiting text not null default '';            -- '', patient, provider
alter table episode add column closed_by uuid references staff;
alter table episode add column reopened_at timestamptz;
alter table episode add column cosign_due_at timestamptz;                   -- critical: a provider within 24 h
alter table episode add column cosigned_by uuid references staff;
alter table episode add column cosigned_at timestamptz;
alter table episode add column worst_severity smallint not null default 4;
alter table episode add column acknowledged_at timestamptz;                 -- first claim; ends paging
create index episode_cosign on episode (organisation_id, cosign_due_at)
  where cosign_due_at is not null and cosigned_at is null;
create index episode_queue on episode (organisation_id, queue, severity, due_at, id) where closed_at is null;
create index episode_patient on episode (patient_id, opened_at desc);
create index episode_snoozed on episode (snoozed_until) where closed_at is null and snoozed_until is not null;
create index episode_lease on episode (lease_until) where closed_at is null and lease_until is not null;

-- open episodes per organisation and facet: steps of +1 and -1 that the scheduler adds up now and then,
-- so that saved views count without scanning and no two transactions wait for one counter
create table episode_tally (
  organisation_id uuid not null,
  queue text not null,
  severity smallint not null,
  technical boolean not null,
  owned boolean not null,
  snoozed boolean not null,
  step bigint not null
);
create index episode_tally_organisation on episode_tally (organisation_id);
select isolate('episode_tally');
create view episode_count with (security_invoker) as
  select organisation_id, queue, severity, technical, owned, snoozed, sum(step)::bigint as open
  from episode_tally group by 1, 2, 3, 4, 5, 6 having sum(step) <> 0;
grant select on episode_count to tidings_web, tidings_worker;
create function tally(e episode, step integer) returns void language sql as $$
  insert into episode_tally values
    (e.organisation_id, e.queue, e.severity, e.technical, e.owner_id is not null, e.snoozed_until is not null, step)
$$;
create function keep_tally() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ begin
  if tg_op = 'UPDATE' then
    if (old.queue, old.severity, old.technical, old.owner_id is null, old.snoozed_until is null, old.closed_at is null)
       = (new.queue, new.severity, new.technical, new.owner_id is null, new.snoozed_until is null, new.closed_at is null)
    then return null; end if;
  end if;
  if tg_op <> 'INSERT' and old.closed_at is null then perform tally(old, -1); end if;
  if tg_op <> 'DELETE' and new.closed_at is null then perform tally(new, 1); end if;
  return null;
end $$;
create trigger episode_tallied after insert or update or delete on episode for each row execute function keep_tally();
create function settle_tally() returns void language sql as $$
  with gone as (delete from episode_tally returning *)
  insert into episode_tally
    select organisation_id, queue, severity, technical, owned, snoozed, sum(step) from gone
    group by 1, 2, 3, 4, 5, 6 having sum(step) <> 0
$$;

-- asking the patient ----------------------------------------------------------------------------
-- "sit, wait five minutes, measure again": what was asked, until when, and how it ended
create table remeasure_request (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  rule_id text not null,
  reading_id uuid not null,
  metric text not null,
  measured_at timestamptz not null,
  asked_at timestamptz not null,
  measure_after timestamptz not null,
  due_at timestamptz not null,                  -- the unconfirmed branch fires here
  patient_message text not null default '',     -- id of a pre-approved text
  state text not null default 'asked' check (state in ('asked', 'answered', 'unanswered')),
  asked_again_at timestamptz,
  ended_at timestamptz,
  unique (patient_id, rule_id, reading_id)
);
create index remeasure_due on remeasure_request (due_at) where state = 'asked';
create index remeasure_patient on remeasure_request (patient_id, asked_at desc);
select isolate('remeasure_request');

create table symptom_request (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  rule_id text not null,
  reading_id uuid not null,
  questionnaire text not null,
  asked_at timestamptz not null,
  answered_at timestamptz,
  unique (patient_id, questionnaire, reading_id)
);
create index symptom_request_open on symptom_request (patient_id, asked_at desc) where answered_at is null;
select isolate('symptom_request');

-- one answered item of a questionnaire; a symptom question counts as yes when value >= 1
create table survey_answer (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  questionnaire text not null,                  -- phq_9, bp_emergency_symptoms, ...
  item text not null,                           -- LOINC or our own item id
  value double precision not null,
  answered_at timestamptz not null,
  received_at timestamptz not null default clock_timestamp()
);
create index survey_answer_patient on survey_answer (patient_id, answered_at desc);
select isolate('survey_answer');
create function evaluate_answer() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ begin
  insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, received_at)
    values (new.organisation_id, new.patient_id, new.id, 'survey', new.answered_at, new.received_at);
  perform pg_notify('tidings_evaluate', '');
  return null;
end $$;
create trigger evaluate_answer after insert on survey_answer for each row execute function evaluate_answer();

-- evaluation ------------------------------------------------------------------------------------
-- rows that could not be judged, with the error, until operations have looked
create table evaluation_failure (
  id bigint generated always as identity primary key,
  organisation_id uuid not null,
  patient_id uuid not null,
  failed_at timestamptz not null default clock_timestamp(),
  rows jsonb not null,                          -- the to_evaluate rows, ids only
  error text not null,
  resolved_at timestamptz
);
select isolate('evaluation_failure');

-- which local day of a patient the absence rules have looked at
create table absence_check (
  patient_id uuid primary key references patient,
  organisation_id uuid not null,
  checked_on date not null
);
select isolate('absence_check');

-- messages to patients that a rule asks for; pre-approved texts only, sent by the portal or a channel
create table patient_nudge (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  rule_id text not null,
  message text not null,                        -- id of a pre-approved text
  channel text not null default 'portal',
  for_on date not null,
  created_at timestamptz not null,
  sent_at timestamptz,
  unique (patient_id, rule_id, for_on)
);
select isolate('patient_nudge');

-- on call ---------------------------------------------------------------------------------------
create table office_hours (
  organisation_id uuid primary key references organisation,
  opens time not null default '08:00',
  closes time not null default '17:00',
  days smallint[] not null default '{1,2,3,4,5}',
  country text not null default 'US',
  subdivision text,
  extra_holidays date[] not null default '{}'
);
select isolate('office_hours');

create table rota (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  name text not null,
  time_zone text not null,
  programmes text[] not null default '{}',      -- empty: every programme of the organisation
  unique (organisation_id, name)
);
select isolate('rota');

-- the lowest layer whose hours hold at the moment is on call, unless an override covers it
create table rota_layer (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  rota_id uuid not null references rota,
  duty text not null,                           -- primary_on_call, secondary_on_call, charge_nurse, supervising_provider, medical_director
  layer smallint not null default 1,
  members uuid[] not null,                      -- staff, in rotation order
  starts_at timestamp not null,                 -- first hand-off, wall clock of the rota
  turn interval not null default '7 days',
  from_time time,                               -- null: round the clock
  to_time time,
  days smallint[] not null default '{1,2,3,4,5,6,7}',
  on_holidays text not null default 'as_usual' check (on_holidays in ('as_usual', 'only', 'never')),
  ends_at timestamp
);
create index rota_layer_rota on rota_layer (rota_id);
select isolate('rota_layer');

create table rota_override (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  rota_id uuid not null references rota,
  duty text not null,
  staff_id uuid not null references staff,
  from_at timestamptz not null,
  to_at timestamptz not null check (to_at > from_at),
  reason text not null default ''
);
create index rota_override_rota on rota_override (rota_id, from_at);
select isolate('rota_override');

-- how a person is reached, first choice first; address is an apprise URL or a webhook
create table contact_channel (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  staff_id uuid references staff,               -- null: the organisation's last resort
  channel text not null,                        -- push, sms, voice, email, webhook
  address text not null,
  position smallint not null default 1,
  secret text not null default '',              -- signs webhooks
  disabled_at timestamptz
);
create index contact_channel_staff on contact_channel (staff_id, position);
select isolate('contact_channel');

-- escalation and delivery -----------------------------------------------------------------------
-- the running clock of one episode at one severity
create table escalation (
  episode_id uuid primary key references episode,
  organisation_id uuid not null,
  severity smallint not null,
  started_at timestamptz not null,
  step smallint not null default 0,             -- steps done
  next_at timestamptz,                          -- null: nothing more to do by itself
  stopped_at timestamptz,
  stop_reason text not null default ''
);
create index escalation_due on escalation (next_at) where stopped_at is null and next_at is not null;
select isolate('escalation');

-- outbox of pages: one row per person to reach
create table page (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  episode_id uuid references episode,           -- null: about the system itself
  incident_id uuid,
  step smallint not null default 0,
  duty text not null,
  staff_id uuid references staff,               -- null: nobody on duty; the last resort is tried
  severity smallint not null,
  channels text[] not null,                     -- in the order to try
  created_at timestamptz not null,
  next_attempt_at timestamptz,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'acknowledged', 'undelivered', 'withdrawn')),
  attempts smallint not null default 0,
  token text not null unique,                   -- in the acknowledgement link
  reply_code text not null,                     -- four digits, unique among the person's unacknowledged pages
  acknowledged_at timestamptz,
  acknowledged_via text,
  taken_until timestamptz                       -- a worker is delivering it; runs out if that worker dies
);
create unique index page_once on page (episode_id, severity, step, duty, created_at);
create index page_due on page (next_attempt_at) where state in ('pending', 'undelivered') and next_attempt_at is not null;
create index page_episode on page (episode_id, created_at);
create index page_reply on page (staff_id, reply_code) where acknowledged_at is null;
select isolate('page');

-- every attempt, written before the call goes out and completed after it; a crash between leaves 'unknown'
create table delivery_attempt (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  page_id uuid not null references page,
  channel text not null,
  attempt smallint not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text not null default 'unknown',      -- unknown, accepted, failed
  detail text not null default ''
);
create index delivery_attempt_page on delivery_attempt (page_id, started_at);
select isolate('delivery_attempt');
-- an address opens one page and nothing else, before an organisation is known (link or reply)
create function page_by_token(wanted text) returns table (
  id uuid, organisation_id uuid, episode_id uuid, staff_id uuid, severity smallint, state text, token text, staff_role text)
  language sql stable security definer set search_path = public, pg_temp as
  $$ select p.id, p.organisation_id, p.episode_id, p.staff_id, p.severity, p.state, p.token, s.role
     from page p left join staff s on s.id = p.staff_id where p.token = wanted $$;

-- the system watches itself ---------------------------------------------------------------------
create table heartbeat (
  name text primary key,                        -- scheduler, worker:<host>:<pid>
  beat_at timestamptz not null,
  detail jsonb not null default '{}'
);
grant select on heartbeat to tidings_web;
grant select, insert, update, delete on heartbeat to tidings_worker;

-- operations' own alarms: no patient in them (scheduler silent, pipeline slow, page undelivered, storm, gateway alone)
create table incident (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid references organisation, -- null: the whole installation
  rule_id text not null,
  subject text not null default '',             -- gateway id, device model, process
  queue text not null default 'ops',            -- ops, tech, identity_review
  severity smallint not null,
  headline text not null,
  why text not null,
  opened_at timestamptz not null,
  last_seen_at timestamptz not null,
  times_seen integer not null default 1,
  owner_id uuid references staff,
  closed_at timestamptz,
  close_reason text not null default ''
);
create unique index incident_open on incident (coalesce(organisation_id, '00000000-0000-0000-0000-000000000000'), rule_id, subject) where closed_at is null;
create index incident_queue on incident (organisation_id, queue, severity) where closed_at is null;
select isolate('incident');
alter table page add foreign key (incident_id) references incident;

-- hand-over of a shift: every open episode of one person, given to another or back to the queue
create table handover (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  from_staff_id uuid not null references staff,
  to_staff_id uuid references staff,
  at timestamptz not null,
  episode_ids uuid[] not null,
  note text not null default ''
);
select isolate('handover');

-- evaluating a reading takes organisation-wide settings; off unless someone switched them on
create table alert_setting (
  organisation_id uuid primary key references organisation,
  personal_trends boolean not null default false,
  set_by uuid references staff,
  set_at timestamptz
);
select isolate('alert_setting');

-- what-if replays that the staff application asks for; an alert process runs them one at a time
create table replay_run (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  asked_by uuid references staff,
  asked_at timestamptz not null default clock_timestamp(),
  draft_id uuid references rule_draft,
  draft jsonb not null default '{}',            -- rule id -> changed fields, or {"disabled": true}
  days integer not null check (days between 1 and 365),
  patients integer,                             -- null: all; a small number answers within a second or two
  state text not null default 'asked' check (state in ('asked', 'running', 'done', 'failed')),
  taken_until timestamptz,                      -- runs out if the process dies; then another begins again
  done integer not null default 0,
  total integer not null default 0,
  result jsonb,
  error text not null default '',
  ended_at timestamptz
);
create index replay_run_asked on replay_run (asked_at) where state in ('asked', 'running');
select isolate('replay_run');
