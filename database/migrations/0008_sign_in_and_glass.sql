-- Passkeys, single sign-on, closed care teams and how their glass is broken.

-- sessions can be named without their token
alter table staff_session add column id uuid not null default gen_random_uuid() unique;

create table passkey (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  staff_id uuid not null references staff,
  credential_id bytea not null unique,
  public_key bytea not null,
  sign_count bigint not null,
  name text not null check (name <> ''),
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkey_staff on passkey (staff_id);
select isolate('passkey');
-- a passkey is looked up before an organisation is known: one row by its id, nothing else
create function passkey_calling(wanted bytea) returns table (
    passkey_id uuid, public_key bytea, sign_count bigint, staff_id uuid, organisation_id uuid)
  language sql stable security definer set search_path = public, pg_temp as
  $$ select k.id, k.public_key, k.sign_count, k.staff_id, k.organisation_id
     from passkey k join staff s on s.id = k.staff_id
     where k.credential_id = wanted and s.disabled_at is null $$;

-- who somebody is for an identity provider
create table staff_identity (
  issuer text not null,
  subject text not null,
  organisation_id uuid not null references organisation,
  staff_id uuid not null references staff,
  since timestamptz not null,
  primary key (organisation_id, issuer, subject)
);
create index staff_identity_staff on staff_identity (staff_id);
select isolate('staff_identity');

-- what a sign-in under way must come back with; usable once. Nobody reads the table but these two.
create table sign_in_challenge (
  key_hash bytea primary key,
  kept jsonb not null,
  expires_at timestamptz not null
);
create index sign_in_challenge_expiry on sign_in_challenge (expires_at);
create function keep_challenge(hash bytea, what jsonb, until timestamptz, at timestamptz) returns void
  language sql volatile security definer set search_path = public, pg_temp as $$
  delete from sign_in_challenge where expires_at < at;
  insert into sign_in_challenge values (hash, what, until)
$$;
create function take_challenge(hash bytea, at timestamptz) returns jsonb
  language sql volatile security definer set search_path = public, pg_temp as
  $$ delete from sign_in_challenge where key_hash = hash and expires_at > at returning kept $$;
revoke execute on function keep_challenge, take_challenge from public;
grant execute on function keep_challenge, take_challenge to tidings_web;

-- A closed team's patients are for its members only; other clinical staff must break the glass.
alter table care_team add column closed boolean not null default false;

create table break_glass (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references organisation,
  staff_id uuid not null references staff,
  patient_id uuid not null references patient,
  cause text not null,                          -- emergency, covering, asked_by_patient, other
  reason text not null check (length(reason) >= 10),
  opened_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  reviewed_by uuid references staff,
  reviewed_at timestamptz,
  justified boolean,
  review_note text,
  check (expires_at > opened_at),
  check ((reviewed_by is null) = (reviewed_at is null) and (reviewed_by is null) = (review_note is null)),
  check (reviewed_by <> staff_id)
);
create index break_glass_live on break_glass (staff_id, expires_at);
create index break_glass_review on break_glass (organisation_id, opened_at desc);
select isolate('break_glass');

-- Who is held to the teams, and when: set by the web process for staff who may break the glass.
create function held_staff() returns uuid language sql stable as
  $$ select nullif(current_setting('tidings.staff', true), '')::uuid $$;

-- Patients whom the person of this transaction must not see.
create function shut_patients() returns setof uuid
  language sql stable security definer rows 10 set search_path = public, pg_temp as $$
  select p.id from care_team t join patient p on p.care_team_id = t.id
  where t.closed and t.organisation_id = current_organisation() and held_staff() is not null
    and not exists (select from care_team_member m where m.care_team_id = t.id and m.staff_id = held_staff())
    and not exists (select from break_glass g
                    where g.staff_id = held_staff() and g.patient_id = p.id and g.ended_at is null
                      and g.expires_at > nullif(current_setting('tidings.now', true), '')::timestamptz)
$$;

-- Enough of such a patient to be sure whose glass it is; never beyond the organisation.
create function behind_glass(wanted uuid) returns table (
    id uuid, mrn text, family_name text, given_name text, birth_date date, sex text, team_name text)
  language sql stable security definer set search_path = public, pg_temp as $$
  select p.id, p.mrn, p.family_name, p.given_name, p.birth_date, p.sex, t.name
  from patient p join care_team t on t.id = p.care_team_id
  where p.id = wanted and p.organisation_id = current_organisation() and p.id in (select shut_patients())
$$;
create function glass_of_episode(wanted uuid) returns uuid
  language sql stable security definer set search_path = public, pg_temp as $$
  select patient_id from episode
  where id = wanted and organisation_id = current_organisation() and patient_id in (select shut_patients())
$$;

create function hold_to_teams(relation regclass, patient name default 'patient_id') returns void language plpgsql as $$ begin
  execute format('create policy closed_teams on %s as restrictive to tidings_web using (%I is null or %I not in (select shut_patients()))', relation, patient, patient);
end $$;

-- from now on isolating a table with patients in it also holds it to the teams
create or replace function isolate(relation regclass) returns void language plpgsql as $$ begin
  execute format('alter table %s enable row level security', relation);
  execute format('create policy organisation_isolation on %s to tidings_web using (organisation_id = current_organisation()) with check (organisation_id = current_organisation())', relation);
  execute format('create policy workers on %s to tidings_worker using (true) with check (true)', relation);
  execute format('grant select, insert, update, delete on %s to tidings_web, tidings_worker', relation);
  if exists (select from pg_attribute where attrelid = relation and attname = 'patient_id' and not attisdropped) then
    perform hold_to_teams(relation);
  end if;
end $$;

-- and those that are there: all but the trail, and the record of broken glass itself
select hold_to_teams('patient', 'id');
select hold_to_teams(c.oid)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'patient_id' and not a.attisdropped
join pg_policy y on y.polrelid = c.oid and y.polname = 'organisation_isolation'
where c.relkind in ('r', 'p') and c.relname not in ('audit', 'break_glass');

create or replace view visible_reading with (security_barrier) as
  select * from reading
  where organisation_id = current_organisation() and patient_id not in (select shut_patients());
