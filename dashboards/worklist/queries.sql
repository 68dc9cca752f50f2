-- name: rows
-- A page of open episodes after a cursor, worst and most urgent first. The page is found before what its rows show is
-- looked up, so that a longer list costs no more; the planner drops the left join where no filter asks for the patient.
with page as materialized (
  select e.id from episode e left join patient p on p.id = e.patient_id
  where e.organisation_id = current_organisation() and e.closed_at is null
    and (%(after_id)s::uuid is null
         or (e.severity, e.due_at, e.id) > (%(after_severity)s::smallint, %(after_due)s::timestamptz, %(after_id)s::uuid))
    and (%(snoozed)s::boolean or e.snoozed_until is null or e.snoozed_until <= %(now)s)
    and (%(severities)s::smallint[] is null or e.severity = any(%(severities)s::smallint[]))
    and (%(technical)s::boolean is null or e.technical = %(technical)s)
    and (%(queue)s::text is null or e.queue = %(queue)s)
    and (%(not_queue)s::text is null or e.queue <> %(not_queue)s)
    and (%(owner)s::uuid is null or e.owner_id = %(owner)s)
    and (not %(unowned)s::boolean or e.owner_id is null)
    and (%(due_before)s::timestamptz is null or e.due_at < %(due_before)s)
    and (%(language)s::text is null or p.language = %(language)s)
    and (%(team)s::uuid is null or p.care_team_id = %(team)s)
    and (%(condition)s::text is null or %(condition)s = any(p.conditions))
    and (%(programme)s::text is null or exists (select from enrolment n
         where n.patient_id = e.patient_id and n.programme = %(programme)s and n.ended_at is null))
    and (%(metric)s::text is null or exists (select from alert a
         where a.episode_id = e.id and a.kind = %(metric)s and a.closed_at is null))
  order by e.severity, e.due_at, e.id
  limit %(most)s)
select r.id, patient_id, severity, technical, headline, why, alert_count, opened_at, due_at, owner_id,
       owner_name, claimed_at, lease_until, snoozed_until, sparkline, closed_at, version, family_name, given_name,
       birth_date, sex, mrn, language, kind, profiles, programmes, conditions, traits, time_zone, same_name
from page join worklist_row r on r.id = page.id
order by severity, due_at, r.id

-- name: rows_by_id
-- The rows that a browser shows, closed ones too.
select id, patient_id, severity, technical, headline, why, alert_count, opened_at, due_at, owner_id,
       owner_name, claimed_at, lease_until, snoozed_until, sparkline, closed_at, version, family_name, given_name,
       birth_date, sex, mrn, language, kind, profiles, programmes, conditions, traits, time_zone, same_name
from worklist_row
where organisation_id = current_organisation() and id = any(%(ids)s::uuid[])

-- name: counts
-- The numbers above the list, for everybody who sees the same: from the running tally without what is shut to them, and
-- of the index by due time only what is late or soon due. Snoozes that have ended but whose alerts were not woken yet are
-- added.
with facet as (
  select queue, severity, technical, owned, open from episode_count
  where organisation_id = current_organisation() and not snoozed
  union all
  select queue, severity, technical, owned, -open from shut_open()
  union all
  select queue, severity, technical, owner_id is not null, 1 from episode
  where organisation_id = current_organisation() and closed_at is null and snoozed_until <= %(now)s),
pressing as (
  select count(*) filter (where due_at < %(now)s and owner_id is null) as overdue, count(*) as due_soon from episode
  where organisation_id = current_organisation() and closed_at is null and due_at < %(soon)s
    and (snoozed_until is null or snoozed_until <= %(now)s))
select coalesce(sum(open) filter (where severity = 1), 0)::integer as critical,
       (select overdue from pressing) as overdue,
       coalesce(sum(open) filter (where severity <= 2 and not owned and not technical), 0)::integer as unclaimed_high,
       coalesce(sum(open), 0)::integer as all_open,
       coalesce(sum(open) filter (where severity <= 3 and not technical and queue <> 'outreach'), 0)::integer as needs_action,
       coalesce(sum(open) filter (where not owned), 0)::integer as unclaimed,
       (select due_soon from pressing) as due_soon,
       coalesce(sum(open) filter (where queue = 'outreach'), 0)::integer as no_readings,
       coalesce(sum(open) filter (where technical), 0)::integer as devices
from facet

-- name: counts_of
-- Those that are one person's own.
select count(*) as mine, count(*) filter (where snoozed_until > %(now)s) as snoozed
from episode
where organisation_id = current_organisation() and closed_at is null and owner_id = %(staff_id)s

-- name: filter_choices
select conditions, languages, programmes from filter_choices()

-- name: teams_of
select t.id, t.name from care_team t join care_team_member m on m.care_team_id = t.id where m.staff_id = %(staff_id)s order by t.name

-- name: alerts
-- The open alerts of an episode, worst first.
select id, rule_id, rule_version, profile, kind, severity, headline, why, computed, raised_at,
       last_breach_at, breaches, late
from alert where episode_id = %(episode_id)s and (closed_at is null or %(closed)s)
order by severity, raised_at desc

-- name: timeline
select v.at, v.action, v.reason, v.detail, s.display_name as by_name, a.headline, a.severity, a.rule_id, a.rule_version
from alert_event v
left join staff s on s.id = v.by_staff_id
left join alert a on a.id = v.alert_id
where v.episode_id = %(episode_id)s order by v.id desc limit 60

-- name: same_alert_before
-- How often the same rule fired before, and how it last ended.
select count(*) as times, max(a.raised_at) as last_at,
       (array_agg(a.outcome ->> 'outcome' order by a.raised_at desc) filter (where a.outcome is not null))[1] as last_outcome
from alert a
where a.patient_id = %(patient_id)s and a.rule_id = %(rule_id)s and a.episode_id <> %(episode_id)s
  and a.raised_at > %(since)s

-- name: draft
select outcome, note, saved_at from note_draft where staff_id = %(staff_id)s and episode_id = %(episode_id)s

-- name: save_draft
insert into note_draft (staff_id, episode_id, organisation_id, outcome, note, saved_at)
values (%(staff_id)s, %(episode_id)s, current_organisation(), %(outcome)s, %(note)s, %(now)s)
on conflict (staff_id, episode_id) do update
set outcome = excluded.outcome, note = excluded.note, saved_at = excluded.saved_at

-- name: drop_draft
delete from note_draft where staff_id = %(staff_id)s and episode_id = %(episode_id)s

-- name: organisation
select id, name, time_zone from organisation where id = current_organisation()

-- name: viewing
select pg_notify('tidings_presence', json_build_object('episode', %(episode_id)s::uuid, 'staff', %(staff_id)s::uuid,
       'organisation', current_organisation(), 'name', %(name)s::text)::text)
