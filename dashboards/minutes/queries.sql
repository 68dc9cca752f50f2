-- name: lock_running
-- The person's timer; the advisory lock also covers the case that there is none yet.
select patient_id, timer_id, since, last_beat_at, seconds from time_running where staff_id = %(staff_id)s for update

-- name: one_at_a_time
select pg_advisory_xact_lock(7442, hashtext(%(staff_id)s::text))

-- name: save_running
insert into time_running (staff_id, organisation_id, patient_id, timer_id, since, last_beat_at, seconds)
values (%(staff_id)s, current_organisation(), %(patient_id)s, %(timer_id)s, %(since)s, %(last_beat_at)s, %(seconds)s)
on conflict (staff_id) do update set patient_id = excluded.patient_id, timer_id = excluded.timer_id,
  since = excluded.since, last_beat_at = excluded.last_beat_at, seconds = excluded.seconds

-- name: drop_running
delete from time_running where staff_id = %(staff_id)s

-- name: keep_raw
insert into time_beat (organisation_id, staff_id, patient_id, timer_id, event, reason, at)
values (current_organisation(), %(staff_id)s, %(patient_id)s, %(timer_id)s, %(event)s, %(reason)s, %(at)s)

-- name: unsaved
-- Raw events of timers that have no entry yet, in order.
select b.patient_id, b.timer_id, b.event, b.reason, b.at from time_beat b
where b.staff_id = %(staff_id)s and b.patient_id = %(patient_id)s and b.at > %(since)s
  and not exists (select from time_entry e where e.timer_id = b.timer_id)
order by b.id

-- name: add_entry
insert into time_entry (organisation_id, patient_id, staff_id, staff_role, programme, activity, interactive, mode,
  with_whom, started_at, ended_at, note, source, timer_id, episode_id, replaces, correction_reason, created_at)
values (current_organisation(), %(patient_id)s, %(staff_id)s, %(staff_role)s, %(programme)s, %(activity)s, %(interactive)s,
  %(mode)s, %(with_whom)s, %(started_at)s, %(ended_at)s, %(note)s, %(source)s, %(timer_id)s, %(episode_id)s,
  %(replaces)s, %(correction_reason)s, %(now)s)

-- name: replace_entry
update time_entry set replaced_at = %(now)s
where id = %(id)s and patient_id = %(patient_id)s and replaced_at is null and staff_id = %(staff_id)s

-- name: entry
select id, patient_id, staff_id, programme, activity, interactive, mode, with_whom, started_at, ended_at, seconds,
       note, source, timer_id, episode_id
from time_entry where id = %(id)s and patient_id = %(patient_id)s and replaced_at is null

-- name: entries
-- One patient's entries since a moment, newest first; corrected ones stay visible.
select e.id, e.staff_id, s.display_name as staff_name, e.staff_role, e.programme, e.activity, e.interactive, e.mode,
       e.with_whom, e.started_at, e.ended_at, e.seconds, e.note, e.source, e.replaced_at, e.replaces, e.correction_reason
from time_entry e join staff s on s.id = e.staff_id
where e.patient_id = %(patient_id)s and e.ended_at > %(since)s order by e.started_at desc limit 200

-- name: overlapping
-- Somebody works on one patient at a time: entries of theirs for others in this interval.
select count(*) as many from time_entry
where staff_id = %(staff_id)s and patient_id <> %(patient_id)s and replaced_at is null
  and started_at < %(ended_at)s and ended_at > %(started_at)s

-- name: counted
select started_at, ended_at from time_entry
where patient_id = %(patient_id)s and replaced_at is null and ended_at > %(since)s
