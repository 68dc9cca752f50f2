-- name: month
select state, signed_by, exports, evaluated_at from billing_month
where organisation_id = current_organisation() and first = %(first)s;

-- name: signer
select display_name as name from staff where 'staff:' || id::text = %(signer)s;

-- name: totals
-- What the tiles and tabs count.
select count(*) as everybody, coalesce(sum(p.ready), 0) as codes,
  count(*) filter (where p.ready > 0) as ready, count(*) filter (where p.near <> '') as near,
  count(*) filter (where p.near = 'minutes') as near_minutes, count(*) filter (where p.near = 'days') as near_days,
  count(*) filter (where p.near = 'contact') as near_contact,
  count(*) filter (where p.blocked <> '') as blocked, count(*) filter (where p.blocked = 'consent') as blocked_consent,
  count(*) filter (where p.blocked = 'order') as blocked_order,
  count(*) filter (where p.blocked = 'eligibility') as blocked_eligibility,
  count(*) filter (where p.at_risk) as at_risk,
  (select count(distinct b.patient_id) from bill_line b where b.first = %(first)s and b.current
     and b.organisation_id = current_organisation() and b.exported_at is not null) as exported,
  (select count(distinct b.patient_id) from bill_line b where b.first = %(first)s and b.current
     and b.organisation_id = current_organisation() and b.review_reason <> '') as review,
  (select count(distinct n.patient_id) from enrolment n where n.organisation_id = current_organisation()
     and n.enrolled_at >= %(first)s and n.enrolled_at < %(last)s::date + 1) as new_ones,
  (select count(*) from bill_line b where b.first = %(first)s and b.current and b.organisation_id = current_organisation()) as lines
from billing_patient p where p.organisation_id = current_organisation() and p.first = %(first)s;

-- name: rows
-- A page of the month after a cursor, in the order of names.
select b.patient_id, p.family_name, p.given_name, p.mrn, p.birth_date, b.programme, b.days, b.days_need, b.minutes,
  b.minutes_need, b.contact_on, b.codes, b.blocked, b.at_risk, b.missing, b.mend,
  exists (select from bill_line l where l.patient_id = b.patient_id and l.first = b.first and l.current
          and l.review_reason <> '') as review,
  exists (select from task t where t.patient_id = b.patient_id and t.done_at is null and t.title like 'Billing: %%') as asked
from billing_patient b join patient p on p.id = b.patient_id
where b.organisation_id = current_organisation() and b.first = %(first)s
  and (b.sort_key, b.patient_id) > (%(after_key)s, %(after)s)
  and case %(status)s
    when 'ready' then b.ready > 0
    when 'near' then b.near <> ''
    when 'blocked' then b.blocked <> ''
    when 'risk' then b.at_risk
    when 'exported' then exists (select from bill_line l where l.patient_id = b.patient_id and l.first = b.first
                                 and l.current and l.exported_at is not null)
    when 'review' then exists (select from bill_line l where l.patient_id = b.patient_id and l.first = b.first
                               and l.current and l.review_reason <> '')
    else true end
order by b.sort_key, b.patient_id limit %(most)s;

-- name: sort_key
select sort_key from billing_patient
where organisation_id = current_organisation() and first = %(first)s and patient_id = %(after)s;

-- name: steps
select s.action, coalesce(p.display_name, s.by_whom) as who, s.at, s.note
from billing_step s left join staff p on s.by_whom = 'staff:' || p.id::text
where s.organisation_id = current_organisation() and s.first = %(first)s order by s.id desc limit 30;

-- name: files
select e.id, e.number, e.format, e.name, e.lines, e.sha256, e.differences, coalesce(p.display_name, e.by_whom) as who, e.at
from billing_export e left join staff p on e.by_whom = 'staff:' || p.id::text
where e.organisation_id = current_organisation() and e.first = %(first)s order by e.at desc limit 20;

-- name: file
select e.name, e.format, octet_length(e.content)
  + coalesce((select sum(octet_length(p.content)) from billing_export_piece p where p.export_id = e.id), 0) as size
from billing_export e where e.organisation_id = current_organisation() and e.id = %(id)s;

-- name: job
select id, first, kind, state, done, total, words, export_id, clock_timestamp() - beat_at as quiet from billing_job
where organisation_id = current_organisation() and id = %(id)s;

-- name: call_off
-- Its process notices at the next beat and rolls back.
update billing_job set state = 'cancelled', words = 'Called off', beat_at = clock_timestamp()
where organisation_id = current_organisation() and id = %(id)s and state = 'running';

-- name: last_job
select id, first, kind, state, done, total, words, export_id, clock_timestamp() - beat_at as quiet from billing_job
where organisation_id = current_organisation() and first = %(first)s
order by beat_at desc limit 1;

-- name: person
select b.patient_id, p.family_name, p.given_name, p.mrn, p.birth_date, b.programme, b.facts, b.evaluated_at
from billing_patient b join patient p on p.id = b.patient_id
where b.organisation_id = current_organisation() and b.first = %(first)s and b.patient_id = %(patient)s;

-- name: lines
select line_id, code, units, exported_at, locked_at, review_reason, answer from bill_line
where organisation_id = current_organisation() and first = %(first)s and patient_id = %(patient)s and current
order by code;

-- name: line_file
select line_id, patient_id from bill_line where organisation_id = current_organisation() and line_id = %(line)s;

-- name: staff_names
select id, display_name || case when credential <> '' then ', ' || credential else '' end as name
from staff where organisation_id = current_organisation();

-- name: ask
insert into task (organisation_id, patient_id, title, due_on, created_by, created_at)
select current_organisation(), %(patient)s, %(title)s, %(due_on)s, %(staff_id)s, %(now)s
where not exists (select from task where patient_id = %(patient)s and title = %(title)s and done_at is null);

-- name: patterns
select pattern, count(*) as findings from billing_finding
where organisation_id = current_organisation() and first = %(first)s group by pattern;

-- name: findings
select f.id, f.pattern, f.subject, f.number, f.most, cardinality(f.ids) as things,
  coalesce(s.display_name, p.family_name || ', ' || p.given_name) as who, p.id as patient_id
from billing_finding f
left join staff s on s.id::text = split_part(f.subject, ' ', 1)
left join patient p on p.id::text = f.subject
where f.organisation_id = current_organisation() and f.first = %(first)s
  and (%(pattern)s = '' or f.pattern = %(pattern)s) and f.id > %(after)s
order by f.id limit %(most_rows)s;

-- name: finding
select pattern, subject, number, most, ids, first from billing_finding
where organisation_id = current_organisation() and id = %(id)s;

-- name: entries_of
select t.id, t.started_at, t.ended_at, t.seconds, t.activity, t.note, s.display_name as who, t.patient_id,
  p.family_name, p.given_name
from time_entry t join staff s on s.id = t.staff_id join patient p on p.id = t.patient_id
where t.organisation_id = current_organisation() and t.id::text = any(%(ids)s) order by t.started_at limit 500;

-- name: patients_of
select id, family_name, given_name, mrn from patient
where organisation_id = current_organisation() and id::text = any(%(ids)s) order by family_name, given_name limit 500;

-- name: worked
select s.display_name as who, t.started_at::date::text as day, t.seconds
from time_entry t join staff s on s.id = t.staff_id
where t.organisation_id = current_organisation() and t.replaced_at is null
  and t.started_at >= %(first)s and t.started_at < %(last)s::date + 1;

-- name: consents
select c.id, upper(c.programme) as programme, c.given_at as at, c.method, c.withdrawn_at, c.text_version, c.cost_share_told,
  c.one_practitioner_told, s.display_name as who
from consent c left join staff s on s.id = c.recorded_by
where c.organisation_id = current_organisation() and c.patient_id = %(patient)s order by c.given_at desc, c.id;

-- name: orders
select upper(o.programme) as programme, o.ordered_at as at, o.ended_at, o.ordering_npi, o.icd10, o.goal, s.display_name as who
from clinical_order o left join staff s on s.id = o.recorded_by
where o.organisation_id = current_organisation() and o.patient_id = %(patient)s order by o.ordered_at desc, o.id;

-- name: episodes
select upper(e.programme) as programme, e.started_on, e.education_on, e.education_note, s.display_name as who
from monitoring_episode e left join staff s on s.id = e.education_by
where e.organisation_id = current_organisation() and e.patient_id = %(patient)s order by e.started_on desc, e.id;

-- name: visits
select kind, on_date as on, npi from visit
where organisation_id = current_organisation() and patient_id = %(patient)s order by on_date desc, id limit 20;

-- name: devices
select d.id, d.model, d.serial, coalesce(p.make, '') as make, coalesce(p.udi, '') as udi, coalesce(p.listing, '') as listing,
  p.fda_listed, coalesce(p.more_specific_code, '') as more_specific_code
from device d left join device_paper p on p.device_id = d.id
where d.organisation_id = current_organisation()
  and exists (select from device_assignment a where a.device_id = d.id and a.patient_id = %(patient)s)
order by d.id;

-- name: statements
select f.name, f.value, f.on_date as on, s.display_name as who
from care_fact f left join staff s on s.id = f.recorded_by
where f.organisation_id = current_organisation() and f.patient_id = %(patient)s order by f.on_date desc, f.recorded_at desc limit 40;

-- name: keep_consent
insert into consent (organisation_id, patient_id, programme, given_at, method, text_version, cost_share_told,
  one_practitioner_told, recorded_by, recorded_at)
values (current_organisation(), %(patient)s, %(program)s, %(at)s, %(method)s, %(text_version)s, %(cost_share_told)s,
  %(one_practitioner_told)s, %(staff_id)s, %(now)s);

-- name: keep_withdrawal
update consent set withdrawn_at = %(at)s
where organisation_id = current_organisation() and patient_id = %(patient)s and id = %(id)s
  and withdrawn_at is null and given_at <= %(at)s;

-- name: keep_order
insert into clinical_order (organisation_id, patient_id, programme, ordered_at, ordering_npi, icd10, goal, recorded_by, recorded_at)
values (current_organisation(), %(patient)s, %(program)s, %(at)s, %(ordering_npi)s, %(icd10)s, %(goal)s, %(staff_id)s, %(now)s);

-- name: keep_education
-- The running episode gets it; a patient who has none starts one.
with running as (
  select id from monitoring_episode where organisation_id = current_organisation() and patient_id = %(patient)s
    and upper(programme) = %(program)s and (ended_on is null or ended_on >= %(education_on)s) order by started_on desc limit 1
), taught as (
  update monitoring_episode set education_on = %(education_on)s, education_by = %(staff_id)s, education_note = %(note)s
  where id in (select id from running) returning id
), begun as (
  insert into monitoring_episode (organisation_id, patient_id, programme, started_on, education_on, education_by, education_note)
  select current_organisation(), %(patient)s, %(program)s, %(started_on)s, %(education_on)s, %(staff_id)s, %(note)s
  where not exists (select from running) returning id
)
select id from taught union all select id from begun;

-- name: keep_visit
insert into visit (organisation_id, patient_id, on_date, kind, npi)
values (current_organisation(), %(patient)s, %(on)s, %(kind)s, %(npi)s);

-- name: keep_statement
insert into care_fact (organisation_id, patient_id, name, value, on_date, recorded_by, recorded_at)
values (current_organisation(), %(patient)s, %(name)s, %(value)s::jsonb, %(on)s, %(staff_id)s, %(now)s);

-- name: keep_device
insert into device_paper (device_id, organisation_id, make, udi, listing, fda_listed, more_specific_code, recorded_by, recorded_at)
select d.id, d.organisation_id, %(make)s, %(udi)s, %(listing)s, %(listed)s, %(more_specific_code)s, %(staff_id)s, %(now)s
from device d where d.organisation_id = current_organisation() and d.id = %(device_id)s
  and exists (select from device_assignment a where a.device_id = d.id and a.patient_id = %(patient)s)
on conflict (device_id) do update set make = excluded.make, udi = excluded.udi, listing = excluded.listing,
  fda_listed = excluded.fda_listed, more_specific_code = excluded.more_specific_code, recorded_by = excluded.recorded_by,
  recorded_at = excluded.recorded_at;
