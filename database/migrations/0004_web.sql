-- What the staff application keeps: drafts, time beats and entries, saved views, tasks, messages.

-- Equality on a stored column is leakproof, so row-level security lets the index be used;
-- lower(name) would be compared row by row behind the barrier.
alter table patient add column name_key text not null
  generated always as (lower(family_name) || '/' || lower(given_name)) stored;
create index patient_name_key on patient (organisation_id, name_key);

-- Searching people: inside the barrier, so that the pattern can use an index.
create function find_patients(wanted text, most integer) returns setof patient
  language sql stable security definer set search_path = public, pg_temp as $$
  select * from patient
  where organisation_id = current_organisation()
    and (lower(family_name) like lower(wanted) || '%'
      or lower(given_name) like lower(wanted) || '%'
      or name_key like replace(lower(wanted), ', ', '/') || '%'
      or replace(mrn, ' ', '') ilike '%' || replace(wanted, ' ', '') || '%'
      or to_char(birth_date, 'YYYY-MM-DD') = wanted
      or to_char(birth_date, 'MM/DD/YYYY') = wanted
      or (length(regexp_replace(wanted, '\D', '', 'g')) >= 4
          and regexp_replace(phone, '\D', '', 'g') like '%' || regexp_replace(wanted, '\D', '', 'g') || '%'))
  order by family_name, given_name, birth_date
  limit most
$$;

-- a half-written note survives an expired session, a closed browser, a crash
create table note_draft (
  staff_id uuid not null references staff,
  episode_id uuid not null references episode,
  organisation_id uuid not null references organisation,
  outcome text not null default '',
  note text not null default '',
  saved_at timestamptz not null,
  primary key (staff_id, episode_id)
);
select isolate('note_draft');

-- named queries over the worklist, one's own or the team's
create table saved_view (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  staff_id uuid not null references staff,
  name text not null,
  query text not null,
  shared boolean not null default false,
  unique (staff_id, name)
);
select isolate('saved_view');

-- time: what the browser said, as it said it; never changed
create table time_beat (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references organisation,
  staff_id uuid not null references staff,
  patient_id uuid not null references patient,
  timer_id uuid not null,                       -- one opening of one patient
  event text not null,                          -- start, pause, resume, stop, call_start, call_end
  reason text not null default '',              -- idle, hidden, other_patient, manual, resolved, lost
  at timestamptz not null
);
create index time_beat_timer on time_beat (timer_id, id);
create index time_beat_staff on time_beat (staff_id, at desc);
select isolate('time_beat');
select append_only('time_beat');
revoke update, delete on time_beat from tidings_web, tidings_worker;

-- the timer that a person has running: one at most, whatever the tabs do
create table time_running (
  staff_id uuid primary key references staff,
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  timer_id uuid not null,
  since timestamptz,                            -- null: paused
  last_beat_at timestamptz not null,
  seconds double precision not null default 0   -- counted before `since`
);
select isolate('time_running');

-- what billing counts: an interval of one person's work for one patient
create table time_entry (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  staff_id uuid not null references staff,
  staff_role text not null,                     -- at that time: nurse, provider, ...
  programme text not null default 'rpm',
  activity text not null,                       -- review, live_contact, documentation, care_plan, coordination
  interactive boolean not null default false,   -- two-way audio, video or in person
  mode text,                                    -- audio, video, in_person
  with_whom text,                               -- patient, caregiver
  started_at timestamptz not null,
  ended_at timestamptz not null,
  seconds integer not null generated always as (floor(extract(epoch from (ended_at - started_at)))::integer) stored,  -- all of it active: a pause ends an entry
  note text not null,
  source text not null,                         -- timer, manual
  timer_id uuid,
  episode_id uuid references episode,
  replaces uuid references time_entry,          -- a correction keeps the original
  replaced_at timestamptz,
  correction_reason text,
  created_at timestamptz not null default now(),
  check (ended_at > started_at)
);
create index time_entry_patient on time_entry (patient_id, started_at);
create index time_entry_staff on time_entry (staff_id, started_at);
select isolate('time_entry');

-- one row of the worklist; the reader's own row-level security applies
create view worklist_row with (security_invoker = true) as
  select e.id, e.organisation_id, e.queue, e.patient_id, e.severity, e.technical, e.headline, e.why, e.alert_count,
         e.opened_at, e.due_at, e.owner_id, s.display_name as owner_name, e.claimed_at, e.lease_until,
         e.snoozed_until, e.snooze_reason, e.sparkline, e.closed_at, e.version,
         p.family_name, p.given_name, p.birth_date, p.sex, p.mrn, p.language, p.care_team_id, p.conditions, p.traits, coalesce(p.time_zone, 'UTC') as time_zone,
         e.kind, e.waiting, e.cosign_due_at, coalesce(n.profiles, '{}') as profiles, coalesce(n.programmes, '{}') as programmes,
         exists (select from patient o
                 where o.organisation_id = p.organisation_id and o.name_key = p.name_key and o.id <> p.id) as same_name
  from episode e
  join patient p on p.id = e.patient_id
  left join staff s on s.id = e.owner_id
  left join lateral (select array_agg(distinct profile) as profiles, array_agg(distinct n.programme) as programmes
                     from enrolment n left join lateral unnest(n.profiles) profile on true
                     where n.patient_id = e.patient_id and n.ended_at is null) n on true;
grant select on worklist_row to tidings_web, tidings_worker;

-- a sign-in that has given its password and still owes its code
alter table staff_session add column awaiting_code boolean not null default false;
-- the last time step whose code was used: a code works once
alter table staff add column totp_last_step bigint;

-- something to be done for a patient, by somebody, by some day
create table task (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  title text not null check (title <> ''),
  due_on date not null,
  assigned_to uuid references staff,            -- null: the team's
  created_by uuid not null references staff,
  created_at timestamptz not null,
  done_by uuid references staff,
  done_at timestamptz
);
create index task_open on task (organisation_id, due_on) where done_at is null;
create index task_patient on task (patient_id, due_on);
select isolate('task');

-- the conversation with a patient; what was said is never changed
create table patient_message (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  patient_id uuid not null references patient,
  from_staff_id uuid references staff,          -- null: from the patient
  body text not null check (body <> ''),
  sent_at timestamptz not null,
  read_at timestamptz
);
create index patient_message_thread on patient_message (patient_id, sent_at);
create index patient_message_unread on patient_message (organisation_id, sent_at) where from_staff_id is null and read_at is null;
select isolate('patient_message');

-- access for programs: a hashed token with scopes, on behalf of a member of staff
create table api_token (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  token_hash bytea not null unique,
  name text not null,
  scopes text[] not null,
  staff_id uuid not null references staff,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz
);
select isolate('api_token');
-- the token is looked up before an organisation is known: one row by its hash, nothing else
create function api_token_calling(hash bytea) returns setof api_token
  language sql stable security definer set search_path = public, pg_temp as
  $$ select * from api_token where token_hash = hash and revoked_at is null $$;
