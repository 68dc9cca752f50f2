-- name: rotas
select id, name, time_zone, programmes from rota where organisation_id = current_organisation() order by name

-- name: layers
select id, rota_id, duty, layer, members, starts_at, turn, from_time, to_time, days, on_holidays
from rota_layer where organisation_id = current_organisation() order by duty, layer, id

-- name: overrides
select o.id, o.rota_id, o.duty, s.display_name as who, o.from_at, o.to_at, o.reason
from rota_override o join staff s on s.id = o.staff_id
where o.organisation_id = current_organisation() and o.to_at > %(now)s order by o.from_at

-- name: people
-- Who may be put on a rota or a team, and how many ways there are to reach them.
select s.id, s.display_name, s.credential, s.role,
       (select count(*) from contact_channel c where c.staff_id = s.id and c.disabled_at is null) as channels
from staff s where s.organisation_id = current_organisation() and s.disabled_at is null order by s.display_name

-- name: put_rota
insert into rota (organisation_id, name, time_zone, programmes)
values (current_organisation(), %(name)s, %(zone)s, %(programmes)s) on conflict (organisation_id, name) do nothing returning id

-- name: put_layer
insert into rota_layer (organisation_id, rota_id, duty, layer, members, starts_at, turn, from_time, to_time, days, on_holidays)
values (current_organisation(), %(rota_id)s, %(duty)s, %(layer)s, %(members)s, %(starts_at)s, %(turn)s, %(from_time)s, %(to_time)s, %(days)s, %(on_holidays)s)

-- name: drop_layer
delete from rota_layer where id = %(id)s and rota_id = %(rota_id)s and organisation_id = current_organisation()

-- name: put_override
insert into rota_override (organisation_id, rota_id, duty, staff_id, from_at, to_at, reason)
values (current_organisation(), %(rota_id)s, %(duty)s, %(staff_id)s, %(from_at)s, %(to_at)s, %(reason)s)

-- name: drop_override
delete from rota_override where id = %(id)s and rota_id = %(rota_id)s and organisation_id = current_organisation()

-- name: hours
select opens, closes, days, country, subdivision, extra_holidays from office_hours where organisation_id = current_organisation()

-- name: put_hours
insert into office_hours (organisation_id, opens, closes, days, country, subdivision, extra_holidays)
values (current_organisation(), %(opens)s, %(closes)s, %(days)s, %(country)s, %(subdivision)s, %(extra_holidays)s)
on conflict (organisation_id) do update set opens = excluded.opens, closes = excluded.closes, days = excluded.days,
  country = excluded.country, subdivision = excluded.subdivision, extra_holidays = excluded.extra_holidays

-- name: teams
select t.id, t.name, count(p.id) as patients from care_team t left join patient p on p.care_team_id = t.id
where t.organisation_id = current_organisation() group by t.id order by t.name

-- name: members
select m.care_team_id, m.staff_id, m.role, s.display_name from care_team_member m join staff s on s.id = m.staff_id
where m.organisation_id = current_organisation() order by s.display_name

-- name: put_team
insert into care_team (organisation_id, name) values (current_organisation(), %(name)s) on conflict (organisation_id, name) do nothing returning id

-- name: team_known
select id from care_team where id = %(team_id)s and organisation_id = current_organisation()

-- name: staff_known
select id from staff where id = any(%(staff)s::uuid[]) and organisation_id = current_organisation() and disabled_at is null

-- name: put_member
insert into care_team_member (care_team_id, staff_id, organisation_id, role)
select %(team_id)s, s.id, current_organisation(), s.role from staff s where s.id = %(staff_id)s
on conflict (care_team_id, staff_id) do nothing

-- name: drop_member
delete from care_team_member where care_team_id = %(team_id)s and staff_id = %(staff_id)s and organisation_id = current_organisation()

-- name: incidents
-- What operations must see to, of this organisation: open first.
select rule_id, subject, queue, severity, headline, why, opened_at, last_seen_at, times_seen, closed_at, close_reason from incident
where organisation_id = current_organisation() and (closed_at is null or closed_at > %(since)s)
order by closed_at is not null, severity, opened_at desc limit 50

-- name: programmes
-- Programmes with the alert profiles of those who are in them.
select n.programme as name, coalesce(array_agg(distinct profile) filter (where profile is not null), '{}') as profiles
from enrolment n left join lateral unnest(n.profiles) profile on true
where n.organisation_id = current_organisation() and n.ended_at is null group by 1 order by 1
