-- name: organisation
insert into organisation (id, name, time_zone) values (%(id)s, %(name)s, %(time_zone)s)
on conflict (id) do nothing returning id;

-- name: staff
insert into staff (id, organisation_id, email, display_name, credential, role, npi, password_hash)
values (%(id)s, %(organisation)s, %(email)s, %(name)s, %(credential)s, %(role)s, %(npi)s, %(password_hash)s);

-- name: care_team
insert into care_team (id, organisation_id, name) values (%(id)s, %(organisation)s, %(name)s);

-- name: care_team_member
insert into care_team_member (care_team_id, staff_id, organisation_id, role)
values (%(team)s, %(staff)s, %(organisation)s, %(role)s);

-- name: patient
insert into patient (id, organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone,
  language, phone, site, allergies, conditions, traits, care_team_id)
values (%(id)s, %(organisation)s, %(mrn)s, %(family)s, %(given)s, %(born)s, %(sex)s, %(time_zone)s,
  %(language)s, %(phone)s, %(site)s, %(allergies)s, %(conditions)s, %(traits)s, %(team)s);

-- name: enrolment
insert into enrolment (organisation_id, patient_id, programme, programme_version, profiles, care_team_id, enrolled_at)
values (%(organisation)s, %(patient)s, %(programme)s, %(version)s, %(profiles)s, %(team)s, %(at)s);

-- name: schedule
insert into measurement_schedule (organisation_id, patient_id, kind, times_per_day, from_on)
values (%(organisation)s, %(patient)s, %(kind)s, %(times)s, %(from_on)s);

-- name: treatment_change
insert into treatment_change (organisation_id, patient_id, at, what)
values (%(organisation)s, %(patient)s, %(at)s, %(what)s);

-- name: gateway
insert into gateway (id, organisation_id, site, label) values (%(id)s, %(organisation)s, %(site)s, %(label)s);

-- name: device
insert into device (id, organisation_id, model, kinds, serial, gateway_id, battery)
values (%(id)s, %(organisation)s, %(model)s, %(kinds)s, %(id)s, %(gateway)s, %(battery)s);

-- name: assignment
insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)
values (%(organisation)s, %(device)s, %(patient)s, %(at)s);

-- name: readings_arrive
-- 90 days at once: COPY into a table of this transaction, then the two real ones
create temporary table arriving (
  reading_id uuid, device_id text, kind text, measured_at timestamptz, value double precision,
  diastolic double precision, mean_arterial double precision, pulse double precision, flags text[],
  device_time timestamp, sequence integer, characteristic text, frame bytea,
  patient_id uuid, gateway_id text
) on commit drop;

-- name: readings_copy
copy arriving from stdin with (format binary);

-- name: readings_identify
insert into reading_identity (reading_id) select distinct reading_id from arriving order by 1 on conflict do nothing;

-- name: readings_store
insert into reading (reading_id, organisation_id, patient_id, device_id, gateway_id, kind, measured_at,
  value, diastolic, mean_arterial, pulse, status, flags, time_quality, device_time, gateway_time,
  received_at, clock_offset_s, live, sequence, characteristic, frame)
select reading_id, %(organisation)s, patient_id, device_id, gateway_id, kind, measured_at,
  value, diastolic, mean_arterial, pulse, 'accepted', flags, 'corrected', device_time, measured_at,
  measured_at + interval '2 seconds', 0, true, sequence, characteristic, frame
from arriving order by measured_at;

-- name: readings_to_evaluate
-- the last day goes through the real alert worker: that is where the first worklist comes from
insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, received_at)
select %(organisation)s, patient_id, reading_id, kind, measured_at, measured_at + interval '2 seconds'
from arriving where measured_at > %(since)s order by measured_at;

-- name: first_live
select distinct on (r.kind) r.kind, r.measured_at, r.gateway_time, r.received_at, i.first_stored_at
from reading r join reading_identity i using (reading_id)
where r.gateway_id = any(%(gateways)s) and r.received_at >= %(since)s and r.live
order by r.kind, r.received_at;

-- name: first_alert
select a.headline, r.received_at, min(e.at)
from alert a
join reading r on r.reading_id = any(a.reading_ids)
join alert_event e on e.alert_id = a.id and e.at >= r.received_at
where r.gateway_id = any(%(gateways)s) and r.received_at >= %(since)s
group by a.id, r.reading_id, r.received_at order by 3 limit 1;

-- name: alerted_patients
select distinct p.mrn from alert a join patient p on p.id = a.patient_id
join reading r on r.reading_id = any(a.reading_ids)
where a.closed_at is null and r.gateway_id = any(%(gateways)s);

-- name: how_far
select
  (select count(*) from reading where gateway_id = any(%(gateways)s) and received_at >= %(since)s),
  (select count(*) from quarantine where received_at >= %(since)s),
  (select count(*) from to_evaluate),
  (select count(*) from alert where closed_at is null);

-- name: consent
insert into consent (organisation_id, patient_id, programme, given_at, method, text_version, cost_share_told, one_practitioner_told, recorded_by)
values (%(organisation)s, %(patient)s, 'RPM', %(at)s, 'written', 'RPM consent 2026-01', true, true, %(staff)s);

-- name: order
insert into clinical_order (organisation_id, patient_id, programme, ordered_at, ordering_npi, icd10, goal, recorded_by)
values (%(organisation)s, %(patient)s, 'RPM', %(at)s, %(npi)s, %(icd10)s, 'Measure every morning; call above 160/100', %(staff)s);

-- name: monitoring_episode
insert into monitoring_episode (organisation_id, patient_id, programme, started_on, education_on, education_by, education_note)
values (%(organisation)s, %(patient)s, 'RPM', %(on)s, %(educated_on)s, %(staff)s, 'Patient showed how to measure and when to call.');

-- name: visit
insert into visit (organisation_id, patient_id, on_date, kind, npi) values (%(organisation)s, %(patient)s, %(on)s, 'em', %(npi)s);

-- name: time_entry
insert into time_entry (organisation_id, patient_id, staff_id, staff_role, activity, interactive, mode, with_whom, started_at, ended_at, note, source)
values (%(organisation)s, %(patient)s, %(staff)s, 'nurse', %(activity)s, %(live)s, %(mode)s, %(with)s, %(start)s, %(end)s, %(note)s, 'timer');

-- name: billing_practice
insert into billing_practice (organisation_id, name, npi, tax_id, street, city, state, postal_code, contact, phone, receiver_name, receiver_id, rendering_npi)
values (%(organisation)s, %(name)s, '1234567893', '123456789', '1 SAMPLE STREET', 'ALBANY', 'NY', '122070001',
  'BILLING', '5185550100', 'SAMPLE CLEARING HOUSE', 'CLEARING', %(npi)s);

-- name: coverage
insert into coverage (patient_id, organisation_id, payer_name, payer_id, member_id, street, city, state, postal_code)
values (%(patient)s, %(organisation)s, 'MEDICARE', '13282', %(member)s, '1 SAMPLE STREET', 'ALBANY', 'NY', '122070001');

-- name: fee
insert into fee (organisation_id, code, from_on, amount) values (%(organisation)s, %(code)s, '2025-01-01', %(amount)s);

-- name: rota
insert into rota (id, organisation_id, name, time_zone) values (%(id)s, %(organisation)s, 'Heart and Home', %(time_zone)s)
on conflict do nothing returning id;

-- name: rota_layer
insert into rota_layer (organisation_id, rota_id, duty, members, starts_at)
values (%(organisation)s, %(rota)s, %(duty)s, %(members)s, '2026-01-05 08:00');

-- name: channels_forget
delete from contact_channel where organisation_id = %(organisation)s;

-- name: channel
insert into contact_channel (organisation_id, staff_id, channel, address, secret)
values (%(organisation)s, %(staff)s, 'webhook', %(address)s, 'demo');

-- name: task
insert into task (organisation_id, patient_id, title, due_on, assigned_to, created_by, created_at)
values (%(organisation)s, %(patient)s, %(title)s, %(due)s, %(assigned)s, %(by)s, %(at)s);

-- name: message
insert into patient_message (organisation_id, patient_id, from_staff_id, body, sent_at, read_at)
values (%(organisation)s, %(patient)s, %(by)s, %(text)s, %(at)s, %(read)s);
