-- name: trail
-- Who did what, newest first, after a cursor; by patient, by person, by action.
select a.id, a.at, a.actor, s.display_name as who, s.role, a.action, a.object_kind, a.object_id, a.patient_id,
       p.family_name, p.given_name, p.mrn, a.detail
from audit a
left join staff s on a.actor = 'staff:' || s.id::text
left join patient p on p.id = a.patient_id
where a.organisation_id = current_organisation()
  and (%(before)s::bigint is null or a.id < %(before)s)
  and (%(patient_id)s::uuid is null or a.patient_id = %(patient_id)s
       or (a.patient_id is null and a.detail -> 'patients' ? %(patient_id)s::text))
  and (%(actor)s::text is null or a.actor = %(actor)s)
  and (%(action)s::text is null or a.action = %(action)s)
order by a.id desc limit %(most)s

-- name: people
select id, display_name from staff where organisation_id = current_organisation() order by display_name

-- name: actions
select distinct action from audit where organisation_id = current_organisation() order by action

-- name: broken
-- The chain, checked again: rows whose hash or whose predecessor does not fit.
select count(*) as rows, count(*) filter (where not fits) as broken, max(at) as last_at from (
  select a.at, a.hash = sha256(coalesce(a.previous_hash, ''::bytea) || convert_to(audit_text(a), 'UTF8'))
         and a.previous_hash is not distinct from lag(a.hash) over (order by a.id) as fits
  from audit a where a.organisation_id = current_organisation()) checked

-- name: verify
-- Every organisation's chain from its first row: what it says, and what it should say.
select o.name, count(*) as rows, count(*) filter (where not fits) as broken, min(c.id) filter (where not fits) as first, max(c.at) as last
from (select a.organisation_id, a.id, a.at,
             a.hash is not distinct from sha256(coalesce(a.previous_hash, ''::bytea) || convert_to(audit_text(a), 'UTF8'))
             and a.previous_hash is not distinct from lag(a.hash) over (partition by a.organisation_id order by a.id) as fits
      from audit a) c
join organisation o on o.id = c.organisation_id
group by o.id, o.name order by o.name
