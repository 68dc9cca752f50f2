-- queue: what staff do ---------------------------------------------------------------------------

-- name: episode_by_id
select * from episode where id = %(id)s

-- name: lock_episode
select * from episode where id = %(id)s for update

-- name: save_episode
-- writes every column that may change (alerts.rows.MUTABLE); the version goes up when people should look
update episode set
  queue = %(queue)s, severity = %(severity)s, headline = %(headline)s, why = %(why)s, alert_count = %(alert_count)s,
  due_at = %(due_at)s, owner_id = %(owner_id)s, claimed_at = %(claimed_at)s, lease_until = %(lease_until)s,
  snoozed_until = %(snoozed_until)s, snooze_reason = %(snooze_reason)s, sparkline = %(sparkline)s::real[],
  closed_at = %(closed_at)s, wakes_on_reading = %(wakes_on_reading)s, snoozed_kinds = %(snoozed_kinds)s::text[],
  snoozed_severity = %(snoozed_severity)s, kind = %(kind)s, risk = %(risk)s, waiting = %(waiting)s,
  closed_by = %(closed_by)s, reopened_at = %(reopened_at)s, cosign_due_at = %(cosign_due_at)s,
  cosigned_by = %(cosigned_by)s, cosigned_at = %(cosigned_at)s, worst_severity = %(worst_severity)s,
  acknowledged_at = %(acknowledged_at)s, version = version + %(step)s
where id = %(id)s
returning *

-- name: record_act
-- keeps what the episode was before, so that an undo within seconds can put it back
insert into alert_event (organisation_id, episode_id, at, action, reason, by_staff_id, detail)
select organisation_id, id, %(now)s, %(action)s, %(reason)s, %(by)s,
       %(detail)s::jsonb || jsonb_build_object('before', to_jsonb(episode))
from episode where id = %(id)s

-- name: last_event
select id, at, by_staff_id, action, detail -> 'before' from alert_event
where episode_id = %(id)s and action not in ('attach', 'note') order by id desc limit 1

-- name: restore_episode
-- puts back what a person changed; what readings changed meanwhile (severity, words, count) stays
update episode e set
  owner_id = was.owner_id, claimed_at = was.claimed_at, lease_until = was.lease_until,
  snoozed_until = was.snoozed_until, snooze_reason = was.snooze_reason, wakes_on_reading = was.wakes_on_reading,
  snoozed_kinds = was.snoozed_kinds, snoozed_severity = was.snoozed_severity, waiting = was.waiting,
  closed_at = was.closed_at, closed_by = was.closed_by, cosign_due_at = was.cosign_due_at,
  cosigned_by = was.cosigned_by, cosigned_at = was.cosigned_at, reopened_at = was.reopened_at,
  acknowledged_at = was.acknowledged_at, version = e.version + 1
from alert_event v, jsonb_populate_record(null::episode, v.detail -> 'before') was
where e.id = %(id)s and v.id = %(event)s
returning e.*

-- name: audit_episode
insert into audit (organisation_id, at, actor, action, object_kind, object_id, patient_id, detail)
values (%(organisation)s, %(now)s, %(actor)s, 'change', 'episode', %(id)s, %(patient)s, %(detail)s)

-- name: open_kinds
select distinct kind from alert where episode_id = %(id)s and closed_at is null order by kind

-- name: close_alerts
update alert set state = 'closed', closed_at = %(now)s, closed_by = %(by)s, outcome = %(outcome)s
where episode_id = %(id)s and closed_at is null

-- name: reopen_alerts
-- the alerts that were closed with the episode's last closing
update alert a set state = 'raised', closed_at = null, closed_by = null, reopened_at = %(now)s
where a.episode_id = %(id)s and a.closed_at = (select max(closed_at) from alert where episode_id = %(id)s)
  and not exists (select from alert o where o.patient_id = a.patient_id and o.rule_id = a.rule_id and o.closed_at is null)

-- name: unclose_alerts
update alert set state = 'raised', closed_at = null, closed_by = null, outcome = null
where episode_id = %(id)s and closed_at = %(at)s

-- name: newer_open_episode
select o.id from episode e join episode o on o.patient_id = e.patient_id and o.technical = e.technical
where e.id = %(id)s and o.id <> e.id and o.closed_at is null

-- name: next_unowned
-- severity, time left, risk, age; a row somebody else is taking is stepped over
select id from episode
where organisation_id = %(organisation)s and closed_at is null and not technical and queue = any(%(queues)s)
  and (owner_id is null or lease_until <= %(now)s) and snoozed_until is null
order by severity, due_at, risk desc, opened_at, id
limit 1 for update skip locked

-- name: owned_by
select id from episode where owner_id = %(staff)s and closed_at is null order by id

-- name: record_handover
insert into handover (organisation_id, from_staff_id, to_staff_id, at, episode_ids, note)
values (%(organisation)s, %(from)s, %(to)s, %(now)s, %(ids)s, %(note)s)

-- name: stop_escalation
-- a person has it: the clock stops and pages that are still on their way are withdrawn
with stopped as (
  update escalation set stopped_at = %(now)s, stop_reason = %(reason)s
  where episode_id = %(id)s and stopped_at is null)
update page set state = 'withdrawn', next_attempt_at = null
where episode_id = %(id)s and state in ('pending', 'delivered') and next_attempt_at is not null

-- name: resume_escalation
update escalation set stopped_at = null, stop_reason = '' where episode_id = %(id)s and stopped_at = %(at)s

-- name: request_page
-- a person escalates: the provider's page leaves after ten seconds, so that an undo can stop it
insert into page (organisation_id, episode_id, step, duty, staff_id, severity, channels, created_at, next_attempt_at, token, reply_code)
select organisation_id, id, 0, 'supervising_provider', null, severity, '{}', %(now)s, %(now)s + interval '10 seconds',
       replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), ''
from episode where id = %(id)s

-- name: undo_page
update page set state = 'withdrawn', next_attempt_at = null
where episode_id = %(id)s and created_at = %(at)s and state = 'pending'
