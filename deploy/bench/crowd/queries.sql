-- what deploy/bench/web.py fills its database with, and what it asks

-- name: organisation
insert into organisation (name, time_zone) values ('Bench', 'America/New_York') returning id

-- name: staff
insert into staff (organisation_id, email, display_name, credential, role)
select %(organisation)s, 'nurse' || n || '@bench.invalid', 'Nurse' || n || ' Sample', 'RN', 'nurse' from generate_series(1, 40) as n

-- name: sessions
-- One signed-in browser each; the cookie of number n is 'bench-n'.
insert into staff_session (token_hash, staff_id, organisation_id, csrf_token, created_at, last_seen_at, expires_at)
select sha256(convert_to('bench-' || n, 'UTF8')), s.id, s.organisation_id, 'token', now(), now(), now() + interval '1 day'
from generate_series(1, %(sessions)s) as n
join (select *, row_number() over (order by email) as place from staff) as s on s.place = n %% 40 + 1

-- name: wake
-- However long the pages took: nobody's session has ended.
update staff_session set last_seen_at = now()

-- name: teams
-- Twenty teams of nurses; the last is closed to everybody else.
with made as (
  insert into care_team (organisation_id, name, closed)
  select %(organisation)s, 'Team ' || n, n = 20 from generate_series(1, 20) as n returning id, name)
insert into care_team_member (care_team_id, staff_id, organisation_id, role)
select t.id, s.id, s.organisation_id, 'nurse'
from (select *, row_number() over (order by email) as place from staff) as s
join made as t on t.name = 'Team ' || s.place %% 20 + 1

-- name: patients
-- One in fifty has a namesake; one in five hundred is of the closed team; few speak French.
insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone, language, phone, conditions, care_team_id)
select %(organisation)s, n::text, 'Sample' || n %% 5000,
  'P' || case when n %% 100 < 2 then n / 10000 * 2 else n / 5000 end, date '1930-01-01' + n %% 20000, 'female',
  'America/New_York', case when n %% 1000 = 0 then 'fr' when n %% 7 = 0 then 'es' else 'en' end, '505555' || lpad((n %% 10000)::text, 4, '0'),
  array[(array['hypertension', 'heart_failure', 'diabetes', 'copd'])[n %% 4 + 1]], t.id
from generate_series(1, %(patients)s) as n
join (select id, row_number() over (order by closed, name) as place from care_team) as t
  on t.place = case when n %% 500 = 0 then 20 else n %% 19 + 1 end

-- name: enrolments
insert into enrolment (organisation_id, patient_id, programme, programme_version, profiles, enrolled_at)
select organisation_id, id, (array['chronic-care-model', 'pcmh', 'guided-care', 'ideal-life'])[mrn::int %% 4 + 1], '1',
  '{adult_htn,general_vitals}', now() - interval '200 days'
from patient

-- name: episodes
-- Open alerts of the first half of the patients, some late, one in six claimed.
insert into episode (organisation_id, patient_id, queue, severity, worst_severity, technical, headline, why, alert_count, opened_at,
  due_at, owner_id, claimed_at, lease_until, snoozed_until, sparkline, kind)
select p.organisation_id, p.id, case when n %% 12 = 0 then 'outreach' else 'rn_triage' end,
  case when n %% 100 = 0 then 1 when n %% 10 = 0 then 2 when n %% 3 = 0 then 4 else 3 end, 2, n %% 15 = 0, 'BP 165/95',
  'Systolic above 160, twice within 30 minutes', 1 + n %% 2, now() - interval '40 minutes', now() + (n %% 2880 - 240) * interval '1 minute',
  s.id, case when s.id is not null then now() end, case when s.id is not null then now() + interval '15 minutes' end,
  case when n %% 40 = 1 then now() + interval '2 hours' end,
  '{142,138,147,141,150,144,139,152,148,155,160,158,163,165}', 'blood_pressure'
from (select *, mrn::int as n from patient where mrn::int <= %(opened)s) as p
left join (select id, row_number() over (order by email) as place from staff) as s on n %% 6 = 0 and s.place = n %% 40 + 1

-- name: alerts
insert into alert (organisation_id, patient_id, episode_id, rule_id, rule_version, profile, kind, severity, headline, why, raised_at,
  last_breach_at, due_at, computed)
select e.organisation_id, e.patient_id, e.id, 'bp_severe_' || k, 'v1', 'adult_htn',
  case when k = 2 then 'weight' when hashtext(e.id::text) %% 4 = 0 then 'glucose' else 'blood_pressure' end,
  least(e.severity + k - 1, 4), e.headline, e.why, e.opened_at, e.opened_at, e.due_at, '{"value": 165, "limit": 160}'
from episode as e, generate_series(1, e.alert_count) as k

-- name: events
insert into alert_event (organisation_id, episode_id, at, action, reason)
select organisation_id, id, opened_at + k * interval '1 minute', (array['open', 'attach', 'note'])[k], headline
from episode, generate_series(1, 3) as k

-- name: readings
-- Everybody measured a few times; every five hundredth patient four times a day for 90 days.
insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, diastolic, pulse, status,
  time_quality, gateway_time, received_at, characteristic, frame)
select gen_random_uuid(), organisation_id, id, 'cuff' || mrn, 'gw' || mrn, (array['blood_pressure', 'weight', 'glucose', 'spo2'])[k %% 4 + 1],
  now() - k * interval '6 hours', (array[140, 82, 150, 95])[k %% 4 + 1] + (k * 7) %% 11, case when k %% 4 = 0 then 70 + k %% 15 end,
  60 + k %% 31, 'accepted', 'device_synced', now(), now() - k * interval '6 hours', '2A35', '\x001e'
from patient, generate_series(1, case when mrn::int %% 500 = 1 then 360 else 6 end) as k

-- name: busiest
-- Those who measured most: the patients whose pages are opened.
select id from patient where mrn::int %% 500 = 1 order by mrn::int limit %(most)s

-- name: first_page
select e.id from episode as e join patient as p on p.id = e.patient_id join care_team as t on t.id = p.care_team_id
where not t.closed and not e.technical and e.queue = 'rn_triage' and e.owner_id is null and e.snoozed_until is null
order by e.severity, e.due_at, e.id limit %(most)s

-- name: change
-- What an alert worker does when a reading joins an episode.
update episode set alert_count = alert_count + 1, version = version + 1 where id = %(id)s

-- name: tell
select pg_notify('tidings_worklist', json_build_object('episode', %(id)s::uuid, 'organisation', %(organisation)s::uuid,
  'severity', 2, 'new', false)::text)
