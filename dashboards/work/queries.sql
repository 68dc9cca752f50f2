-- name: tasks
-- Open tasks: one's own and the team's, or one patient's; the earliest due first.
select t.id, t.patient_id, t.title, t.due_on, t.assigned_to, s.display_name as assigned_name, t.done_at,
       p.family_name, p.given_name, p.mrn
from task t join patient p on p.id = t.patient_id left join staff s on s.id = t.assigned_to
where t.organisation_id = current_organisation() and t.done_at is null
  and (%(patient_id)s::uuid is null or t.patient_id = %(patient_id)s)
  and (%(staff_id)s::uuid is null or t.assigned_to is null or t.assigned_to = %(staff_id)s)
order by t.due_on, t.created_at limit 300

-- name: add_task
insert into task (organisation_id, patient_id, title, due_on, assigned_to, created_by, created_at)
values (current_organisation(), %(patient_id)s, %(title)s, %(due_on)s, %(assigned_to)s, %(staff_id)s, %(now)s) returning id

-- name: finish_task
update task set done_at = %(now)s, done_by = %(staff_id)s where id = %(task_id)s and done_at is null returning patient_id

-- name: thread
select m.id, m.patient_id, m.from_staff_id, s.display_name as from_name, m.body, m.sent_at, m.read_at
from patient_message m left join staff s on s.id = m.from_staff_id
where m.patient_id = %(patient_id)s order by m.sent_at desc limit 200

-- name: send
insert into patient_message (organisation_id, patient_id, from_staff_id, body, sent_at)
values (current_organisation(), %(patient_id)s, %(staff_id)s, %(body)s, %(now)s) returning id

-- name: mark_read
update patient_message set read_at = %(now)s where patient_id = %(patient_id)s and from_staff_id is null and read_at is null

-- name: inbox
-- One line a patient: the last message, how many are unread; unread first.
select p.id as patient_id, p.family_name, p.given_name, p.mrn, p.language, l.body, l.sent_at, l.from_staff_id is null as theirs,
       n.unread
from patient p
join lateral (select body, sent_at, from_staff_id from patient_message m where m.patient_id = p.id order by sent_at desc limit 1) l on true
cross join lateral (select count(*) as unread from patient_message u
                    where u.patient_id = p.id and u.from_staff_id is null and u.read_at is null) n
where p.organisation_id = current_organisation()
order by (n.unread = 0), l.sent_at desc limit 100
