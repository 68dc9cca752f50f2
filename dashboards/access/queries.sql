-- name: hold
-- From here on this transaction sees what this person may see, at this moment.
select set_config('tidings.staff', %(staff_id)s::text, true), set_config('tidings.now', %(now)s::text, true)

-- name: glass_of_episode
-- Whose glass an episode is behind; null: it is behind none.
select glass_of_episode(%(episode_id)s) as id

-- name: behind
select id, mrn, family_name, given_name, birth_date, sex, team_name from behind_glass(%(patient_id)s)

-- name: is_open
select id from patient where id = %(patient_id)s

-- name: break
insert into break_glass (organisation_id, staff_id, patient_id, cause, reason, opened_at, expires_at)
values (current_organisation(), %(staff_id)s, %(patient_id)s, %(cause)s, %(reason)s, %(now)s, %(expires_at)s)

-- name: live
-- What this person has open by breaking the glass.
select id, patient_id, expires_at from break_glass
where staff_id = %(staff_id)s and ended_at is null and expires_at > %(now)s order by expires_at

-- name: end
update break_glass set ended_at = %(now)s
where id = %(id)s and staff_id = %(staff_id)s and ended_at is null and expires_at > %(now)s

-- name: waiting
select count(*) as many from break_glass where organisation_id = current_organisation() and reviewed_at is null

-- name: queue
-- What is to be reviewed first, then what has been, newest first; with what was done meanwhile.
select g.id, g.staff_id, s.display_name as who, s.role, g.patient_id, p.family_name, p.given_name, p.mrn, g.cause,
       g.reason, g.opened_at, coalesce(g.ended_at, g.expires_at) as until, d.looks, d.changes,
       r.display_name as reviewed_by_name, g.reviewed_at, g.justified, g.review_note
from break_glass g join staff s on s.id = g.staff_id join patient p on p.id = g.patient_id
left join staff r on r.id = g.reviewed_by
cross join lateral (
  select count(*) filter (where a.action = 'look') as looks,
         count(*) filter (where a.action not in ('look', 'break_glass')) as changes
  from audit a where a.organisation_id = g.organisation_id and a.patient_id = g.patient_id
    and a.actor = 'staff:' || g.staff_id::text and a.at between g.opened_at and coalesce(g.ended_at, g.expires_at)) d
where g.organisation_id = current_organisation() and (%(id)s::uuid is null or g.id = %(id)s)
order by g.reviewed_at is not null, g.opened_at desc limit %(most)s

-- name: review
update break_glass set reviewed_by = %(staff_id)s, reviewed_at = %(now)s, justified = %(justified)s, review_note = %(note)s
where id = %(id)s and reviewed_at is null

-- name: teams
select t.id, t.name, t.closed, (select count(*) from care_team_member m where m.care_team_id = t.id) as members,
       (select count(*) from patient p where p.care_team_id = t.id) as patients
from care_team t where t.organisation_id = current_organisation() order by t.name

-- name: close
-- A team without members would hide its patients from everybody.
update care_team set closed = %(closed)s where id = %(id)s
  and (not %(closed)s or exists (select from care_team_member m where m.care_team_id = care_team.id))
