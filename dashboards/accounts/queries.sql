-- name: signing_in
-- One account by its address, before an organisation is known.
select id, organisation_id, display_name, role, password_hash from staff_signing_in(%(address)s)

-- name: open_session
-- After a password alone it waits for the second step, if its person has set one up.
insert into staff_session (token_hash, staff_id, organisation_id, csrf_token, created_at, last_seen_at, expires_at, user_agent, awaiting_code)
values (%(token_hash)s, %(staff_id)s, %(organisation_id)s, %(csrf_token)s, %(now)s, %(now)s, %(expires_at)s, %(user_agent)s,
        %(by_password)s and exists (select from staff s where s.id = %(staff_id)s
          and (s.totp_secret is not null or exists (select from passkey k where k.staff_id = s.id))))
returning awaiting_code

-- name: live_session
-- A session that has neither ended nor been left alone too long.
select token_hash, staff_id, organisation_id, csrf_token, last_seen_at
from staff_session
where token_hash = %(token_hash)s and revoked_at is null
  and expires_at > %(now)s and last_seen_at > %(idle_since)s and awaiting_code = %(awaiting_code)s

-- name: touch_session
-- Leaves it to another request of the same session that is about to: nobody waits for a slow one.
update staff_session set last_seen_at = %(now)s
where token_hash = (select token_hash from staff_session where token_hash = %(token_hash)s for update skip locked)

-- name: revoke_session
update staff_session set revoked_at = %(now)s where token_hash = %(token_hash)s and revoked_at is null

-- name: revoke_sessions_of
update staff_session set revoked_at = %(now)s
where staff_id = %(staff_id)s and organisation_id = %(organisation_id)s and revoked_at is null

-- name: member
-- The person behind a session, unless disabled since.
select id, organisation_id, display_name, credential, role from staff
where id = %(staff_id)s and disabled_at is null

-- name: audit
insert into audit (organisation_id, at, actor, action, object_kind, object_id, patient_id, detail)
values (%(organisation_id)s, %(now)s, %(actor)s, %(action)s, %(object_kind)s, %(object_id)s, %(patient_id)s, %(detail)s)

-- name: sessions_of
select id, created_at, last_seen_at, user_agent, token_hash from staff_session
where staff_id = %(staff_id)s and revoked_at is null and expires_at > %(now)s and last_seen_at > %(idle_since)s
order by last_seen_at desc limit 50

-- name: revoke_other_sessions
update staff_session set revoked_at = %(now)s
where staff_id = %(staff_id)s and revoked_at is null and token_hash <> %(but)s

-- name: code_secret
select totp_secret, totp_last_step from staff where id = %(staff_id)s and disabled_at is null

-- name: use_code
-- One statement decides between two browsers that give the same code.
update staff set totp_last_step = %(step)s
where id = %(staff_id)s and (totp_last_step is null or totp_last_step < %(step)s)

-- name: set_secret
update staff set totp_secret = %(secret)s, totp_last_step = %(step)s where id = %(staff_id)s

-- name: end_session
-- One of one's own, by its id.
update staff_session set revoked_at = %(now)s
where id = %(id)s and staff_id = %(staff_id)s and organisation_id = current_organisation() and revoked_at is null

-- name: second_steps
-- What a person who gave the password can give next.
select totp_secret is not null as has_code, exists (select from passkey k where k.staff_id = staff.id) as has_passkey
from staff where id = %(staff_id)s

-- name: own_password
select password_hash from staff where id = %(staff_id)s and disabled_at is null

-- name: set_password
update staff set password_hash = %(password_hash)s where id = %(staff_id)s and organisation_id = current_organisation()

-- name: keep_challenge
select keep_challenge(%(hash)s, %(what)s, %(until)s, %(now)s)

-- name: take_challenge
select take_challenge(%(hash)s, %(now)s) as kept

-- name: passkeys_of
select id, name, credential_id, created_at, last_used_at from passkey where staff_id = %(staff_id)s order by created_at, id

-- name: add_passkey
insert into passkey (organisation_id, staff_id, credential_id, public_key, sign_count, name, created_at)
values (current_organisation(), %(staff_id)s, %(credential_id)s, %(public_key)s, %(sign_count)s, %(name)s, %(now)s)

-- name: rename_passkey
update passkey set name = %(name)s where id = %(id)s and staff_id = %(staff_id)s

-- name: remove_passkey
delete from passkey where id = %(id)s and staff_id = %(staff_id)s

-- name: passkey_calling
select passkey_id, public_key, sign_count, staff_id, organisation_id from passkey_calling(%(credential_id)s)

-- name: use_passkey
update passkey set sign_count = %(sign_count)s, last_used_at = %(now)s where id = %(id)s

-- name: known_identity
-- The account that a provider's subject belongs to, disabled or not.
select i.staff_id, s.disabled_at is null as may_enter from staff_identity i join staff s on s.id = i.staff_id
where i.organisation_id = current_organisation() and i.issuer = %(issuer)s and i.subject = %(subject)s

-- name: account_by_email
-- An account that this provider does not yet know under another subject.
select id as staff_id, disabled_at is null as may_enter from staff
where organisation_id = current_organisation() and lower(email) = lower(%(email)s)
  and not exists (select from staff_identity i where i.staff_id = staff.id and i.issuer = %(issuer)s)

-- name: add_account
insert into staff (organisation_id, email, display_name, role, created_at)
values (current_organisation(), lower(%(email)s), %(name)s, %(role)s, %(now)s) on conflict do nothing
returning id as staff_id, true as may_enter

-- name: bind_identity
insert into staff_identity (organisation_id, issuer, subject, staff_id, since)
values (current_organisation(), %(issuer)s, %(subject)s, %(staff_id)s, %(now)s)

-- name: last_seen
select last_seen_at from staff_session where token_hash = %(token_hash)s
