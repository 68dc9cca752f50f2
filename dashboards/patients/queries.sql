-- name: person
select p.id, p.mrn, p.family_name, p.given_name, p.birth_date, p.sex, p.time_zone, p.language, p.phone,
       p.site, p.allergies, p.conditions, p.traits, p.care_team_id, t.name as team_name, p.deceased_on,
       exists (select from patient o where o.organisation_id = p.organisation_id and o.name_key = p.name_key
               and o.id <> p.id) as same_name
from patient p left join care_team t on t.id = p.care_team_id
where p.id = %(patient_id)s and p.organisation_id = current_organisation()

-- name: enrolments
select id, programme, programme_version, profiles, enrolled_at from enrolment
where patient_id = %(patient_id)s and ended_at is null order by enrolled_at

-- name: stays
-- Every stay in a programme: running ones first.
select id, programme, programme_version, profiles, enrolled_at, ended_at, coalesce(end_reason, '') as end_reason
from enrolment where patient_id = %(patient_id)s and organisation_id = current_organisation()
order by ended_at is not null, enrolled_at desc

-- name: enrol
-- Nothing if the patient is in that programme already.
insert into enrolment (organisation_id, patient_id, programme, programme_version, profiles, care_team_id, enrolled_at)
select p.organisation_id, p.id, %(programme)s, %(version)s, %(profiles)s, p.care_team_id, %(now)s
from patient p where p.id = %(patient_id)s and p.organisation_id = current_organisation()
on conflict (patient_id, programme) where ended_at is null do nothing returning id

-- name: end_stay
update enrolment set ended_at = %(now)s, end_reason = %(reason)s
where id = %(id)s and patient_id = %(patient_id)s and organisation_id = current_organisation() and ended_at is null

-- name: readings
-- Everything measured since a day, oldest first; readings entered in error are left out of trends.
select reading_id, kind, measured_at, value, diastolic, pulse, status, flags, time_quality
from visible_reading
where patient_id = %(patient_id)s and measured_at >= %(since)s and measured_at <= %(until)s
  and status <> 'entered_in_error' and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
order by measured_at

-- name: kinds
-- What has been measured of late.
select distinct kind from visible_reading where patient_id = %(patient_id)s and measured_at >= %(since)s

-- name: readings_page
-- The readings table: newest first, with provenance; after a cursor.
select reading_id, kind, measured_at, received_at, value, diastolic, mean_arterial, pulse, original_value,
       original_unit, status, flags, time_quality, device_time, gateway_time, clock_offset_s, live,
       device_id, gateway_id, sequence, user_slot, entry, characteristic, frame
from visible_reading
where patient_id = %(patient_id)s and (%(kind)s::text is null or kind = %(kind)s)
  and (%(before)s::timestamptz is null or (measured_at, reading_id) < (%(before)s, %(before_id)s))
order by measured_at desc, reading_id desc limit %(most)s

-- name: treatments
select at, what from treatment_change where patient_id = %(patient_id)s and at >= %(since)s order by at

-- name: alerts
select a.id, a.episode_id, a.rule_id, a.rule_version, a.kind, a.severity, a.headline, a.why, a.computed,
       a.raised_at, a.last_breach_at, a.breaches, a.late, a.closed_at, a.outcome, s.display_name as closed_by_name
from alert a left join staff s on s.id = a.closed_by
where a.patient_id = %(patient_id)s and a.raised_at >= %(since)s order by a.raised_at desc limit 200

-- name: open_episode
select id from episode where patient_id = %(patient_id)s and closed_at is null and not technical

-- name: device_days
select count(distinct (measured_at at time zone %(zone)s)::date) as days
from visible_reading where patient_id = %(patient_id)s and measured_at >= %(since)s and status <> 'entered_in_error'

-- name: days_with_readings
select distinct (measured_at at time zone %(zone)s)::date as day
from visible_reading where patient_id = %(patient_id)s and measured_at >= %(since)s and status <> 'entered_in_error'

-- name: devices
select d.id, d.model, d.kinds, d.serial, d.firmware, d.battery, d.last_seen_at, d.gateway_id, a.user_slot,
       a.assigned_from, g.state as gateway_state, g.last_seen_at as gateway_seen_at
from device_assignment a join device d on d.id = a.device_id left join gateway g on g.id = d.gateway_id
where a.patient_id = %(patient_id)s and (a.assigned_to is null or a.assigned_to > %(now)s)
order by d.model, d.id

-- name: search
-- Whom a closed team keeps is found, so that the glass can be broken, but nothing is said of them.
select p.id, p.mrn, p.family_name, p.given_name, p.birth_date, p.sex, p.language,
       case when p.id in (select shut_patients()) then '' else p.phone end as phone,
       case when p.id in (select shut_patients()) then '{}' else p.conditions end as conditions, e.severity, e.headline
from find_patients(%(wanted)s, %(most)s) p
left join episode e on e.patient_id = p.id and e.closed_at is null and not e.technical

-- name: recent
-- The people this member of staff looked at last.
select p.id, p.mrn, p.family_name, p.given_name, p.birth_date, p.sex, p.language, p.phone, p.conditions,
       e.severity, e.headline
from (select patient_id, max(id) as last from (
        select patient_id, id from audit
        where organisation_id = current_organisation() and actor = %(actor)s and patient_id is not null
        order by id desc limit 300) looked
      group by patient_id order by last desc limit %(most)s) l
join patient p on p.id = l.patient_id
left join episode e on e.patient_id = p.id and e.closed_at is null and not e.technical
order by l.last desc

-- name: overrides
-- Signed changes to rules: for this patient, their programmes, the organisation.
select id, level, rule_id, changes, disabled, effective_from, expires_at, patient_id, programme
from rule_override
where organisation_id = current_organisation() and ended_at is null
  and effective_from <= %(now)s and expires_at > %(now)s
  and (patient_id is null or patient_id = %(patient_id)s)
order by set_at
