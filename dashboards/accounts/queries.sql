-- name: signing_in
-- One account by its address, before an organisation is known.
select id, organisation_id, display_name, role, password_hash, totp_secret from staff_signing_in(%(address)s)

-- name: open_session
insert into staff_session (token_hash, staff_id, organisation_id, csrf_token, created_at, last_seen_at, expires_at, user_agent, awaiting_code)
values (%(token_hash)s, %(staff_id)s, %(organisation_id)s, %(csrf_token)s, %(now)s, %(now)s, %(expires_at)s, %(user_agent)s, %(awaiting_code)s)

-- name: live_session
-- A session that has neither ended nor been left alone too long.
select token_hash, staff_id, organisation_id, csrf_token, last_seen_at
from staff_session
where token_hash = %(token_hash)s and revoked_at is null
  and expires_at > %(now)s and last_seen_at > %(idle_since)s and awaiting_code = %(awaiting_code)s

-- name: touch_session
update staff_session set last_seen_at = %(now)s where token_hash = %(token_hash)s

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
select created_at, last_seen_at, user_agent, token_hash from staff_session
where staff_id = %(staff_id)s and revoked_at is null and expires_at > %(now)s
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
