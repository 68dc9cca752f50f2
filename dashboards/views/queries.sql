-- name: views
-- One's own, and those that others share.
select v.id, v.name, v.query, v.shared, v.staff_id = %(staff_id)s as mine, s.display_name as owner
from saved_view v join staff s on s.id = v.staff_id
where v.organisation_id = current_organisation() and (v.staff_id = %(staff_id)s or v.shared)
order by v.staff_id <> %(staff_id)s, v.name limit 30

-- name: add
insert into saved_view (organisation_id, staff_id, name, query, shared)
values (current_organisation(), %(staff_id)s, %(name)s, %(query)s, %(shared)s)
on conflict (staff_id, name) do update set query = excluded.query, shared = excluded.shared

-- name: drop
delete from saved_view where id = %(id)s and staff_id = %(staff_id)s and organisation_id = current_organisation()

-- name: facets
-- Open episodes by facet, kept up by a trigger: a few rows, however many episodes there are.
select queue, severity, technical, owned, snoozed, open from episode_count where organisation_id = current_organisation()
