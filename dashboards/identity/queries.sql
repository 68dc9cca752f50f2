-- name: waiting
-- Open rows of one queue, oldest first.
select id, gateway_id, device_id, reason, detail, payload, gateway_time, received_at, times_seen, queue
from quarantine
where organisation_id = current_organisation() and state = 'open' and queue = %(queue)s
order by received_at limit 100

-- name: candidates
-- Who has or had the device, and whose hub it is: the people a reading may belong to.
select distinct on (p.id) p.id, p.family_name, p.given_name, p.birth_date, p.mrn, p.sex,
       a.device_id, a.user_slot, a.assigned_from, a.assigned_to,
       (select r.value from visible_reading r where r.patient_id = p.id and r.kind = %(kind)s
        and r.status <> 'entered_in_error' order by r.measured_at desc limit 1) as last_value
from device_assignment a join patient p on p.id = a.patient_id
left join device d on d.id = a.device_id
where a.organisation_id = current_organisation()
  and (a.device_id = %(device_id)s or (d.gateway_id is not null and d.gateway_id = %(gateway_id)s))
order by p.id, (a.device_id = %(device_id)s) desc, a.assigned_from desc limit 12

-- name: one_reading
select reading_id, patient_id, kind, measured_at, value, diastolic, status, device_id from visible_reading
where reading_id = %(reading_id)s and patient_id = %(patient_id)s

-- name: mark_artefact
-- As the worker: a reading that never was one; it stays on record, struck through.
update reading set status = 'entered_in_error', flags = array_append(flags, 'artefact')
where reading_id = %(reading_id)s and patient_id = %(patient_id)s and organisation_id = %(organisation_id)s
  and status <> 'entered_in_error'

-- name: judge_again
insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, received_at)
select organisation_id, patient_id, reading_id, kind, measured_at, received_at from reading
where reading_id = %(reading_id)s and organisation_id = %(organisation_id)s

-- name: audit_artefact
insert into audit (organisation_id, at, actor, action, object_kind, object_id, patient_id, detail)
values (%(organisation_id)s, %(now)s, %(actor)s, 'change', 'reading', %(reading_id)s::text, %(patient_id)s,
        jsonb_build_object('what', 'artefact', 'reason', %(reason)s::text))

-- name: kept
select id from quarantine where id = %(id)s and organisation_id = current_organisation()
