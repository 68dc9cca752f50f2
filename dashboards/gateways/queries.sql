-- name: only_organisation
-- The organisation of that name; without a name, the only one there is.
select min(id::text)::uuid as id from organisation where %(name)s = '' or name = %(name)s having count(*) = 1

-- name: put_gateway
-- A new box, or one that is known; a box of somebody else is left alone (no row).
insert into gateway (id, organisation_id, site, label) values (%(gateway)s, %(organisation)s, %(site)s, %(label)s)
on conflict (id) do update set site = excluded.site, label = coalesce(nullif(excluded.label, ''), gateway.label)
where gateway.organisation_id = excluded.organisation_id returning id

-- name: withdraw_codes
update gateway_code set expires_at = %(now)s where gateway_id = %(gateway)s and used_at is null and expires_at > %(now)s

-- name: put_code
insert into gateway_code (code_hash, organisation_id, gateway_id, broker, created_by, created_at, expires_at)
values (%(hash)s, %(organisation)s, %(gateway)s, %(broker)s, %(by)s, %(now)s, %(expires_at)s)

-- name: code
-- One code, locked: of two that give it at once the second finds it used.
select organisation_id, gateway_id, broker, expires_at, used_at from gateway_enrolling(%(hash)s)

-- name: use_code
update gateway_code set used_at = %(now)s where code_hash = %(hash)s

-- name: put_credential
insert into gateway_credential (gateway_id, organisation_id, password_hash, set_at)
values (%(gateway)s, %(organisation)s, %(hash)s, %(now)s)
on conflict (gateway_id) do update set password_hash = excluded.password_hash, set_at = excluded.set_at, next_hash = null, next_command = null

-- name: admit
-- Enrolled again, a revoked box is one of ours again.
update gateway set enrolled_at = %(now)s, revoked_at = null where id = %(gateway)s

-- name: revoke
-- Offline from now on: nothing that it or its broker says of it will be heard.
update gateway set revoked_at = %(now)s, state = 'offline' where id = %(gateway)s and revoked_at is null returning organisation_id

-- name: drop_credential
delete from gateway_credential where gateway_id = %(gateway)s

-- name: tell
select pg_notify('tidings_gateways', %(gateway)s)

-- name: home
-- Where a box stands: its site, and the time zone of the people there if they share one.
select g.id, g.organisation_id, g.site, g.revoked_at,
       coalesce((select min(p.time_zone) from device d
                 join device_assignment a on a.device_id = d.id and a.assigned_to is null
                 join patient p on p.id = a.patient_id
                 where d.gateway_id = g.id having count(distinct p.time_zone) = 1), o.time_zone) as time_zone
from gateway g join organisation o on o.id = g.organisation_id where g.id = %(gateway)s

-- name: devices
select d.id as identity, d.model, coalesce(s.address, '') as address, coalesce(s.name, '') as name, s.passkey,
       coalesce(s.consent_user, 1) as consent_user, s.consent_code, s.expected_every_hours
from device d left join device_setup s on s.device_id = d.id
where d.gateway_id = %(gateway)s and d.retired_at is null order by d.id

-- name: put_device
-- The device, if it is new or of the same organisation, now belongs to this box.
insert into device (id, organisation_id, model, kinds, gateway_id)
values (%(identity)s, %(organisation)s, %(model)s, %(kinds)s, %(gateway)s)
on conflict (id) do update set gateway_id = excluded.gateway_id, model = excluded.model, retired_at = null
where device.organisation_id = excluded.organisation_id returning id

-- name: put_setup
insert into device_setup (device_id, organisation_id, address, name, passkey, consent_user, consent_code, expected_every_hours)
values (%(identity)s, %(organisation)s, %(address)s, %(name)s, %(passkey)s, %(consent_user)s, %(consent_code)s, %(expected_every_hours)s)
on conflict (device_id) do update set address = excluded.address, name = excluded.name, passkey = excluded.passkey,
  consent_user = excluded.consent_user, consent_code = excluded.consent_code, expected_every_hours = excluded.expected_every_hours

-- name: accounts
-- Every box that may come in, and (without a hash) every one that may not.
select g.id as gateway, g.site, case when g.revoked_at is null then c.password_hash end as password_hash
from gateway g left join gateway_credential c on c.gateway_id = g.id order by g.id

-- name: put_command
insert into gateway_command (id, organisation_id, gateway_id, command, device_id, ordered_by, ordered_at, expires_at)
values (%(id)s, %(organisation)s, %(gateway)s, %(command)s, %(device)s, %(by)s, %(now)s, %(expires_at)s)

-- name: command
select id, gateway_id, command, device_id, expires_at, ok, reason from gateway_command where id = %(id)s

-- name: hand_over
update gateway_credential set next_hash = %(hash)s, next_command = %(id)s where gateway_id = %(gateway)s

-- name: answer
update gateway_command set answered_at = %(now)s, ok = %(ok)s, reason = %(reason)s where id = %(id)s and answered_at is null

-- name: taken_away
-- The box has forgotten a device: enrolled again, it is not told of it.
update device set gateway_id = null from gateway_command c
where c.id = %(id)s and c.command = 'forget' and device.id = c.device_id and device.gateway_id = c.gateway_id

-- name: take_over
-- The box has the new password: from now on it is the one.
update gateway_credential set password_hash = next_hash, set_at = %(now)s, next_hash = null, next_command = null
where next_command = %(id)s and next_hash is not null returning gateway_id
