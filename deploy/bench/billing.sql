-- what deploy/bench/billing.py fills its database with: so many patients' October 2026, a reading a day, ten entries each
-- part
insert into organisation (name, time_zone) values ('Bench', 'America/New_York') returning id
-- part
insert into billing_practice (organisation_id, name, npi, rendering_npi, place_of_service)
values (%(organisation)s, 'Bench', '1234567893', '1245319599', '11')
-- part
insert into staff (organisation_id, email, display_name, credential, role)
select %(organisation)s, 's' || n || '@bench.example', 'Nurse ' || n, case when n %% 5 = 0 then 'MD' else 'RN' end, 'nurse'
from generate_series(0, %(staff)s - 1) as n
-- part
insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone, conditions)
select %(organisation)s, n::text, 'Sample' || n %% 997, 'P' || n, '1950-01-01', 'female',
  (array['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles'])[1 + n %% 4],
  case when n %% 3 = 0 then array['hypertension', 'diabetes'] else array['hypertension'] end
from generate_series(0, %(patients)s - 1) as n
-- part
insert into enrolment (organisation_id, patient_id, programme, programme_version, enrolled_at)
select organisation_id, id, 'pcmh', '1', '2026-09-20' from patient
-- part
insert into visit (organisation_id, patient_id, on_date, kind) select organisation_id, id, '2026-09-01', 'em' from patient where mrn::int %% 100 > 0
-- part
insert into consent (organisation_id, patient_id, programme, given_at, method, cost_share_told, one_practitioner_told)
select organisation_id, id, programme, '2026-09-20 15:00Z', 'verbal_documented', true, true
from patient, unnest(array['RPM', 'CCM']) as programme where programme = 'RPM' or mrn::int %% 3 = 0
-- part
insert into clinical_order (organisation_id, patient_id, programme, ordered_at, ordering_npi, icd10)
select organisation_id, id, 'RPM', '2026-09-20 15:05Z', '1245319599', '{I10}' from patient
-- part
insert into monitoring_episode (organisation_id, patient_id, programme, started_on, education_on)
select organisation_id, id, 'RPM', '2026-10-01', '2026-10-01' from patient
-- part
insert into care_fact (organisation_id, patient_id, name, value, on_date)
select organisation_id, id, 'comprehensive_care_plan', 'true', '2026-09-20' from patient where mrn::int %% 3 = 0
-- part
insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at, value, diastolic, status,
  time_quality, gateway_time, received_at, characteristic, frame)
select gen_random_uuid(), organisation_id, id, 'cuff' || mrn, 'gw' || mrn, 'blood_pressure', at, 128, 78, 'accepted',
  'device_synced', at + interval '1 minute', at + interval '2 minutes', '2A35', ''
from patient, generate_series(0, 29) as day,
  lateral (select '2026-10-01 14:00Z'::timestamptz + day * interval '1 day' + (mrn::int * 7 + day * 13) %% 240 * interval '1 minute' as at)
where (mrn::int * 31 + day * 17) %% 100 < 30 + mrn::int %% 4 * 25
-- part
insert into time_entry (organisation_id, patient_id, staff_id, staff_role, programme, activity, interactive, mode, started_at, ended_at, note, source)
select p.organisation_id, p.id, s.id, 'nurse', case when entry = 9 and mrn::int %% 3 = 0 then 'ccm' else 'rpm' end,
  case when entry %% 4 = 0 then 'live_contact' else 'review' end, entry %% 4 = 0, case when entry %% 4 = 0 then 'audio' end,
  at, at + (60 + (mrn::int * 37 + entry * 53) %% 360) * interval '1 second', 'Looked at the readings of patient ' || mrn || ', entry ' || entry, 'timer'
from patient p join (select id, row_number() over (order by email) - 1 as place from staff) s on s.place = mrn::int %% %(staff)s,
  generate_series(0, 9) as entry,
  lateral (select '2026-10-02 13:00Z'::timestamptz + entry * interval '3 days' + mrn::int / %(staff)s * interval '8 minutes' as at)
-- part
analyze
