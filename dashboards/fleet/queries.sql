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
order by d.last_seen_at nulls first, d.id limit 1000

-- name: quarantine
select count(*) filter (where queue = 'identity_review') as identity, count(*) filter (where queue <> 'identity_review') as technical
from quarantine where organisation_id = current_organisation() and state = 'open'
