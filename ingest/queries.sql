-- name: bound_statements
-- A server that is there but stuck gives up before we give it up.
select set_config('statement_timeout', %(ms)s::text, false);

-- name: claim_new_identities
-- Ids come sorted, so that two workers never wait for each other in a circle; one that was seen
-- before fails. Measured: 2.4 us of the server's time an id, where `on conflict` takes 6.3.
copy reading_identity (reading_id) from stdin (format binary);

-- name: claim_identities
-- The same where some were seen before. Returns the new ones, 16 bytes each: a reading that was seen
-- before, in a chart or in quarantine, changes nothing.
with fresh as (
  insert into reading_identity (reading_id)
  select * from unnest(%(ids)s::uuid[])
  on conflict do nothing returning reading_id
)
select string_agg(uuid_send(reading_id), '') from fresh;

-- name: copy_readings
-- The columns are in the order in which ingest.copying packs them.
copy reading (
  reading_id, organisation_id, patient_id, measured_at, received_at, gateway_time,
  value, diastolic, mean_arterial, pulse, original_value, device_time, clock_offset_s, sequence,
  kind, original_unit, status, time_quality, characteristic, live, user_slot,
  device_id, gateway_id, flags, extra, frame
) from stdin (format binary);

-- name: copy_to_evaluate
copy to_evaluate (
  reading_id, organisation_id, patient_id, measured_at, received_at, kind
) from stdin (format binary);

-- name: store_quarantine
insert into quarantine (
  id, organisation_id, gateway_id, device_id, reason, detail, topic, payload, gateway_time,
  received_at, queue
)
select * from unnest(
  %(id)s::uuid[], %(organisation_id)s::uuid[], %(gateway_id)s::text[], %(device_id)s::text[],
  %(reason)s::text[], %(detail)s::text[], %(topic)s::text[], %(payload)s::bytea[],
  %(gateway_time)s::timestamptz[], %(received_at)s::timestamptz[], %(queue)s::text[]
)
on conflict (id) do update set times_seen = quarantine.times_seen + 1;

-- name: seen_again
-- Readings that came again; those that wait in quarantine count it.
update quarantine set times_seen = times_seen + 1 where id = any(%(ids)s::uuid[]);

-- name: notify_evaluate
select pg_notify('tidings_evaluate', '');

-- name: gateways
select id, organisation_id, revoked_at is not null from gateway where id = any(%s);

-- name: devices
-- Registered devices with every assignment they ever had: a late reading may belong to an old one.
select
  device.id, device.organisation_id, device.averaging, device.retired_at,
  device_assignment.user_slot, device_assignment.assigned_from, device_assignment.assigned_to,
  patient.id, patient.birth_date, patient.time_zone
from device
left join device_assignment on device_assignment.device_id = device.id
left join patient on patient.id = device_assignment.patient_id
where device.id = any(%s)
order by device.id, device_assignment.assigned_from;

-- name: medians
-- What is usual for each (patient, kind): at most the 21 newest readings of seven days.
select
  asked.patient_id, asked.kind, usual.value, usual.diastolic, usual.pulse, usual.last_value,
  usual.last_at
from unnest(%(patients)s::uuid[], %(kinds)s::text[]) as asked (patient_id, kind)
cross join lateral (
  select
    percentile_disc(0.5) within group (order by value) as value,
    percentile_disc(0.5) within group (order by diastolic) as diastolic,
    percentile_disc(0.5) within group (order by pulse) as pulse,
    (array_agg(value order by measured_at desc))[1] as last_value,
    max(measured_at) as last_at,
    count(*) as readings
  from (
    select value, diastolic, pulse, measured_at from reading
    where patient_id = asked.patient_id and kind = asked.kind and status = 'accepted'
      and measured_at > %(now)s - interval '7 days' and measured_at <= %(now)s
    order by measured_at desc limit 21
  ) as week
) as usual
where usual.readings >= 3;

-- name: other_rates
-- Pulses of these patients that any device gave lately, for two devices that disagree.
select patient_id, device_id, measured_at, coalesce(pulse, value)
from reading
where patient_id = any(%(patients)s) and kind = any('{heart_rate,spo2,blood_pressure}')
  and (kind = 'heart_rate' or pulse is not null)
  and measured_at between %(since)s and %(until)s;

-- name: store_events
insert into gateway_event (
  id, organisation_id, gateway_id, device_id, event, detail, at, received_at
)
select event.id, gateway.organisation_id, gateway.id, event.device_id, event.event, event.detail,
  event.at, event.received_at
from unnest(
  %(id)s::uuid[], %(gateway_id)s::text[], %(device_id)s::text[], %(event)s::text[],
  %(detail)s::text[], %(at)s::timestamptz[], %(received_at)s::timestamptz[]
) as event (id, gateway_id, device_id, event, detail, at, received_at)
join gateway on gateway.id = event.gateway_id
order by event.id
on conflict (id) do nothing
returning id;

-- name: store_statuses
-- Only rows that nobody else is changing: the next heartbeat comes in a minute.
with told as (
  select * from unnest(
    %(gateway_id)s::text[], %(state)s::text[], %(at)s::timestamptz[], %(status)s::text[]
  ) as s (gateway_id, state, at, status)
),
free as (
  select id from gateway where id = any(%(gateway_id)s::text[]) and revoked_at is null
  order by id for no key update skip locked
)
update gateway set
  state = told.state,
  last_seen_at = case when told.state = 'online'
    then greatest(gateway.last_seen_at, told.at) else gateway.last_seen_at end,
  status = told.status::jsonb
from told join free on free.id = told.gateway_id
where gateway.id = free.id;

-- name: store_device_states
with told as (
  select * from unnest(
    %(device_id)s::text[], %(gateway_id)s::text[], %(battery)s::int2[], %(firmware)s::text[],
    %(last_seen_at)s::timestamptz[]
  ) as s (device_id, gateway_id, battery, firmware, last_seen_at)
),
free as (
  select id from device where id = any(%(device_id)s::text[])
  order by id for no key update skip locked
)
update device set
  battery = coalesce(told.battery, device.battery),
  firmware = coalesce(told.firmware, device.firmware),
  last_seen_at = greatest(device.last_seen_at, told.last_seen_at)
from told
join free on free.id = told.device_id
join gateway on gateway.id = told.gateway_id and gateway.revoked_at is null
where device.id = free.id and device.organisation_id = gateway.organisation_id;

-- name: touch_gateways
with free as (
  select seen.id, seen.at
  from unnest(%(ids)s::text[], %(ats)s::timestamptz[]) as seen (id, at)
  join gateway on gateway.id = seen.id
  order by seen.id for no key update of gateway skip locked
)
update gateway set last_seen_at = greatest(gateway.last_seen_at, free.at)
from free where gateway.id = free.id;

-- name: touch_devices
with free as (
  select seen.id, seen.at
  from unnest(%(ids)s::text[], %(ats)s::timestamptz[]) as seen (id, at)
  join device on device.id = seen.id
  order by seen.id for no key update of device skip locked
)
update device set last_seen_at = greatest(device.last_seen_at, free.at)
from free where device.id = free.id;

-- name: notify_technical
select pg_notify('tidings_technical', '');

-- name: claim_slot
-- Advisory locks are counted: one that we hold already is not taken twice.
select case
  when exists (
    select from pg_locks
    where locktype = 'advisory' and classid = 7442 and objid = %(slot)s and pid = pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())
  ) then true
  else pg_try_advisory_lock(7442, %(slot)s)
end;

-- name: release_slot
select pg_advisory_unlock(7442, %(slot)s);

-- name: stand_in_line
select pg_try_advisory_lock_shared(7443, 0);

-- name: leave_line
select pg_advisory_unlock_shared(7443, 0);

-- name: somebody_in_line
select exists (
  select from pg_locks
  where locktype = 'advisory' and classid = 7443 and objid = 0 and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())
);

-- name: open_quarantine
select gateway_id, device_id, topic, payload, received_at
from quarantine
where id = %(id)s and organisation_id = %(organisation_id)s and state = 'open'
for update;

-- name: resolve_quarantine
update quarantine set
  state = %(state)s, resolved_by = %(staff_id)s, resolved_at = %(now)s, resolution = %(note)s
where id = %(id)s and organisation_id = %(organisation_id)s and state = 'open';

-- name: patient
select birth_date, time_zone from patient
where id = %(id)s and organisation_id = %(organisation_id)s;

-- name: move_reading
-- Found by its present owner, by whom readings are indexed.
update reading set patient_id = %(new_owner)s
where patient_id = %(owner)s and reading_id = %(reading_id)s
  and organisation_id = %(organisation_id)s;

-- name: queue_again
-- A reading moved away is queued for its former owner too: the rules look at what is left.
with queued as (
  insert into to_evaluate (
    organisation_id, patient_id, reading_id, kind, measured_at, received_at
  )
  select organisation_id, %(patient_id)s, reading_id, kind, measured_at, %(now)s
  from reading where patient_id = %(owner)s and reading_id = %(reading_id)s
  returning 1
)
select pg_notify('tidings_evaluate', '') from queued;

-- name: audit_reading
insert into audit (
  organisation_id, at, actor, action, object_kind, object_id, patient_id, detail
)
values (
  %(organisation_id)s, %(now)s, %(actor)s, 'change', 'reading', %(object_id)s, %(patient_id)s,
  jsonb_build_object('what', %(what)s::text, 'note', %(note)s::text)
);

-- name: stored_frames
select
  reading.reading_id, reading.patient_id, reading.characteristic, reading.frame, device.model,
  reading.extra->>'following',
  reading.kind, reading.value, reading.diastolic, reading.mean_arterial, reading.pulse,
  reading.original_value, reading.original_unit
from reading
join device on device.id = reading.device_id
where reading.measured_at >= %(since)s and reading.measured_at < %(until)s
  and reading.entry = 'device' and reading.status <> 'entered_in_error'
  and octet_length(reading.frame) > 0
  and (%(characteristic)s::text is null or reading.characteristic = %(characteristic)s)
order by reading.measured_at;

-- name: correct_reading
update reading set
  kind = %(kind)s, value = %(value)s, diastolic = %(diastolic)s,
  mean_arterial = %(mean_arterial)s, pulse = %(pulse)s, original_value = %(original_value)s,
  original_unit = %(original_unit)s, status = 'flagged',
  flags = array_append(array_remove(flags, %(flag)s), %(flag)s)
where patient_id = %(patient_id)s and reading_id = %(reading_id)s;

-- name: audit_replay
insert into audit (
  organisation_id, at, actor, action, object_kind, object_id, patient_id, detail
)
select organisation_id, %(now)s, 'process:ingest', 'change', 'reading', reading_id::text,
  patient_id, jsonb_build_object('what', 'replay', 'note', %(why)s::text)
from reading where patient_id = %(patient_id)s and reading_id = %(reading_id)s;

-- name: unreadable_frames
select quarantine.id, quarantine.gateway_id, quarantine.device_id, coalesce(device.model, ''),
  quarantine.topic, quarantine.payload, quarantine.received_at
from quarantine
left join device on device.id = quarantine.device_id
where quarantine.reason = 'unreadable_frame' and quarantine.state = 'open'
  and quarantine.gateway_id is not null and quarantine.device_id is not null
order by quarantine.received_at;

-- name: resolve_by_replay
update quarantine set
  state = 'released', resolved_at = %(now)s, resolution = 'read by a newer decoder'
where id = %(id)s and state = 'open';
