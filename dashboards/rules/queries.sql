-- name: overrides
-- What changes the product's rules now, or will: of the organisation, of programmes, of patients.
select o.id, o.level, o.rule_id, o.changes, o.disabled, o.effective_from, o.expires_at, o.review_at, o.patient_id, o.programme,
       o.reason, o.set_at, s.display_name as set_by, d.number, p.family_name, p.given_name, p.mrn
from rule_override o join staff s on s.id = o.set_by
left join rule_draft d on d.id = o.draft_id left join patient p on p.id = o.patient_id
where o.organisation_id = current_organisation() and o.ended_at is null and o.expires_at > %(now)s
  and (%(patient_id)s::uuid is null or o.patient_id is null or o.patient_id = %(patient_id)s)
order by o.expires_at, o.set_at

-- name: own_past
-- A patient's own limits that have ended.
select o.id, o.level, o.rule_id, o.changes, o.disabled, o.effective_from, o.expires_at, o.review_at, o.patient_id, o.programme,
       o.reason, o.set_at, s.display_name as set_by, null::integer as number, p.family_name, p.given_name, p.mrn
from rule_override o join staff s on s.id = o.set_by join patient p on p.id = o.patient_id
where o.organisation_id = current_organisation() and o.patient_id = %(patient_id)s and (o.ended_at is not null or o.expires_at <= %(now)s)
order by o.set_at desc limit 50

-- name: versions
select d.id, d.programme, d.number, d.title, d.state, d.changes, d.based_on, d.edited_by, d.drafted_by, d.drafted_at, d.edited_at,
       d.published_by, d.published_at, d.reason, d.effective_from, d.expires_at, d.replay,
       a.display_name as drafter, b.display_name as publisher
from rule_draft d join staff a on a.id = d.drafted_by left join staff b on b.id = d.published_by
where d.organisation_id = current_organisation() and (%(id)s::uuid is null or d.id = %(id)s) and d.state <> 'dropped'
order by d.number desc nulls first, d.drafted_at desc

-- name: programmes
select distinct programme as name from enrolment where organisation_id = current_organisation() and ended_at is null order by 1

-- name: begin_draft
insert into rule_draft (organisation_id, programme, title, changes, drafted_by, drafted_at, edited_by, edited_at, based_on)
values (current_organisation(), %(programme)s, '', %(changes)s, %(by)s, %(now)s, array[%(by)s::uuid], %(now)s, %(based_on)s)
on conflict do nothing returning id

-- name: lock_draft
-- Two people who save or publish at once: the second waits, and finds what the first did.
select id from rule_draft where id = %(id)s and organisation_id = current_organisation() for update

-- name: save_draft
update rule_draft set changes = %(changes)s, edited_at = %(now)s, replay = null,
  edited_by = case when %(by)s = any (edited_by) then edited_by else edited_by || %(by)s::uuid end
where id = %(id)s and organisation_id = current_organisation() and state = 'draft'

-- name: drop_draft
update rule_draft set state = 'dropped' where id = %(id)s and organisation_id = current_organisation() and state = 'draft'

-- name: publish_draft
update rule_draft set state = 'published', published_by = %(by)s, published_at = %(now)s, reason = %(reason)s, title = left(%(reason)s, 80),
  effective_from = %(effective_from)s, expires_at = %(expires_at)s, replay = %(replay)s, number = 1 + coalesce(
    (select max(o.number) from rule_draft o where o.organisation_id = current_organisation() and o.programme is not distinct from rule_draft.programme), 0)
where id = %(id)s and organisation_id = current_organisation() and state = 'draft' returning number

-- name: approve
insert into rule_approval (organisation_id, version, approved_by, approved_at, effective_from, note)
values (current_organisation(), %(id)s, %(by)s, %(now)s, %(effective_from)s, %(reason)s)

-- name: replace_overrides
-- What held so far holds until the new version begins; what had not begun never does.
update rule_override set
  ended_at = case when effective_from >= %(effective_from)s then %(now)s end,
  expires_at = case when effective_from >= %(effective_from)s then expires_at else %(effective_from)s end
where organisation_id = current_organisation() and ended_at is null and expires_at > %(effective_from)s
  and level = %(level)s and programme is not distinct from %(programme)s

-- name: add_override
insert into rule_override (organisation_id, level, patient_id, programme, rule_id, changes, disabled, reason, set_by, set_at,
  effective_from, expires_at, review_at, draft_id)
values (current_organisation(), %(level)s, %(patient_id)s, %(programme)s, %(rule_id)s, %(changes)s, %(disabled)s, %(reason)s, %(by)s, %(now)s,
  %(effective_from)s, %(expires_at)s, %(review_at)s, %(draft_id)s)

-- name: end_own
-- The limits that a patient has for one rule, or one of them.
update rule_override set ended_at = %(now)s
where organisation_id = current_organisation() and level = 'patient' and patient_id = %(patient_id)s and ended_at is null
  and (%(rule_id)s::text is null or rule_id = %(rule_id)s) and (%(id)s::uuid is null or id = %(id)s)

-- name: last_replay
select id, state, draft, days, patients, done, total, result, error, asked_at, ended_at from replay_run
where draft_id = %(draft_id)s and organisation_id = current_organisation() order by asked_at desc limit 1

-- name: called
-- Who is behind the ids of a replay.
select id, family_name, given_name, mrn from patient where organisation_id = current_organisation() and id = any(%(ids)s::uuid[])
