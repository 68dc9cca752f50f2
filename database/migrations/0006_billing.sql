-- Billing: who bills, each patient's month, claim lines with their evidence, files that left, answers.

create table billing_practice (
  organisation_id uuid primary key references organisation,
  name text not null,
  npi text not null,
  tax_id text not null default '',
  street text not null default '',
  city text not null default '',
  state text not null default '',
  postal_code text not null default '',
  contact text not null default '',
  phone text not null default '',
  receiver_name text not null default '',
  receiver_id text not null default '',         -- the clearing house
  rendering_npi text not null default '',
  place_of_service text not null default '11'
);
select isolate('billing_practice');

create table coverage (
  patient_id uuid primary key references patient,
  organisation_id uuid not null references organisation,
  payer_name text not null,
  payer_id text not null,
  overlay text not null default '',             -- payer of a rule overlay; empty: none
  filing text not null default 'MB',
  member_id text not null,
  street text not null default '',
  city text not null default '',
  state text not null default '',
  postal_code text not null default ''
);
select isolate('coverage');

create table fee (
  organisation_id uuid not null references organisation,
  code text not null,
  from_on date not null,
  amount numeric(12, 2) not null check (amount >= 0),
  primary key (organisation_id, code, from_on)
);
select isolate('fee');

create table billing_month (
  organisation_id uuid not null references organisation,
  first date not null check (extract(day from first) = 1),
  state text not null default 'collecting',     -- collecting, ready, locked, exported, answered
  signed_by text not null default '',
  exports integer not null default 0,
  evaluated_at timestamptz,
  primary key (organisation_id, first)
);
select isolate('billing_month');

-- what happened to a month, in order
create table billing_step (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references organisation,
  first date not null,
  action text not null,
  by_whom text not null,
  at timestamptz not null,
  note text not null default ''
);
create index billing_step_month on billing_step (organisation_id, first, id);
select isolate('billing_step');
select append_only('billing_step');
revoke update, delete on billing_step from tidings_web, tidings_worker;

-- one patient's month as it was judged last; `facts` is the case, from which everything follows again
create table billing_patient (
  organisation_id uuid not null references organisation,
  first date not null,
  patient_id uuid not null references patient,
  sort_key text not null,
  programme text not null default '',
  days integer,
  days_need integer,
  minutes integer,
  minutes_need integer,
  contact_on date,
  codes jsonb not null default '[]',            -- [code, tone]: ready, near
  ready integer not null default 0,
  near text not null default '',                -- minutes, days, contact: the one step that lacks
  blocked text not null default '',             -- consent, order, eligibility
  at_risk boolean not null default false,       -- fewer device days than the lowest tier
  missing text not null default '',
  mend text not null default '',
  facts jsonb not null,
  evaluated_at timestamptz not null,
  primary key (organisation_id, first, patient_id)
);
create index billing_patient_page on billing_patient (organisation_id, first, sort_key, patient_id);
select isolate('billing_patient');

-- A line never changes: its `line_id` is the hash of all it says. What no longer holds stops being current.
create table bill_line (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  first date not null,
  patient_id uuid not null references patient,
  line_id text not null,
  code text not null,
  units integer not null,
  content jsonb not null,                       -- the whole line
  facts jsonb,                                  -- the case it was judged from: kept when the month is locked
  reading_ids uuid[] not null,
  entry_ids uuid[] not null,
  pack text not null,
  pack_version text not null,
  parameter_hash text not null,
  current boolean not null default true,
  locked_at timestamptz,
  exported_at timestamptz,
  review_reason text not null default '',       -- not empty: needs review
  answer jsonb,
  made_at timestamptz not null,
  unique (organisation_id, first, line_id)
);
create index bill_line_patient on bill_line (patient_id, first);
create index bill_line_month on bill_line (organisation_id, first, patient_id) where current;
create index bill_line_readings on bill_line using gin (reading_ids) where locked_at is not null and current;
create index bill_line_entries on bill_line using gin (entry_ids) where locked_at is not null and current;
select isolate('bill_line');

-- a file that left: its bytes, what it says differently from the one before
create table billing_export (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  first date not null,
  number integer,                               -- null: a draft, for looking only
  format text not null,
  name text not null,
  content bytea not null,
  sha256 text not null,
  lines integer not null,
  differences jsonb not null default '[]',
  by_whom text not null,
  at timestamptz not null,
  unique (organisation_id, first, number)
);
select isolate('billing_export');

create table exported_line (
  export_id uuid not null references billing_export,
  bill_line_id uuid not null references bill_line,
  organisation_id uuid not null references organisation,
  primary key (export_id, bill_line_id)
);
select isolate('exported_line');

create table billing_finding (
  id bigint generated always as identity primary key,
  organisation_id uuid not null references organisation,
  first date not null,
  pattern text not null,
  subject text not null,
  number double precision not null,
  most double precision not null,               -- the limit
  ids text[] not null
);
create index billing_finding_month on billing_finding (organisation_id, first, pattern, id);
select isolate('billing_finding');

-- long work with its progress; a beat older than a minute means that its process is gone
create table billing_job (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  first date not null,
  kind text not null,                           -- evaluate, lock, export
  state text not null default 'running',        -- running, done, failed
  done integer not null default 0,
  total integer not null default 0,
  words text not null default '',
  export_id uuid references billing_export,
  by_whom text not null,
  started_at timestamptz not null,
  beat_at timestamptz not null
);
create index billing_job_month on billing_job (organisation_id, first, started_at desc);
select isolate('billing_job');

-- a reading or an entry that is corrected later makes every locked line that rests on it wait for a person
create function note_review(line bill_line, why text) returns void
  language sql security definer set search_path = public, pg_temp as $$
  insert into audit (organisation_id, actor, action, object_kind, object_id, patient_id, detail)
  values (line.organisation_id, 'process:billing', 'needs review', 'bill_line', line.line_id, line.patient_id,
          jsonb_build_object('code', line.code, 'reason', why))
$$;
revoke execute on function note_review(bill_line, text) from public;

create function reading_corrected() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare line bill_line; why text := format('reading %s was corrected (%s)', old.reading_id, new.status);
begin
  for line in update bill_line set review_reason = why
      where locked_at is not null and current and review_reason = '' and reading_ids @> array[old.reading_id] returning * loop
    perform note_review(line, why);
  end loop;
  return null;
end $$;
create trigger reading_corrected after update of status, patient_id, measured_at on reading for each row
  when (old.status is distinct from new.status or old.patient_id is distinct from new.patient_id
        or old.measured_at is distinct from new.measured_at)
  execute function reading_corrected();

create function entry_corrected() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare line bill_line; why text := format('time entry %s was corrected', old.id);
begin
  for line in update bill_line set review_reason = why
      where locked_at is not null and current and review_reason = '' and entry_ids @> array[old.id] returning * loop
    perform note_review(line, why);
  end loop;
  return null;
end $$;
create trigger entry_corrected after update of replaced_at on time_entry for each row
  when (old.replaced_at is null and new.replaced_at is not null) execute function entry_corrected();
