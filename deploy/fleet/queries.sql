-- name: organisation
insert into organisation (name, time_zone) values (%(name)s, 'UTC') returning id

-- name: gateways
insert into gateway (id, organisation_id, site)
select id, %(organisation)s, %(site)s from unnest(%(gateways)s::text[]) as told (id)

-- name: patients
insert into patient (organisation_id, mrn, family_name, given_name, birth_date, sex, time_zone)
select %(organisation)s, id, 'Sample', id, '1950-01-01', 'female', 'UTC' from unnest(%(gateways)s::text[]) as told (id)

-- name: devices
insert into device (id, organisation_id, kinds, gateway_id)
select id, %(organisation)s, array[kind], gateway
from unnest(%(devices)s::text[], %(kinds)s::text[], %(homes)s::text[]) as told (id, kind, gateway)

-- name: assignments
insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)
select device.organisation_id, device.id, patient.id, '2000-01-01'
from device join patient on patient.organisation_id = device.organisation_id and patient.mrn = device.gateway_id
where device.organisation_id = %(organisation)s

-- name: stored
select device_id, encode(frame, 'hex') from reading where organisation_id = %(organisation)s

-- name: count
select (select count(*) from reading where organisation_id = %(organisation)s)
     + (select count(*) from quarantine where organisation_id = %(organisation)s)

-- name: quarantined
select device_id, convert_from(payload, 'UTF8')::json ->> 'frame', reason from quarantine where organisation_id = %(organisation)s
