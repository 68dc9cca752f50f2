-- name: gateways
-- Hubs with their devices' patients counted; offline ones first.
select g.id, g.label, g.site, g.state, g.last_seen_at, g.revoked_at, g.status,
       count(distinct d.id) as devices, count(distinct a.patient_id) as patients
from gateway g left join device d on d.gateway_id = g.id and d.retired_at is null
left join device_assignment a on a.device_id = d.id and a.assigned_to is null
where g.organisation_id = current_organisation()
group by g.id order by (g.state = 'online'), g.last_seen_at nulls first, g.id limit 500

-- name: devices
-- Devices; `cause` keeps "the hub is offline" apart from "nobody measures".
select d.id, d.model, d.kinds, d.serial, d.firmware, d.battery, d.last_seen_at, d.gateway_id, g.state as gateway_state,
       p.id as patient_id, p.family_name, p.given_name, p.mrn,
       case when a.patient_id is null then 'unassigned'
            when g.id is not null and g.state <> 'online' then 'hub_offline'
            when d.last_seen_at is null then 'never_seen'
            when d.battery <= 20 then 'battery'
            when d.last_seen_at < %(quiet)s then 'not_measuring'
            else 'fine' end as cause
from device d left join gateway g on g.id = d.gateway_id
left join device_assignment a on a.device_id = d.id and a.assigned_to is null
left join patient p on p.id = a.patient_id
where d.organisation_id = current_organisation() and d.retired_at is null
  and (%(gateway)s::text is null or d.gateway_id = %(gateway)s)
order by d.last_seen_at nulls first, d.id limit 1000

-- name: quarantine
select count(*) filter (where queue = 'identity_review') as identity, count(*) filter (where queue <> 'identity_review') as technical
from quarantine where organisation_id = current_organisation() and state = 'open'

-- name: hub
-- One hub: its devices come with `devices`.
select g.id, g.label, g.site, g.state, g.last_seen_at, g.revoked_at, g.enrolled_at, g.status, c.set_at as credential_at,
       (select max(expires_at) from gateway_code o where o.gateway_id = g.id and o.used_at is null and o.expires_at > %(now)s) as code_until
from gateway g left join gateway_credential c on c.gateway_id = g.id
where g.id = %(gateway)s and g.organisation_id = current_organisation()

-- name: orders
select c.id, c.command, c.device_id, c.ordered_at, c.expires_at, c.answered_at, c.ok, c.reason, coalesce(s.display_name, c.ordered_by) as who
from gateway_command c left join staff s on c.ordered_by = 'staff:' || s.id
where c.gateway_id = %(gateway)s and c.organisation_id = current_organisation() order by c.ordered_at desc limit 20

-- name: device_known
select d.id from device d where d.id = %(device)s and d.organisation_id = current_organisation() and d.retired_at is null

-- name: unassign
-- Readings from now on belong to nobody until somebody is named.
update device_assignment set assigned_to = %(now)s
where device_id = %(device)s and organisation_id = current_organisation() and assigned_to is null and assigned_from < %(now)s

-- name: assign
insert into device_assignment (organisation_id, device_id, patient_id, assigned_from)
select current_organisation(), %(device)s, p.id, %(now)s from patient p
where p.organisation_id = current_organisation() and replace(p.mrn, ' ', '') = %(mrn)s returning patient_id
