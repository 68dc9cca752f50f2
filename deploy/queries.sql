-- SQL of the deploy folder: what `tidings doctor` asks as the owner, and notes of regular work.

-- name: database_now
select clock_timestamp();

-- name: newest_reading
-- Recent ones only: an old chunk would have to be decompressed.
select max(received_at) from reading where measured_at > %(now)s - interval '7 days';

-- name: commit_lag
-- The slowest of the newest readings, from the broker's delivery to the transaction that stored it.
select max(identity.first_stored_at - newest.received_at)
from (
  select reading_id, received_at from reading
  where received_at > %(now)s - interval '10 minutes' and measured_at > %(now)s - interval '7 days'
  order by received_at desc limit 1000
) as newest
join reading_identity as identity using (reading_id);

-- name: waiting_to_be_judged
select count(*), min(queued_at) from (select queued_at from to_evaluate order by id limit 100000) as waiting;

-- name: parked
select count(*), min(failed_at) from evaluation_failure where resolved_at is null;

-- name: quarantine
select queue, reason, count(*), min(received_at) from quarantine
where state = 'open' group by queue, reason order by count(*) desc, reason;

-- name: gateways
-- Those that are in use, the longest silent first.
select id, state = 'online', last_seen_at,
  coalesce((status ->> 'outbox_depth')::integer, 0), (status ->> 'outbox_oldest')::timestamptz
from gateway where revoked_at is null and state <> 'never_seen' order by last_seen_at nulls first, id;

-- name: slots
-- Slots of the shared subscription that an ingest process owns: a lock each (ingest/slots.py).
select objid::integer from pg_locks
where locktype = 'advisory' and classid = 7442 and objsubid = 2 and granted
  and database = (select oid from pg_database where datname = current_database())
order by 1;

-- name: heartbeats
select name, beat_at from heartbeat;

-- name: undelivered_pages
-- Pages that reached nobody, and pages that should have gone out and did not.
select count(*) filter (where state = 'undelivered'), min(created_at) filter (where state = 'undelivered'),
  count(*) filter (where state = 'pending' and next_attempt_at < %(now)s - %(patience)s::interval),
  min(next_attempt_at) filter (where state = 'pending' and next_attempt_at < %(now)s - %(patience)s::interval)
from page where state in ('undelivered', 'pending');

-- name: incidents
select severity, headline, subject, opened_at from incident
where closed_at is null order by severity, opened_at limit 20;

-- name: nobody_to_page
-- Organisations that look after patients, yet have no last resort for a page.
select name from organisation as o
where exists (select from enrolment e where e.organisation_id = o.id and e.ended_at is null)
  and not exists (
    select from contact_channel c
    where c.organisation_id = o.id and c.staff_id is null and c.disabled_at is null)
order by 1;

-- name: note
-- When something that must happen regularly has happened.
insert into heartbeat (name, beat_at) values (%(name)s, %(now)s)
on conflict (name) do update set beat_at = excluded.beat_at;

-- name: found_organisation
insert into organisation (name, time_zone)
select %(name)s, %(time_zone)s where not exists (select from organisation where name = %(name)s)
returning id;

-- name: found_administrator
insert into staff (organisation_id, email, display_name, role, password_hash)
values (%(organisation)s, %(email)s, %(person)s, 'administrator', %(hash)s);

-- name: found_last_resort
insert into contact_channel (organisation_id, staff_id, channel, address)
values (%(organisation)s, null,
  case when %(address)s like 'mailto%%' then 'email' when %(address)s like 'http%%' then 'webhook' else 'push' end,
  %(address)s);

-- name: found_audit
insert into audit (organisation_id, actor, action, object_kind, object_id)
values (%(organisation)s, 'operator', 'change', 'organisation', %(organisation)s::uuid::text);

-- name: billing_months
-- Every clinic that has patients, with its latest months.
select o.id, o.time_zone, m.first, m.state, m.evaluated_at
from organisation o left join billing_month m on m.organisation_id = o.id and m.first >= %(since)s
where exists (select from patient p where p.organisation_id = o.id)
order by o.id, m.first;
