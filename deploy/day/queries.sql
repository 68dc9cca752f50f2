-- SQL of the synthetic day: a clinic, its readings, and the sums of the day.

-- name: organisation
insert into organisation (name, time_zone) values ('Synthetic Clinic', 'America/Denver') returning id

-- name: staff
insert into staff (organisation_id, email, display_name, role) values (%(organisation)s, %(name)s || '@example.org', %(name)s, %(role)s)
returning id

-- name: rota
insert into rota (organisation_id, name, time_zone) values (%(organisation)s, 'Synthetic rota', 'America/Denver') returning id

-- name: layer
insert into rota_layer (organisation_id, rota_id, duty, members, starts_at)
values (%(organisation)s, %(rota)s, %(duty)s, %(members)s, '2026-01-05 08:00')

-- name: channel
insert into contact_channel (organisation_id, staff_id, channel, address, position)
select %(organisation)s, %(staff)s, channel, channel || ':' || %(staff)s, place
from unnest(array['push', 'sms', 'voice']) with ordinality as c(channel, place)

-- name: patients
with given as (
  select * from unnest(%(ids)s::uuid[], %(mrns)s::text[], %(profiles)s::text[], %(conditions)s::text[]) as p(id, mrn, profile, condition)),
made as (
  insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone, conditions)
  select id, %(organisation)s, mrn, 'TEST', 'Synthetic', '1955-01-01', 'female', 'America/Denver',
         case when condition = '' then '{}'::text[] else array[condition] end from given)
insert into enrolment (organisation_id, patient_id, programme, programme_version, profiles, enrolled_at)
select %(organisation)s, id, 'pcmh', '1', array[profile], %(since)s from given

-- name: readings
-- stored as ingest does; those of the day are also queued
with came as (
  insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, diastolic, status,
    time_quality, gateway_time, received_at, characteristic, frame)
  select id, %(organisation)s, patient, 'd', 'g', kind, at, value, nullif(dia, 0), 'accepted', 'device_synced', at, at, '2A35', ''
  from unnest(%(ids)s::uuid[], %(patients)s::uuid[], %(kinds)s::text[], %(values)s::float8[], %(dias)s::float8[], %(ats)s::timestamptz[])
    as r(id, patient, kind, value, dia, at)
  returning *)
insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, received_at)
select organisation_id, patient_id, reading_id, kind, measured_at, received_at from came where %(queued)s

-- name: to_measure_again
select id, patient_id, metric from remeasure_request
where state = 'asked' and measure_after <= %(now)s and measure_after > %(now)s::timestamptz - %(step)s::interval

-- name: to_sign
select id from episode where cosign_due_at is not null and cosigned_at is null

-- name: page_tokens
select id, token from page where id = any(%(ids)s)

-- name: raised
select worst_severity, count(*), count(*) filter (where closed_at is not null), count(*) filter (where acknowledged_at is not null),
  percentile_cont(0.5) within group (order by extract(epoch from acknowledged_at - opened_at) / 60) filter (where acknowledged_at is not null),
  percentile_cont(0.9) within group (order by extract(epoch from acknowledged_at - opened_at) / 60) filter (where acknowledged_at is not null),
  count(*) filter (where coalesce(acknowledged_at, %(now)s) > due_at)
from episode where not technical group by 1 order by 1

-- name: totals
select (select count(*) from reading where measured_at >= %(start)s), (select count(*) from alert where not technical),
  (select count(*) from to_evaluate) + (select count(*) from evaluation_failure),
  (select count(*) from episode where closed_at is null and owner_id is null and snoozed_until is null and due_at < %(now)s),
  (select count(*) from episode where closed_at is null and owner_id is null and severity <= 2),
  (select count(*) from episode where closed_at is null),
  (select count(*) from incident where closed_at is null),
  (select count(*) from handover)

-- name: escalations
select duty, count(*), count(acknowledged_at) from page group by 1 order by 2 desc, 1
