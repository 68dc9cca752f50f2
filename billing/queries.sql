-- name: clinic
select o.id, o.name, o.time_zone, coalesce(b.npi, '') as npi, coalesce(b.rendering_npi, '') as rendering_npi,
  coalesce(b.place_of_service, '') as place_of_service
from organisation o left join billing_practice b on b.organisation_id = o.id
where o.id = %(organisation)s;

-- name: clinics
select id, name from organisation where exists (select from patient p where p.organisation_id = organisation.id) order by name, id;

-- name: share
-- The next patients of a month: enrolled or monitored in it, and alive when it began; `offset 0` keeps it to a look at each
-- patient, where everybody's enrolments were hashed for every share.
select p.id from patient p
where p.organisation_id = %(organisation)s and p.id > %(after)s
  and (%(one)s::uuid is null or p.id = %(one)s)
  and (p.deceased_on is null or p.deceased_on >= %(first)s)
  and (exists (select from enrolment n where n.patient_id = p.id and n.enrolled_at < %(until)s
         and (n.ended_at is null or n.ended_at >= %(month_from)s) offset 0)
    or exists (select from monitoring_episode e where e.patient_id = p.id and e.started_on <= %(last)s
         and (e.ended_on is null or e.ended_on >= %(first)s) offset 0))
order by p.id limit %(most)s;

-- name: people
select p.id,
  lower(p.family_name) || '/' || lower(p.given_name) as sort_key,
  json_build_object(
    'id', p.id, 'timezone', p.time_zone, 'chronic_conditions', cardinality(p.conditions),
    'died_on', p.deceased_on, 'payer', coalesce(c.overlay, ''),
    'prior_visit_on', (select max(v.on_date) from visit v
      where v.patient_id = p.id and v.kind = 'em' and v.on_date <= %(last)s)) as patient,
  coalesce((select n.programme from enrolment n where n.patient_id = p.id
    and n.enrolled_at < %(until)s and (n.ended_at is null or n.ended_at >= %(month_from)s)
    order by n.enrolled_at limit 1), '') as programme,
  array(select distinct upper(x.programme) from (
    select programme from consent where patient_id = p.id
    union all select programme from clinical_order where patient_id = p.id
    union all select programme from monitoring_episode where patient_id = p.id
    union all select programme from time_entry where patient_id = p.id
      and ended_at > %(month_from)s and started_at < %(until)s) x order by 1) as programmes
from patient p left join coverage c on c.patient_id = p.id
where p.organisation_id = %(organisation)s and p.id = any(%(ids)s)
order by p.id;

-- name: how_many
select count(*) from patient p
where p.organisation_id = %(organisation)s and (%(one)s::uuid is null or p.id = %(one)s)
  and (p.deceased_on is null or p.deceased_on >= %(first)s)
  and (exists (select from enrolment n where n.patient_id = p.id and n.enrolled_at < %(until)s
         and (n.ended_at is null or n.ended_at >= %(month_from)s))
    or exists (select from monitoring_episode e where e.patient_id = p.id and e.started_on <= %(last)s
         and (e.ended_on is null or e.ended_on >= %(first)s)));

-- name: part_readings
-- The two windows that can end in the month, and the two first months of each episode: the anchor lies there.
select r.patient_id, json_agg(json_build_object(
    'id', r.reading_id, 'at', r.measured_at, 'received_at', r.received_at, 'device', r.device_id,
    'entry', r.entry, 'status', case when 'control_solution' = any(r.flags) then 'invalid' else r.status end
  ) order by r.measured_at, r.reading_id)
from reading r
where r.patient_id = any(%(ids)s) and r.measured_at < %(until)s
  and (r.measured_at >= %(readings_from)s or exists (
    select from monitoring_episode e where e.patient_id = r.patient_id
      and r.measured_at >= e.started_on - 1 and r.measured_at < e.started_on + 62))
group by r.patient_id;

-- name: part_all_readings
-- For the few whose first months hold no day that counts: everything since monitoring began.
select r.patient_id, json_agg(json_build_object(
    'id', r.reading_id, 'at', r.measured_at, 'received_at', r.received_at, 'device', r.device_id,
    'entry', r.entry, 'status', case when 'control_solution' = any(r.flags) then 'invalid' else r.status end
  ) order by r.measured_at, r.reading_id)
from reading r
where r.patient_id = any(%(ids)s) and r.measured_at < %(until)s
group by r.patient_id;

-- name: part_time_entries
select t.patient_id, json_agg(json_build_object(
    'id', t.id, 'start', t.started_at, 'end', t.ended_at, 'staff_id', t.staff_id,
    'role', t.staff_role, 'credential', s.credential, 'program', upper(t.programme), 'activity', t.activity,
    'interactive', t.interactive, 'mode', t.mode, 'with', coalesce(t.with_whom, 'patient'), 'note', t.note
  ) order by t.started_at, t.id)
from time_entry t join staff s on s.id = t.staff_id
where t.patient_id = any(%(ids)s) and t.replaced_at is null
  and t.ended_at > %(entries_from)s and t.started_at < %(until)s
group by t.patient_id;

-- name: part_other_patient_entries
-- What the same person logged for somebody else at the same time; `offset 0` keeps it to a look at each person's day, where
-- a join once read everybody's time for every share of patients.
select mine.patient_id, json_agg(distinct jsonb_build_object(
    'id', other.id, 'start', other.started_at, 'end', other.ended_at, 'staff_id', other.staff_id,
    'role', other.staff_role, 'program', upper(other.programme), 'activity', other.activity,
    'patient_id', other.patient_id))
from time_entry mine
cross join lateral (
  select o.* from time_entry o
  where o.staff_id = mine.staff_id and o.patient_id <> mine.patient_id and o.replaced_at is null
    and o.started_at < mine.ended_at and o.started_at > mine.started_at - interval '1 day' and o.ended_at > mine.started_at
  offset 0) other
where mine.patient_id = any(%(ids)s) and mine.replaced_at is null
  and mine.ended_at > %(entries_from)s and mine.started_at < %(until)s
group by mine.patient_id;

-- name: part_consents
select patient_id, json_agg(json_build_object(
    'id', id, 'program', upper(programme), 'at', given_at, 'withdrawn_at', withdrawn_at, 'method', method,
    'cost_share_told', cost_share_told, 'one_practitioner_told', one_practitioner_told) order by given_at, id)
from consent where patient_id = any(%(ids)s) group by patient_id;

-- name: part_orders
select patient_id, json_agg(json_build_object(
    'id', id, 'program', upper(programme), 'at', ordered_at, 'ended_at', ended_at,
    'ordering_npi', ordering_npi, 'icd10', icd10) order by ordered_at, id)
from clinical_order where patient_id = any(%(ids)s) group by patient_id;

-- name: part_episodes
select patient_id, json_agg(json_build_object(
    'id', id, 'program', upper(programme), 'rtm_system', coalesce(rtm_system, ''), 'monitoring_start', started_on,
    'setup_education_on', education_on, 'setup_code_already_billed', setup_billed) order by started_on, id)
from monitoring_episode where patient_id = any(%(ids)s) group by patient_id;

-- name: part_devices
-- Devices of which somebody recorded whether their readings may count.
select a.patient_id, json_agg(json_build_object('id', d.device_id, 'fda_listed', d.fda_listed,
    'more_specific_code', d.more_specific_code) order by d.device_id)
from (select distinct patient_id, device_id from device_assignment where patient_id = any(%(ids)s)) a
join device_paper d on d.device_id = a.device_id
where d.fda_listed is not null or d.more_specific_code <> ''
group by a.patient_id;

-- name: part_em_visits
select patient_id, json_agg(on_date order by on_date)
from visit where patient_id = any(%(ids)s) and kind = 'em' and billed and on_date between %(first)s - 31 and %(last)s
group by patient_id;

-- name: part_other_visits
select patient_id, json_agg(json_build_object('kind', kind, 'on', on_date) order by on_date)
from visit where patient_id = any(%(ids)s) and kind <> 'em' and on_date <= %(last)s group by patient_id;

-- name: part_inpatient_stays
select patient_id, json_agg(json_build_object(
    'from', from_date, 'to', to_date, 'qualifying', qualifying, 'to_community', to_community,
    'mdm', coalesce(decision_making, '')) order by from_date, id)
from inpatient_stay where patient_id = any(%(ids)s) group by patient_id;

-- name: part_external_claims
select patient_id, json_agg(json_build_object(
    'code', code, 'billing_npi', billing_npi, 'from', from_date, 'to', to_date) order by from_date, code, billing_npi)
from external_claim where patient_id = any(%(ids)s) group by patient_id;

-- name: part_prior_claims
select patient_id, json_agg(json_build_object(
    'code', code, 'from', content ->> 'service_from', 'to', content ->> 'service_to') order by first, code, line_id)
from bill_line
where patient_id = any(%(ids)s) and current and exported_at is not null and first < %(first)s
group by patient_id;

-- name: part_care_facts
select patient_id, json_agg(json_build_object('name', name, 'value', value, 'on', on_date) order by on_date, id)
from care_fact where patient_id = any(%(ids)s) and on_date <= %(last)s group by patient_id;

-- name: month
select state, signed_by, exports, evaluated_at from billing_month
where organisation_id = %(organisation)s and first = %(first)s;

-- name: open_month
insert into billing_month (organisation_id, first) values (%(organisation)s, %(first)s) on conflict do nothing;

-- name: lock_month
select pg_advisory_xact_lock(7442, hashtext(%(organisation)s::text || %(first)s::text));

-- name: keep_month
update billing_month set state = %(state)s, signed_by = %(signed_by)s, exports = %(exports)s
where organisation_id = %(organisation)s and first = %(first)s;

-- name: evaluated
update billing_month set evaluated_at = %(now)s where organisation_id = %(organisation)s and first = %(first)s;

-- name: steps
select action, by_whom, at, note from billing_step
where organisation_id = %(organisation)s and first = %(first)s order by id;

-- name: keep_step
insert into billing_step (organisation_id, first, action, by_whom, at, note)
values (%(organisation)s, %(first)s, %(action)s, %(by)s, %(at)s, %(note)s);

-- name: audit
insert into audit (organisation_id, at, actor, action, object_kind, object_id, patient_id, detail)
values (%(organisation)s, %(at)s, %(actor)s, %(action)s, %(object_kind)s, %(object_id)s, %(patient)s, %(detail)s);

-- name: keep_patients
-- One statement for a whole batch: the rows come as one document.
insert into billing_patient (organisation_id, first, patient_id, sort_key, programme, days, days_need, minutes,
  minutes_need, contact_on, codes, ready, near, blocked, at_risk, missing, mend, facts, evaluated_at)
select %(organisation)s, %(first)s, r.*, %(now)s
from json_to_recordset(%(rows)s::json) as r (patient uuid, sort_key text, programme text, days integer, days_need integer,
  minutes integer, minutes_need integer, contact_on date, codes jsonb, ready integer, near text, blocked text, at_risk boolean,
  missing text, mend text, facts jsonb)
on conflict (organisation_id, first, patient_id) do update set
  sort_key = excluded.sort_key, programme = excluded.programme, days = excluded.days, days_need = excluded.days_need,
  minutes = excluded.minutes, minutes_need = excluded.minutes_need, contact_on = excluded.contact_on,
  codes = excluded.codes, ready = excluded.ready, near = excluded.near, blocked = excluded.blocked,
  at_risk = excluded.at_risk, missing = excluded.missing, mend = excluded.mend, facts = excluded.facts,
  evaluated_at = excluded.evaluated_at;

-- name: forget_patients
-- Whoever was not judged this time no longer belongs to the month.
delete from billing_patient where organisation_id = %(organisation)s and first = %(first)s and evaluated_at < %(now)s;

-- name: keep_lines
insert into bill_line (organisation_id, first, patient_id, line_id, code, units, content, reading_ids, entry_ids,
  pack, pack_version, parameter_hash, made_at)
select %(organisation)s, %(first)s, r.*, %(now)s
from json_to_recordset(%(rows)s::json) as r (patient uuid, line text, code text, units integer, content jsonb,
  reading_ids uuid[], entry_ids uuid[], pack text, pack_version text, parameter_hash text)
on conflict (organisation_id, first, line_id) do update set current = true;

-- name: drop_lines
-- Lines that today's judgement does not give: gone, or kept as history if they once left in a file.
with old as (
  select id from bill_line where organisation_id = %(organisation)s and first = %(first)s and current
    and patient_id = any(%(ids)s) and not (line_id = any(%(lines)s))
), kept as (
  update bill_line set current = false where id in (select id from old) and exported_at is not null returning id
)
delete from bill_line where id in (select id from old) and exported_at is null;

-- name: drop_other_lines
-- Lines of patients who no longer belong to the month. Sets are subtracted once: joined row by row while the statistics
-- are still those of an empty month, this took the square of the patients.
delete from bill_line where organisation_id = %(organisation)s and first = %(first)s and exported_at is null
  and patient_id = any(array(
    select patient_id from bill_line where organisation_id = %(organisation)s and first = %(first)s and exported_at is null
    except select patient_id from billing_patient where organisation_id = %(organisation)s and first = %(first)s));

-- name: lines
-- The current lines of a month, a batch at a time, in the order of patients.
select b.line_id, b.content from bill_line b
where b.organisation_id = %(organisation)s and b.first = %(first)s and b.current
  and (b.patient_id, b.line_id) > (%(after_patient)s, %(after_line)s)
order by b.patient_id, b.line_id limit %(most)s;

-- name: judged_share
select patient_id from billing_patient
where organisation_id = %(organisation)s and first = %(first)s and patient_id > %(after)s
order by patient_id limit %(most)s;

-- name: facts_of_share
select facts from billing_patient
where organisation_id = %(organisation)s and first = %(first)s and patient_id = any(%(ids)s) order by patient_id;

-- name: facts_of
select facts from billing_patient where organisation_id = %(organisation)s and first = %(first)s and patient_id = %(patient)s;

-- name: lock_lines
-- Each line looks its patient up by the key: joined while the statistics are still those of an empty month, every line
-- was held against every patient.
update bill_line b set locked_at = %(now)s, review_reason = '', facts = (
  select p.facts from billing_patient p
  where p.organisation_id = b.organisation_id and p.first = b.first and p.patient_id = b.patient_id)
where b.organisation_id = %(organisation)s and b.first = %(first)s and b.current;

-- name: unlock_lines
update bill_line set locked_at = null, review_reason = ''
where organisation_id = %(organisation)s and first = %(first)s and current;

-- name: mark_review
update bill_line set review_reason = %(why)s
where organisation_id = %(organisation)s and first = %(first)s and line_id = %(line)s and review_reason = ''
returning patient_id, code;

-- name: confirm_line
update bill_line set review_reason = ''
where organisation_id = %(organisation)s and first = %(first)s and line_id = %(line)s and review_reason <> ''
returning patient_id, code;

-- name: needing_review
select count(*) from bill_line
where organisation_id = %(organisation)s and first = %(first)s and current and review_reason <> '';

-- name: last_exported
select b.content from exported_line x join bill_line b on b.id = x.bill_line_id
where x.export_id = (select id from billing_export where organisation_id = %(organisation)s and first = %(first)s
                     and number is not null order by number desc limit 1)
order by b.patient_id, b.line_id;

-- name: keep_export
insert into billing_export (organisation_id, first, number, format, name, sha256, lines, differences, by_whom, at)
values (%(organisation)s, %(first)s, %(number)s, %(format)s, %(name)s, %(sha256)s, %(lines)s, %(differences)s, %(by)s,
  %(now)s) returning id;

-- name: keep_piece
insert into billing_export_piece (export_id, place, organisation_id, content)
values (%(export)s, %(place)s, %(organisation)s, %(content)s);

-- name: piece
-- A file kept before there were pieces is one piece.
select content from billing_export_piece
where organisation_id = %(organisation)s and export_id = %(id)s and place = %(place)s
union all
select content from billing_export
where organisation_id = %(organisation)s and id = %(id)s and octet_length(content) > 0 and %(place)s = 0;

-- name: mark_exported
with sent as (
  update bill_line set exported_at = coalesce(exported_at, %(now)s)
  where organisation_id = %(organisation)s and first = %(first)s and current returning id, organisation_id
)
insert into exported_line (export_id, bill_line_id, organisation_id) select %(export)s, id, organisation_id from sent;

-- name: setup_billed
-- The episodes whose set-up was paid, found first and looked up by their key, whatever the statistics say.
update monitoring_episode set setup_billed = true
where not setup_billed and id = any(array(
  select nullif(split_part(content -> 'evidence' ->> 'education', '/', 2), '')::uuid from bill_line
  where organisation_id = %(organisation)s and first = %(first)s and current and answer ->> 'outcome' in ('paid', 'paid in part')));

-- name: keep_answer
update bill_line set answer = %(answer)s
where organisation_id = %(organisation)s and first = %(first)s and line_id = %(line)s;

-- name: practice
select name, npi, tax_id, street, city, state, postal_code, contact, phone, receiver_name, receiver_id
from billing_practice where organisation_id = %(organisation)s;

-- name: subscribers
select p.id, p.family_name, p.given_name, p.birth_date, p.sex, c.member_id, c.street, c.city, c.state, c.postal_code,
  c.payer_name, c.payer_id, c.filing
from coverage c join patient p on p.id = c.patient_id
where c.organisation_id = %(organisation)s and exists (
  select from bill_line b where b.patient_id = c.patient_id and b.first = %(first)s and b.current);

-- name: professionals
select npi, display_name from staff where organisation_id = %(organisation)s and npi is not null;

-- name: fees
select distinct on (code) code, amount from fee
where organisation_id = %(organisation)s and from_on <= %(last)s order by code, from_on desc;

-- name: line
select b.content, coalesce(b.facts, p.facts) as facts, b.first, b.patient_id
from bill_line b left join billing_patient p on p.organisation_id = b.organisation_id and p.first = b.first
  and p.patient_id = b.patient_id
where b.organisation_id = %(organisation)s and b.line_id = %(line)s;

-- name: line_owner
select organisation_id from bill_line where line_id = %(line)s;

-- name: paper_patient
select family_name || ', ' || given_name || ', born ' || birth_date || ', MRN ' || mrn as label,
  (select v.value #>> '{}' from care_fact v where v.patient_id = p.id and v.name = 'care_plan_summary'
   order by v.on_date desc, v.recorded_at desc limit 1) as care_plan
from patient p where id = %(patient)s;

-- name: paper_orders
select id::text, goal from clinical_order where patient_id = %(patient)s order by id;

-- name: paper_consents
select id::text, concat_ws('; ', method, nullif('text ' || text_version, 'text '),
  case when cost_share_told then 'cost share told' end, case when one_practitioner_told then 'one practitioner told' end)
from consent where patient_id = %(patient)s order by id;

-- name: paper_education
select education_note from monitoring_episode where patient_id = %(patient)s and education_note <> '' order by started_on desc limit 1;

-- name: paper_staff
select id::text, display_name || case when credential <> '' then ', ' || credential else '' end
from staff where id = any(%(staff)s);

-- name: paper_devices
select d.id, coalesce(nullif(p.make, ''), %(absent)s), coalesce(nullif(d.model, ''), %(absent)s),
  coalesce(nullif(d.serial, ''), %(absent)s), coalesce(nullif(p.udi, ''), %(absent)s), coalesce(nullif(p.listing, ''), %(absent)s)
from device d left join device_paper p on p.device_id = d.id where d.id = any(%(devices)s) order by d.id;

-- name: paper_attestation
-- Whoever signs a month off attests that no other practitioner bills its periods as far as is known.
select coalesce(s.display_name, b.by_whom) || ' at ' || to_char(b.at, 'YYYY-MM-DD HH24:MI') || ' UTC'
from billing_step b left join staff s on b.by_whom = 'staff:' || s.id::text
where b.organisation_id = %(organisation)s and b.first = %(first)s and b.action = 'sign off'
  and b.id > coalesce((select max(r.id) from billing_step r where r.organisation_id = b.organisation_id and r.first = b.first
                       and r.action = 'reopen'), 0)
order by b.id desc limit 1;

-- name: paper_gateway_times
select reading_id::text, gateway_time from reading where patient_id = %(patient)s and reading_id = any(%(readings)s);

-- name: paper_changes
select to_char(at, 'YYYY-MM-DD') || ' ' || what from treatment_change
where patient_id = %(patient)s and at >= %(from)s and at < %(until)s order by at, id;

-- name: paper_edits
select a.at, coalesce(s.display_name, a.actor), a.action || ' ' || a.object_kind, a.object_id, a.detail::text,
  coalesce(a.detail ->> 'reason', ''), a.id::text, encode(a.hash, 'hex')
from audit a left join staff s on a.actor = 'staff:' || s.id::text
where a.organisation_id = %(organisation)s and a.patient_id = %(patient)s and a.action in ('change', 'needs review', 'confirm')
  and (a.object_id = any(%(named)s) or a.object_kind in ('time_entry', 'reading', 'consent', 'order'))
order by a.id;

-- name: chain_head
-- The newest change: looking at the evidence is audited too, and must not change it.
select encode(hash, 'hex') from audit where organisation_id = %(organisation)s
  and patient_id = %(patient)s and action in ('change', 'needs review', 'confirm') order by id desc limit 1;

-- name: audit_rows
-- Rows of the trail that evidence names: their hashes, and whether each still follows from what its row says.
select a.id::text, encode(a.hash, 'hex'),
  a.hash = sha256(coalesce(a.previous_hash, ''::bytea) || convert_to(audit_text(a), 'UTF8'))
from audit a where a.organisation_id = %(organisation)s and a.id = any(%(ids)s);

-- name: forget_findings
delete from billing_finding where organisation_id = %(organisation)s and first = %(first)s;

-- name: keep_finding
insert into billing_finding (organisation_id, first, pattern, subject, number, most, ids)
values (%(organisation)s, %(first)s, %(pattern)s, %(subject)s, %(number)s, %(most)s, %(ids)s);

-- name: audit_entries
-- The month's time, person by person: read through a cursor of the server, so that only one person's is in memory.
select t.id::text, t.started_at, t.ended_at, t.staff_id::text, t.staff_role, upper(t.programme), t.activity,
  t.patient_id::text, t.note
from time_entry t
where t.organisation_id = %(organisation)s and t.replaced_at is null
  and t.started_at >= %(month_from)s and t.started_at < %(until)s
order by t.staff_id, t.started_at, t.id;

-- name: audit_enrolments
select e.patient_id, min(e.started_on), (select max(v.on_date) from visit v where v.patient_id = e.patient_id and v.kind = 'em'
  and v.on_date <= min(e.started_on))
from monitoring_episode e where e.organisation_id = %(organisation)s and e.started_on >= %(first)s - 100
  and e.started_on <= %(last)s group by e.patient_id;

-- name: audit_claims
select b.patient_id, array_agg(distinct b.code),
  (select count(distinct a.device_id) from device_assignment a where a.patient_id = b.patient_id
     and a.assigned_from >= %(month_from)s and a.assigned_from < %(until)s),
  array(select distinct x.billing_npi from external_claim x where x.patient_id = b.patient_id
     and x.from_date <= %(last)s and x.to_date >= %(first)s)
from bill_line b where b.organisation_id = %(organisation)s and b.first = %(first)s and b.current group by b.patient_id;

-- name: start_job
-- One piece of work on a month at a time; a beat older than a minute means that its process is gone.
insert into billing_job (id, organisation_id, first, kind, by_whom, started_at, beat_at)
select %(id)s, %(organisation)s, %(first)s, %(kind)s, %(by)s, %(now)s, clock_timestamp()
where not exists (
  select from billing_job where organisation_id = %(organisation)s and first = %(first)s
    and state = 'running' and beat_at > clock_timestamp() - interval '1 minute')
returning id;

-- name: beat_job
update billing_job set done = %(done)s, total = %(total)s, beat_at = clock_timestamp()
where id = %(id)s and state = 'running';

-- name: end_job
update billing_job set state = %(state)s, words = %(words)s, export_id = %(export)s, beat_at = clock_timestamp()
where id = %(id)s and state = 'running';

-- name: forget_drafts
-- Drafts are looked at and gone; only the one just made and the newest others of a month are kept.
with old as (
  select id from billing_export where organisation_id = %(organisation)s and first = %(first)s and number is null
    and id <> %(export)s
  order by at desc offset 3
), unlinked as (
  update billing_job set export_id = null where export_id in (select id from old) returning id
)
delete from billing_export where id in (select id from old) and (select count(*) from unlinked) >= 0;

-- name: how_many_judged
select count(*) from billing_patient where organisation_id = %(organisation)s and first = %(first)s;

-- name: lines_of
select content from bill_line
where organisation_id = %(organisation)s and first = %(first)s and current and patient_id = any(%(ids)s);

-- name: how_many_lines
select count(*) from bill_line where organisation_id = %(organisation)s and first = %(first)s and current;

-- name: lines_by_code
select code, count(*) from bill_line
where organisation_id = %(organisation)s and first = %(first)s and current group by code order by code;

-- name: export
select name, sha256, lines, number from billing_export
where organisation_id = %(organisation)s and first = %(first)s and id = %(id)s;
