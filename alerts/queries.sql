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

-- name: set_alert_state
update alert set state = %(state)s
where episode_id = %(id)s and closed_at is null and state <> %(state)s and state not in ('downgraded', 'duplicate', 'entered_in_error')

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
where episode_id = %(id)s and state in ('pending', 'undelivered')

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

-- evaluation -------------------------------------------------------------------------------------

-- name: take_patients
-- patients with something to judge, oldest first, that no other worker has; the lock ends with the transaction
with head as (
  select patient_id, min(id) as first from (select id, patient_id from to_evaluate order by id limit %(look)s) t
  group by patient_id order by first)
select patient_id from head where pg_try_advisory_xact_lock(7442, hashtext(patient_id::text)) limit %(most)s

-- name: queue_end
select coalesce(max(id), 0) from to_evaluate

-- name: take_urgent
-- under load: patients with a value that could be critical, or an answer, before everybody else
with urgent as (
  select t.patient_id, min(t.id) as first from to_evaluate t
  left join reading r on r.patient_id = t.patient_id and r.kind = t.kind and r.measured_at = t.measured_at and r.reading_id = t.reading_id
  left join unnest(%(kinds)s::text[], %(low)s::float8[], %(high)s::float8[], %(diastolic)s::float8[], %(slow)s::float8[], %(fast)s::float8[])
    as l(kind, low, high, diastolic, slow, fast) on l.kind = t.kind
  where t.id > %(after)s and t.id <= %(until)s and (
    t.kind = 'survey' or r.value <= l.low or r.value >= l.high or r.diastolic >= l.diastolic or r.pulse <= l.slow or r.pulse >= l.fast
    or cardinality(r.flags) > 0)
  group by t.patient_id order by first)
select patient_id from urgent where pg_try_advisory_xact_lock(7442, hashtext(patient_id::text)) limit %(most)s

-- name: lock_patients
-- for whoever is not a worker of the queue: absence, technical alerts; in order, so that nobody waits in a circle
select pg_advisory_xact_lock(7442, hashtext(id::text)) from unnest(%(patients)s::uuid[]) as id order by hashtext(id::text)

-- name: pending
-- patient by patient: all that one has waiting is judged together, where the limit allows
select t.id, t.organisation_id, t.patient_id, t.reading_id, t.kind, t.measured_at, t.received_at
from unnest(%(patients)s::uuid[]) with ordinality as w(patient_id, place) join to_evaluate t on t.patient_id = w.patient_id
order by w.place, t.id limit %(most)s

-- name: subjects
select p.id, p.organisation_id, p.time_zone, o.time_zone, p.birth_date, p.conditions, p.traits,
       coalesce(s.personal_trends, false)
from patient p join organisation o on o.id = p.organisation_id
left join alert_setting s on s.organisation_id = p.organisation_id
where p.id = any(%(patients)s)

-- name: enrolments
select patient_id, programme, profiles, enrolled_at from enrolment
where patient_id = any(%(patients)s) and (ended_at is null or ended_at > %(now)s) order by patient_id, enrolled_at, programme

-- name: holds
select patient_id, from_at, to_at from patient_hold
where patient_id = any(%(patients)s) and state = any(%(states)s) and (to_at is null or to_at > %(now)s - interval '30 days')

-- name: overrides
select id, organisation_id, level, patient_id, programme, rule_id, changes, disabled, effective_from, expires_at
from rule_override
where organisation_id = any(%(organisations)s) and ended_at is null and expires_at > %(since)s
  and (patient_id is null or patient_id = any(%(patients)s))

-- name: office_hours
select o.id, o.time_zone, h.opens, h.closes, h.days, h.country, h.subdivision, h.extra_holidays
from organisation o left join office_hours h on h.organisation_id = o.id
where o.id = any(%(organisations)s)

-- name: history
-- the readings that can matter for these (patient, kind) pairs, and always the last fourteen
select r.reading_id, r.patient_id, r.kind, r.measured_at, r.received_at, r.value, r.diastolic, r.pulse, r.flags, r.status
from unnest(%(patients)s::uuid[], %(kinds)s::text[], %(since)s::timestamptz[]) as w(patient_id, kind, since)
join lateral (
  select * from reading r where r.patient_id = w.patient_id and r.kind = w.kind and r.measured_at >= w.since
    and r.status <> 'entered_in_error') r on true

-- name: answers
select id, patient_id, questionnaire, item, value, answered_at, received_at from survey_answer
where patient_id = any(%(patients)s) and answered_at >= %(since)s

-- name: baselines
-- the first weight on or after the start of the programme, while any is on record
select e.patient_id, r.value from enrolment e join lateral (
  select value from reading r where r.patient_id = e.patient_id and r.kind = 'weight' and r.measured_at >= e.enrolled_at
    and r.status = 'accepted' order by r.measured_at limit 1) r on true
where e.patient_id = any(%(patients)s) and e.ended_at is null and 'metabolic_antipsychotic' = any(e.profiles)

-- name: open_episodes
-- locked, so that what staff do at the same time waits or is seen
select * from episode where patient_id = any(%(patients)s) and technical = %(technical)s and closed_at is null
order by id for update

-- name: alerts_of
-- open ones, and the last of each rule that was closed within eight days
select * from (
  select a.*, row_number() over (partition by a.patient_id, a.rule_id order by a.closed_at desc nulls first) as place
  from alert a where a.patient_id = any(%(patients)s) and a.technical = %(technical)s
    and (a.closed_at is null or a.closed_at > %(now)s - interval '8 days')
) ranked where place = 1 or closed_at is null

-- name: evidence_of
select alert_id, reading_id, measured_at, severity, standing, headline, why, reading_ids, computed, late, answered_normal
from alert_breach where alert_id = any(%(alerts)s)

-- name: save_alert
insert into alert (id, organisation_id, patient_id, episode_id, rule_id, rule_version, profile, kind, route, technical, severity, state,
  headline, why, reading_ids, computed, raised_at, last_breach_at, due_at, breaches, late, counts_from)
values (%(id)s, %(organisation_id)s, %(patient_id)s, %(episode_id)s, %(rule_id)s, %(rule_version)s, %(profile)s, %(kind)s, %(route)s,
  %(technical)s, %(severity)s, %(state)s, %(headline)s, %(why)s, %(reading_ids)s, %(computed)s, %(raised_at)s, %(last_breach_at)s,
  %(due_at)s, %(breaches)s, %(late)s, %(counts_from)s)
on conflict (id) do update set
  episode_id = excluded.episode_id, rule_version = excluded.rule_version, severity = excluded.severity, state = excluded.state,
  headline = excluded.headline, why = excluded.why, reading_ids = excluded.reading_ids, computed = excluded.computed,
  last_breach_at = excluded.last_breach_at, due_at = excluded.due_at, breaches = excluded.breaches, late = excluded.late,
  counts_from = excluded.counts_from, closed_at = null, closed_by = null,
  reopened_at = case when alert.closed_at is null then alert.reopened_at else %(now)s end

-- name: save_evidence
insert into alert_breach (alert_id, reading_id, organisation_id, rule_id, measured_at, severity, standing, headline, why, reading_ids,
  computed, late, answered_normal)
values (%(alert_id)s, %(reading_id)s, %(organisation_id)s, %(rule_id)s, %(at)s, %(severity)s, %(standing)s, %(headline)s, %(why)s,
  %(reading_ids)s, %(computed)s, %(late)s, %(answered_normal)s)
on conflict (alert_id, reading_id) do update set severity = excluded.severity, standing = excluded.standing,
  headline = excluded.headline, why = excluded.why, reading_ids = excluded.reading_ids, computed = excluded.computed,
  late = excluded.late, answered_normal = excluded.answered_normal

-- name: open_episode
insert into episode (id, organisation_id, patient_id, queue, severity, technical, headline, why, alert_count, opened_at, due_at,
  sparkline, kind, risk, worst_severity)
values (%(id)s, %(organisation_id)s, %(patient_id)s, %(queue)s, %(severity)s, %(technical)s, %(headline)s, %(why)s, %(alert_count)s,
  %(opened_at)s, %(due_at)s, %(sparkline)s::real[], %(kind)s, %(risk)s, %(worst_severity)s)

-- name: record_event
insert into alert_event (organisation_id, episode_id, alert_id, at, action, reason, detail)
values (%(organisation_id)s, %(episode_id)s, %(alert_id)s, %(at)s, %(action)s, %(reason)s, %(detail)s)

-- name: ask_remeasure
insert into remeasure_request (organisation_id, patient_id, rule_id, reading_id, metric, measured_at, asked_at, measure_after, due_at, patient_message)
values (%(organisation_id)s, %(patient_id)s, %(rule_id)s, %(reading_id)s, %(metric)s, %(measured_at)s, %(now)s, %(measure_after)s, %(due_at)s, %(message)s)
on conflict (patient_id, rule_id, reading_id) do nothing

-- name: answer_remeasure
-- a later measurement of the same kind has come
update remeasure_request q set state = 'answered', ended_at = %(now)s
from unnest(%(patients)s::uuid[], %(names)s::text[], %(ats)s::timestamptz[]) as came(patient_id, name, at)
where q.state = 'asked' and q.patient_id = came.patient_id and q.metric = came.name and q.measured_at < came.at

-- name: ask_symptoms
insert into symptom_request (organisation_id, patient_id, rule_id, reading_id, questionnaire, asked_at)
values (%(organisation_id)s, %(patient_id)s, %(rule_id)s, %(reading_id)s, %(questionnaire)s, %(now)s)
on conflict (patient_id, questionnaire, reading_id) do nothing

-- name: answer_symptoms
update symptom_request q set answered_at = %(now)s
from unnest(%(patients)s::uuid[], %(names)s::text[]) as came(patient_id, name)
where q.answered_at is null and q.patient_id = came.patient_id and q.questionnaire = came.name and q.asked_at <= %(now)s

-- name: audit_alerts
insert into audit (organisation_id, at, actor, action, object_kind, object_id, patient_id, detail)
values (%(organisation_id)s, %(now)s, 'process:alerts', 'change', 'episode', %(id)s, %(patient_id)s, %(detail)s)

-- name: done
delete from to_evaluate where id = any(%(ids)s)

-- name: database_now
select clock_timestamp()

-- name: keep_rule_set
insert into rule_set (version, definition) values (%(version)s, %(definition)s) on conflict (version) do nothing

-- name: park
with gone as (delete from to_evaluate where id = any(%(ids)s) returning *)
insert into evaluation_failure (organisation_id, patient_id, rows, error)
select organisation_id, patient_id, jsonb_agg(jsonb_build_object('reading', reading_id, 'kind', kind)), %(error)s
from gone group by organisation_id, patient_id

-- escalation -------------------------------------------------------------------------------------

-- name: start_escalation
-- a new or worse line; a clock that runs for something as bad already goes on
insert into escalation (episode_id, organisation_id, severity, started_at, step, next_at)
values (%(episode_id)s, %(organisation_id)s, %(severity)s, %(now)s, 0, %(now)s)
on conflict (episode_id) do update set severity = excluded.severity, started_at = excluded.started_at, step = 0,
  next_at = excluded.next_at, stopped_at = null, stop_reason = ''
where escalation.stopped_at is not null or excluded.severity < escalation.severity

-- technical --------------------------------------------------------------------------------------

-- name: open_of_rule
select patient_id from alert where patient_id = any(%(patients)s) and rule_id = %(rule)s and closed_at is null

-- name: technical_episode
insert into episode (id, organisation_id, patient_id, queue, severity, technical, headline, why, alert_count, opened_at, due_at, worst_severity, version)
values (%(episode)s, %(organisation)s, %(patient)s, %(queue)s, %(severity)s, true, %(headline)s, %(why)s, 0, %(now)s, %(due)s, %(severity)s, 0)
on conflict (patient_id, technical) where closed_at is null do nothing

-- name: technical_alert
-- opened once; brought up to date when it got worse or its words changed
with line as (select id from episode where patient_id = %(patient)s and technical and closed_at is null for update),
written as (
  insert into alert (id, organisation_id, patient_id, episode_id, rule_id, rule_version, technical, severity, headline, why, raised_at, last_breach_at, due_at, route)
  select %(alert)s, %(organisation)s, %(patient)s, line.id, %(rule)s, 'product', true, %(severity)s, %(headline)s, %(why)s, %(now)s, %(now)s, %(due)s, %(queue)s from line
  on conflict (patient_id, rule_id) where closed_at is null do update
    set severity = excluded.severity, headline = excluded.headline, why = excluded.why, last_breach_at = excluded.last_breach_at
    where alert.severity <> excluded.severity or alert.why <> excluded.why
  returning *)
insert into alert_event (organisation_id, episode_id, alert_id, at, action, reason)
select organisation_id, episode_id, id, %(now)s, case when raised_at = %(now)s then 'open' else 'raise' end, why from written
returning id

-- name: technical_close
with gone as (
  update alert set closed_at = %(now)s, state = 'closed', outcome = jsonb_build_object('closed_by', 'system', 'reason', %(reason)s::text)
  where patient_id = %(patient)s and rule_id = %(rule)s and technical and closed_at is null returning *)
insert into alert_event (organisation_id, episode_id, alert_id, at, action, reason)
select organisation_id, episode_id, id, %(now)s, 'close', %(reason)s from gone
returning id

-- name: technical_line
-- the line follows its open alerts and closes with the last one
with lead as (
  select * from alert where patient_id = %(patient)s and technical and closed_at is null order by severity, due_at, rule_id limit 1),
total as (select count(*) as open from alert where patient_id = %(patient)s and technical and closed_at is null)
update episode e set
  severity = coalesce((select severity from lead), e.severity), headline = coalesce((select headline from lead), e.headline),
  why = coalesce((select why from lead), e.why), queue = coalesce(nullif((select route from lead), ''), e.queue),
  due_at = coalesce((select due_at from lead), e.due_at), alert_count = greatest(1, total.open),
  closed_at = case when total.open = 0 then %(now)s end, version = e.version + 1
from total where e.patient_id = %(patient)s and e.technical and e.closed_at is null
returning e.*

-- on call ----------------------------------------------------------------------------------------

-- name: rotas
select id, time_zone, programmes from rota where organisation_id = %(organisation)s order by name

-- name: rota_layers
select rota_id, duty, layer, members, starts_at, turn, from_time, to_time, days, on_holidays, ends_at
from rota_layer where organisation_id = %(organisation)s order by rota_id, duty, layer, id

-- name: rota_overrides
select rota_id, duty, staff_id, from_at, to_at from rota_override where organisation_id = %(organisation)s order by from_at, id

-- name: addresses
select id, staff_id, channel, address, secret from contact_channel
where organisation_id = %(organisation)s and staff_id is not distinct from %(staff)s and disabled_at is null
order by position, id

-- pages ------------------------------------------------------------------------------------------

-- name: clocks_due
-- the episode is locked first, as everywhere; what staff are just doing to it is left for the next look
select e.id, e.organisation_id, c.severity, c.started_at, c.step, e.risk, e.technical,
  coalesce((select array_agg(n.programme order by n.enrolled_at) from enrolment n where n.patient_id = e.patient_id and n.ended_at is null), '{}')
from episode e join escalation c on c.episode_id = e.id
where c.stopped_at is null and c.next_at <= %(now)s and e.closed_at is null
order by c.severity, c.next_at limit %(most)s for update of e skip locked

-- name: move_clock
update escalation set step = %(step)s, next_at = %(next)s where episode_id = %(id)s and stopped_at is null

-- name: create_page
insert into page (organisation_id, episode_id, step, duty, staff_id, severity, channels, created_at, next_attempt_at, token, reply_code)
values (%(organisation)s, %(episode)s, %(step)s, %(duty)s, %(staff)s, %(severity)s, %(channels)s, %(now)s, %(now)s, %(token)s, %(code)s)

-- name: codes_in_use
select reply_code from page where staff_id = %(staff)s and acknowledged_at is null

-- name: page_by_token
select p.id, p.organisation_id, p.episode_id, p.staff_id, p.severity, p.state, p.token, p.staff_role from page_by_token(%(token)s) p

-- name: page_by_code
select p.id, p.organisation_id, p.episode_id, p.staff_id, p.severity, p.state, p.token, s.role
from page p join staff s on s.id = p.staff_id
where p.staff_id = %(staff)s and p.reply_code = %(code)s and p.acknowledged_at is null and p.state in ('pending', 'delivered', 'undelivered')
order by p.created_at desc limit 1

-- name: acknowledge_page
update page set state = 'acknowledged', acknowledged_at = %(now)s, acknowledged_via = %(via)s, next_attempt_at = null
where id = %(id)s and acknowledged_at is null

-- name: close_page_incident
update incident set closed_at = %(now)s, close_reason = 'a person has acknowledged'
where rule_id = 'notify_undelivered' and closed_at is null
  and subject = (select coalesce(episode_id::text, id::text) from page where id = %(id)s)

-- delivery ---------------------------------------------------------------------------------------

-- name: take_page
-- the most urgent page that is due and that no other worker is delivering; taken for a minute
update page set taken_until = %(until)s, attempts = attempts + 1
where id = (
  select id from page
  where state in ('pending', 'undelivered') and next_attempt_at <= %(now)s and (taken_until is null or taken_until <= %(now)s)
  order by severity, next_attempt_at, created_at, step, id limit 1 for update skip locked)
returning id, organisation_id, episode_id, staff_id, severity, channels, token, reply_code, duty

-- name: record_attempt
insert into delivery_attempt (id, organisation_id, page_id, channel, attempt, started_at)
values (%(id)s, %(organisation)s, %(page)s, %(channel)s, %(attempt)s, %(now)s)

-- name: tries
select channel, count(*) from delivery_attempt where page_id = %(page)s group by channel

-- name: end_attempt
update delivery_attempt set ended_at = %(now)s, outcome = %(outcome)s, detail = %(detail)s where id = %(attempt)s

-- name: end_page
-- what a person did meanwhile (acknowledged, withdrawn) stays
update page set state = %(state)s, next_attempt_at = %(next)s, taken_until = null
where id = %(page)s and state in ('pending', 'undelivered')

-- name: raise_incident
insert into incident (organisation_id, rule_id, subject, queue, severity, headline, why, opened_at, last_seen_at)
values (%(organisation)s, %(rule)s, %(subject)s, %(queue)s, %(severity)s, %(headline)s, %(why)s, %(now)s, %(now)s)
on conflict (coalesce(organisation_id, '00000000-0000-0000-0000-000000000000'), rule_id, subject) where closed_at is null
do update set last_seen_at = excluded.last_seen_at, times_seen = incident.times_seen + 1,
  severity = least(incident.severity, excluded.severity), why = excluded.why
returning times_seen = 1

-- name: close_incident
update incident set closed_at = %(now)s, close_reason = %(reason)s
where rule_id = %(rule)s and subject = %(subject)s and closed_at is null

-- timers -----------------------------------------------------------------------------------------

-- name: lead
select pg_try_advisory_lock(7443)

-- name: beat
insert into heartbeat (name, beat_at) values (%(name)s, %(now)s) on conflict (name) do update set beat_at = excluded.beat_at

-- name: last_beat
select beat_at from heartbeat where name = %(name)s

-- name: page_operations
-- about the system itself: no person on duty, so straight to the last resort of every organisation that has pages
insert into page (organisation_id, incident_id, duty, severity, channels, created_at, next_attempt_at, token, reply_code)
select o.id, i.id, 'operations', 1, '{}', %(now)s, %(now)s, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), ''
from organisation o, incident i
where i.rule_id = 'scheduler_silent' and i.closed_at is null
  and exists (select from contact_channel c where c.organisation_id = o.id and c.staff_id is null and c.disabled_at is null)

-- name: expire_leases
with late as (
  select id from episode where closed_at is null and owner_id is not null and lease_until <= %(now)s
  order by id for update skip locked),
given_back as (
  update episode e set owner_id = null, claimed_at = null, lease_until = null, version = version + 1,
    acknowledged_at = case when severity <= 2 then null else acknowledged_at end
  from late where e.id = late.id returning e.*),
told as (
  insert into alert_event (organisation_id, episode_id, at, action, reason)
  select organisation_id, id, %(now)s, 'lease_expired', 'no activity for 20 minutes: back in the queue' from given_back)
select * from given_back

-- name: expire_snoozes
with over as (
  select id from episode where closed_at is null and snoozed_until <= %(now)s order by id for update skip locked),
woken as (
  update episode e set snoozed_until = null, snooze_reason = null, wakes_on_reading = false, snoozed_kinds = '{}',
    snoozed_severity = null, version = version + 1, acknowledged_at = null
  from over where e.id = over.id returning e.*),
told as (
  insert into alert_event (organisation_id, episode_id, at, action, reason)
  select organisation_id, id, %(now)s, 'wake', 'the snooze has run out' from woken),
shown as (
  update alert a set state = 'raised' from woken where a.episode_id = woken.id and a.closed_at is null and a.state = 'snoozed')
select * from woken

-- name: remeasure_unanswered
-- the reading goes back into the queue, to be judged with what is (not) known now
with late as (
  update remeasure_request set state = 'unanswered', ended_at = %(now)s
  where id in (select id from remeasure_request where state = 'asked' and due_at <= %(now)s order by id for update skip locked)
  returning *)
insert into to_evaluate (organisation_id, patient_id, reading_id, kind, measured_at, received_at)
select distinct on (late.reading_id) late.organisation_id, late.patient_id, r.reading_id, r.kind, r.measured_at, %(now)s
from late join reading r on r.patient_id = late.patient_id and r.reading_id = late.reading_id and r.measured_at = late.measured_at

-- name: oldest_waiting
select count(*), min(queued_at) from (select queued_at from to_evaluate order by id limit 10000) waiting

-- name: storms
select a.organisation_id, coalesce(nullif(d.model, ''), r.gateway_id), count(*)
from alert a join lateral (
  select gateway_id, device_id from reading r where r.patient_id = a.patient_id and r.reading_id = any(a.reading_ids)
    and r.measured_at >= %(now)s - interval '1 day' limit 1) r on true
left join device d on d.id = r.device_id
where a.raised_at > %(now)s - interval '5 minutes' and not a.technical
group by 1, 2 having count(*) > %(most)s

-- absence ----------------------------------------------------------------------------------------

-- name: absence_due
-- patients with an order, whose own day has turned since the last look
select p.id from patient p join organisation o on o.id = p.organisation_id
left join absence_check c on c.patient_id = p.id
where exists (select from measurement_schedule s where s.patient_id = p.id and s.from_on <= %(now)s::date and (s.to_on is null or s.to_on >= %(now)s::date - 1))
  and exists (select from enrolment n where n.patient_id = p.id and n.ended_at is null)
  and p.deceased_on is null
  and (c.checked_on is null or c.checked_on < (%(now)s at time zone coalesce(p.time_zone, o.time_zone))::date)
order by p.id limit %(most)s

-- name: absence_checked
insert into absence_check (patient_id, organisation_id, checked_on)
select p.id, p.organisation_id, (%(now)s at time zone coalesce(p.time_zone, o.time_zone))::date
from patient p join organisation o on o.id = p.organisation_id where p.id = any(%(patients)s)
on conflict (patient_id) do update set checked_on = excluded.checked_on

-- name: orders
select patient_id, kind, times_per_day, days_of_week, from_on, to_on from measurement_schedule
where patient_id = any(%(patients)s) and from_on <= %(now)s::date and (to_on is null or to_on >= %(now)s::date - 1)
order by patient_id, kind

-- name: days_measured
select kind, (measured_at at time zone %(zone)s)::date, max(measured_at) from reading
where patient_id = %(patient)s and kind = any(%(kinds)s) and measured_at >= %(since)s and status <> 'entered_in_error'
group by 1, 2

-- name: first_measured
-- when the first device window began: the first of the ordered measurements since the programme began
select min(began.at) from unnest(%(kinds)s::text[]) as k(kind), lateral (
  select measured_at as at from reading r where r.patient_id = %(patient)s and r.kind = k.kind and r.measured_at >= %(since)s
    and r.status = 'accepted' order by r.measured_at limit 1) as began

-- name: raised_since
select 1 from alert where patient_id = %(patient)s and rule_id = %(rule)s and raised_at >= %(since)s limit 1

-- name: rests
select from_at, to_at from patient_hold where patient_id = %(patient)s and (to_at is null or to_at >= %(since)s)

-- name: excuses
-- the home's gateway is offline, a device has an open fault, the patient is away
select
  exists (select from device_assignment a join device d on d.id = a.device_id join gateway g on g.id = d.gateway_id
    where a.patient_id = %(patient)s and a.assigned_to is null and g.state = 'offline'),
  exists (select from alert t where t.patient_id = %(patient)s and t.technical and t.closed_at is null
    and t.rule_id in ('gw_offline', 'dev_error', 'dev_clock') and t.severity <= 3),
  exists (select from patient_hold h where h.patient_id = %(patient)s and h.from_at <= %(now)s and (h.to_at is null or h.to_at > %(now)s))

-- name: nudge
insert into patient_nudge (organisation_id, patient_id, rule_id, message, channel, for_on, created_at)
values (%(organisation)s, %(patient)s, %(rule)s, 'please_measure', %(channel)s, %(day)s, %(now)s)
on conflict (patient_id, rule_id, for_on) do nothing

-- equipment --------------------------------------------------------------------------------------

-- name: equipment
-- one row per assigned device and its gateway; also patients whose technical alerts are still open
with assigned as (
  select a.patient_id, a.organisation_id, a.device_id from device_assignment a
  where a.assigned_from <= %(now)s and (a.assigned_to is null or a.assigned_to > %(now)s)
  union
  select t.patient_id, t.organisation_id, '' from alert t where t.technical and t.closed_at is null),
told as (
  select gateway_id, device_id, event, max(at) as at from gateway_event
  where at > %(now)s - interval '26 hours' group by 1, 2, 3)
select s.patient_id, s.organisation_id, g.id, coalesce(g.last_seen_at, g.enrolled_at), coalesce(g.state, 'never_seen') <> 'never_seen',
  (g.status ->> 'outbox_depth')::integer, (g.status ->> 'outbox_oldest')::timestamptz,
  case when exists (select from told where told.gateway_id = g.id and told.event = 'gateway_clock') then 61.0 end,
  s.device_id, d.battery,
  (select (v ->> 'clock_offset_s')::double precision from jsonb_array_elements(coalesce(g.status -> 'devices', '[]')) v
   where v ->> 'device' = s.device_id limit 1),
  case when exists (select from told where told.device_id = s.device_id and told.event = 'repeated_failures') then 3 else 0 end,
  exists (select from told where told.device_id = s.device_id and told.event = 'clock_fault')
from assigned s left join device d on d.id = s.device_id and d.retired_at is null
left join gateway g on g.id = d.gateway_id and g.revoked_at is null
order by s.patient_id, s.device_id

-- name: open_technical
select patient_id, rule_id, severity from alert where technical and closed_at is null and rule_id = any(%(rules)s)

-- name: lone_gateways
select g.id, g.organisation_id, g.last_seen_at < %(now)s - interval '2 hours'
from gateway g where g.revoked_at is null and g.last_seen_at is not null
  and not exists (select from device d join device_assignment a on a.device_id = d.id
    where d.gateway_id = g.id and a.assigned_from <= %(now)s and (a.assigned_to is null or a.assigned_to > %(now)s))

-- name: unknown_owners
select o.id, count(q.id), count(q.id) filter (where q.received_at < %(now)s - interval '24 hours')
from organisation o left join quarantine q on q.organisation_id = o.id and q.queue = 'identity_review' and q.state = 'open'
group by o.id

-- replay and measures ----------------------------------------------------------------------------

-- name: history_between
select reading_id, patient_id, kind, measured_at, received_at, value, diastolic, pulse, flags, status from reading
where patient_id = any(%(patients)s) and measured_at >= %(since)s and measured_at < %(until)s and status <> 'entered_in_error'

-- name: replay_patients
select p.id from patient p where p.organisation_id = %(organisation)s
  and exists (select from enrolment n where n.patient_id = p.id and (n.ended_at is null or n.ended_at > %(since)s))
order by p.id

-- name: relevant_alerts
-- closed by a person as true, and something was done about it
select a.patient_id, a.rule_id, min(b.measured_at), max(b.measured_at), a.headline
from alert a join alert_breach b on b.alert_id = a.id and b.standing
where a.organisation_id = %(organisation)s and a.closed_by is not null
  and a.outcome ->> 'judged' = 'true' and a.outcome ->> 'action' <> 'none'
  and b.measured_at >= %(since)s and b.measured_at < %(until)s
group by a.id

-- name: handling_minutes
-- median time from claim to closing, where there are enough to tell
select severity, percentile_cont(0.5) within group (order by extract(epoch from closed_at - claimed_at) / 60)
from episode where organisation_id = %(organisation)s and not technical and closed_at is not null and claimed_at is not null
  and closed_at > %(since)s
group by severity having count(*) >= 20

-- name: ask_replay
insert into replay_run (organisation_id, asked_by, draft, days, patients, programme, draft_id)
values (%(organisation)s, %(by)s, %(draft)s, %(days)s, %(patients)s, %(programme)s, %(draft_id)s) returning id

-- name: cancel_replay
update replay_run set state = 'cancelled', ended_at = clock_timestamp(), taken_until = null
where id = %(id)s and state in ('asked', 'running')

-- name: replay_state
select state, done, total, result, error from replay_run where id = %(id)s

-- name: take_replay
update replay_run set state = 'running', taken_until = %(now)s + interval '2 minutes'
where id = (select id from replay_run where state = 'asked' or (state = 'running' and taken_until < %(now)s)
  order by asked_at limit 1 for update skip locked)
returning id, organisation_id, draft, days, patients, programme

-- name: replay_progress
update replay_run set done = %(done)s, total = %(total)s, taken_until = clock_timestamp() + interval '2 minutes'
where id = %(id)s and state = 'running'

-- name: end_replay
update replay_run set state = %(state)s, result = %(result)s, error = %(error)s, ended_at = %(now)s, taken_until = null
where id = %(id)s and state = 'running'

-- name: measures_by_severity
with own as (
  select e.*, (select coalesce(sum(a.breaches), 0)::float / greatest(count(*), 1) - 1 from alert a where a.episode_id = e.id) as again
  from episode e where (%(organisation)s::uuid is null or e.organisation_id = %(organisation)s) and not e.technical
    and e.opened_at > %(now)s::timestamptz - make_interval(days => %(days)s))
select worst_severity, count(*),
  percentile_cont(0.5) within group (order by extract(epoch from acknowledged_at - opened_at) / 60) filter (where acknowledged_at is not null),
  percentile_cont(0.9) within group (order by extract(epoch from acknowledged_at - opened_at) / 60) filter (where acknowledged_at is not null),
  count(*) filter (where coalesce(acknowledged_at, %(now)s::timestamptz) > due_at),
  avg(again)
from own group by worst_severity order by worst_severity

-- name: measures_whole
with own as (
  select * from alert where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and not technical
    and raised_at > %(now)s::timestamptz - make_interval(days => %(days)s)),
shut as (select * from own where closed_by is not null)
select (select count(*) from shut),
  (select count(*) from shut where outcome ->> 'action' <> 'none' and coalesce(outcome ->> 'judged', 'true') = 'true'),
  (select count(*) from shut where outcome ->> 'judged' = 'artefact'),
  (select count(*) from own where exists (select from alert_event v
    where v.episode_id = own.episode_id and v.alert_id = own.id and v.action in ('downgrade', 'measured', 'withdraw'))),
  (select count(*) from own)::numeric / greatest(1, (select count(distinct patient_id) from enrolment where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and ended_at is null)) * 7 / %(days)s,
  (select count(*) from shut)::numeric / nullif((
    select sum(extract(epoch from closed_at - claimed_at)) / 3600 from episode
    where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and not technical and closed_at > %(now)s::timestamptz - make_interval(days => %(days)s) and claimed_at is not null), 0),
  (select count(*) from page where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and created_at > %(now)s::timestamptz - make_interval(days => %(days)s)),
  (select count(*) from page where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and created_at > %(now)s::timestamptz - make_interval(days => %(days)s) and state = 'undelivered'),
  (select count(*) from episode where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and not technical and closed_at is null and owner_id is null and snoozed_until is null and due_at < %(now)s::timestamptz),
  (select count(*) from own),
  (select count(*) from rule_override where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and ended_at is null and review_at < %(now)s::timestamptz)

-- name: measures_by_rule
select rule_id, count(*), count(*) filter (where outcome ->> 'action' <> 'none' and coalesce(outcome ->> 'judged', 'true') = 'true')
from alert where (%(organisation)s::uuid is null or organisation_id = %(organisation)s) and not technical and closed_by is not null
  and raised_at > %(now)s::timestamptz - make_interval(days => %(days)s)
group by rule_id order by rule_id

-- name: open_by_severity
select severity, technical, sum(open)::bigint from episode_count group by 1, 2
