-- SQL of the benchmarks: a deployment of any size, and what is asked of it.

-- name: clinics
insert into organisation (name, time_zone)
select 'Clinic ' || n, 'UTC' from generate_series(1, %(clinics)s) as n;

-- name: numbered
-- The patients by number, to fill and to find them by.
create table bench_patient as
select n - 1 as number, gen_random_uuid() as id, clinic.id as organisation_id
from generate_series(1, %(patients)s) as n
join (select id, row_number() over (order by id) as number from organisation) as clinic
  on clinic.number = (n - 1) / %(clinic)s + 1;

-- name: patients
insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date, sex)
select id, organisation_id, number::text, 'Sample' || number %% 5000, 'P' || number, '1950-01-01', 'female'
from bench_patient;

-- name: gateways
insert into gateway (id, organisation_id, site) select 'gw' || number, organisation_id, 's' from bench_patient;

-- name: devices
insert into device (id, organisation_id, gateway_id)
select 'cuff' || number, organisation_id, 'gw' || number from bench_patient;

-- name: assignments
insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)
select organisation_id, 'cuff' || number, id, '2020-01-01' from bench_patient;

-- name: episodes
insert into episode (organisation_id, patient_id, severity, headline, why, opened_at, due_at)
select organisation_id, id, 1 + number %% 4, 'BP 183/111', 'Systolic above 180', %(now)s,
  %(now)s::timestamptz + number * interval '1 second'
from bench_patient where number %% %(share)s = 0;

-- name: settle
select settle_tally();

-- name: history_readings
-- Reading n is patient n modulo patients', a day after their last; ids begin with their time.
copy (
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || substr(md5(n::text), 1, 20))::uuid,
    p.organisation_id, p.id, 'cuff' || p.number, 'gw' || p.number, 'blood_pressure'::text, at,
    118.0::float8 + n %% 23, 76.0::float8 + n %% 11, 92.0::float8 + n %% 7, 60.0::float8 + n %% 31,
    'accepted'::text, 'corrected'::text, at, at, '2A35'::text,
    '\x1e7800500060d00707e209150c000048000100'::bytea
  from generate_series(%(first)s, %(last)s) as n
  join bench_patient as p on p.number = n %% %(patients)s
  cross join lateral (
    select %(now)s::timestamptz - (%(each)s - n / %(patients)s) * interval '1 day'
      - (1 - (n %% %(patients)s)::float8 / %(patients)s) * interval '12 hours' as at) as times
  order by n
) to stdout (format binary);

-- name: history_identities
copy (
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || substr(md5(n::text), 1, 20))::uuid
  from generate_series(%(first)s, %(last)s) as n
  cross join lateral (
    select %(now)s::timestamptz - (%(each)s - n / %(patients)s) * interval '1 day'
      - (1 - (n %% %(patients)s)::float8 / %(patients)s) * interval '12 hours' as at) as times
  order by n
) to stdout (format binary);

-- name: into_readings
copy reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, diastolic,
  mean_arterial, pulse, status, time_quality, gateway_time, received_at, characteristic, frame)
from stdin (format binary);

-- name: into_identities
copy reading_identity (reading_id) from stdin (format binary);

-- name: some
-- Patients from all over the deployment.
select id, organisation_id from bench_patient where number %% %(step)s = 0 order by number limit %(most)s;

-- name: become
select set_config('tidings.organisation', %s, false);
