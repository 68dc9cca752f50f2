-- what deploy/bench/alerts.py fills its database with
-- part
insert into enrolment (organisation_id, patient_id, programme, programme_version, profiles, enrolled_at)
select organisation_id, id, 'pcmh', '1', '{adult_htn,adult_dm,general_vitals}', now() - interval '200 days'
from patient where mrn::int < %(last)s
-- part
insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, diastolic, pulse, status,
  time_quality, gateway_time, received_at, characteristic, frame)
select gen_random_uuid(), organisation_id, id, 'cuff' || mrn, 'gw' || mrn, 'blood_pressure', now() - n * interval '12 hours',
  116 + (n * 7) %% 23, 72 + (n * 5) %% 11, 60 + n %% 31, 'accepted', 'device_synced', now(), now() - n * interval '12 hours', '2A35', ''
from patient, generate_series(1, 2 * %(days)s) as n where mrn::int < %(busy)s
-- part
with lines as (
  insert into episode (organisation_id, patient_id, severity, headline, why, opened_at, due_at, alert_count, worst_severity)
  select organisation_id, id, 2 + mrn::int %% 3, 'BP 165/95', 'bench', now() - interval '1 day', now() + interval '1 day', 2, 2
  from patient where mrn::int >= %(last)s
  returning *)
insert into alert (organisation_id, patient_id, episode_id, rule_id, rule_version, severity, headline, why, raised_at, last_breach_at, due_at)
select organisation_id, patient_id, id, 'bench_' || n, 'bench', severity, headline, why, opened_at, opened_at, due_at
from lines, generate_series(1, 2) as n
-- part
with chosen as (
  update enrolment set profiles = '{adult_htn,adult_dm,hf,general_vitals}'
  where patient_id in (select id from patient order by mrn::int limit %(patients)s) returning patient_id, organisation_id),
others as (update enrolment set ended_at = now() - interval '100 days' where patient_id not in (select patient_id from chosen)),
moments as (select c.*, d, now() - d * interval '1 day' as at, (hashtext(c.patient_id::text || d) & 1023) / 1023.0 as luck from chosen c, generate_series(0, 104) as d)
insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, diastolic, pulse, status,
  time_quality, gateway_time, received_at, characteristic, frame)
select gen_random_uuid(), organisation_id, patient_id, 'd', 'g', kind, at - back, value, dia, pulse, 'accepted', 'device_synced', at, at - back, '2A35', ''
from moments, lateral (values
  ('blood_pressure', interval '1 hour', 112 + 40 * luck, 68 + 25 * luck, 60 + 40 * luck),
  ('blood_pressure', interval '11 hours', 110 + 42 * luck, 66 + 26 * luck, 58 + 40 * luck),
  ('glucose', interval '2 hours', 80 + 150 * luck, null, null),
  ('weight', interval '3 hours', 80 + 1.2 * luck, null, null)
) as v(kind, back, value, dia, pulse)
