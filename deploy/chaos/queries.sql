-- SQL of the faults: a clinic whose readings wait, and what was made of them.

-- name: organisation
insert into organisation (name, time_zone) values ('Synthetic Clinic', 'America/Denver') returning id

-- name: patients
with made as (
  insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone, conditions)
  select %(organisation)s, n::text, 'TEST', 'Synthetic', %(born)s, 'female', 'America/Denver', '{heart_failure}'
  from generate_series(1, %(patients)s) as n returning id),
enrolled as (
  insert into enrolment (organisation_id, patient_id, programme, programme_version, profiles, enrolled_at)
  select %(organisation)s, id, 'pcmh', '1', %(profiles)s, %(now)s::timestamptz - interval '60 days' from made)
select id from made order by id

-- name: readings
insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, status, time_quality,
  gateway_time, received_at, characteristic, frame)
select id, %(organisation)s, patient, 'd', 'g', kind, at, value, 'accepted', 'device_synced', at, at, '2A18', ''
from unnest(%(ids)s::uuid[], %(patients)s::uuid[], %(kinds)s::text[], %(values)s::float8[], %(ats)s::timestamptz[])
  as r(id, patient, kind, value, at)

-- name: queue
insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, received_at)
select %(organisation)s, patient, id, kind, at, at
from unnest(%(ids)s::uuid[], %(patients)s::uuid[], %(kinds)s::text[], %(values)s::float8[], %(ats)s::timestamptz[])
  as r(id, patient, kind, value, at)

-- name: waiting
select count(*) from to_evaluate

-- name: standing
-- open alerts with ground: severity, words, and the readings behind them
select a.patient_id, a.rule_id, a.severity, a.headline, a.why, array_agg(b.reading_id order by b.reading_id)
from alert a join alert_breach b on b.alert_id = a.id and b.standing
where a.closed_at is null and a.organisation_id = %(organisation)s group by a.id

-- name: record
select a.patient_id, a.rule_id, e.reason, e.detail ->> 'reading' from alert_event e join alert a on a.id = e.alert_id order by e.id

-- name: audited
select a.patient_id, a.rule_id, u.detail ->> 'action' from audit u join alert a on a.id = (u.detail ->> 'alert')::uuid
where u.actor = 'process:alerts' order by u.id

-- name: broken
select patient_id from alert where closed_at is null group by patient_id, rule_id having count(*) > 1
union all
select patient_id from episode where closed_at is null and not technical group by patient_id having count(*) > 1
union all
select e.patient_id from episode e join alert a on a.episode_id = e.id and a.closed_at is null
group by e.id having e.severity <> min(a.severity) or e.alert_count <> count(*)
