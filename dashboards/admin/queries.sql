-- name: staff
select s.id, s.email, s.display_name, s.credential, s.role, s.totp_secret is not null or exists (select from passkey k where k.staff_id = s.id) as has_code, s.disabled_at, s.created_at,
       (select max(last_seen_at) from staff_session x where x.staff_id = s.id) as last_seen_at,
       (select count(*) from staff_session x where x.staff_id = s.id and x.revoked_at is null and x.expires_at > %(now)s) as sessions
from staff s where s.organisation_id = current_organisation() order by s.disabled_at is not null, s.display_name

-- name: add_staff
insert into staff (organisation_id, email, display_name, credential, role, password_hash, created_at)
values (current_organisation(), %(email)s, %(display_name)s, %(credential)s, %(role)s, %(password_hash)s, %(now)s)

-- name: set_role
update staff set role = %(role)s where id = %(staff_id)s and organisation_id = current_organisation()

-- name: disable
update staff set disabled_at = %(now)s where id = %(staff_id)s and organisation_id = current_organisation() and disabled_at is null

-- name: enable
update staff set disabled_at = null where id = %(staff_id)s and organisation_id = current_organisation()

-- name: forget_code
-- The telephone is lost, and with it what was on it: codes and passkeys.
with lost as (delete from passkey where staff_id = %(staff_id)s and organisation_id = current_organisation())
update staff set totp_secret = null, totp_last_step = null where id = %(staff_id)s and organisation_id = current_organisation()

-- name: revoke_sessions
update staff_session set revoked_at = %(now)s
where staff_id = %(staff_id)s and organisation_id = current_organisation() and revoked_at is null

-- name: teams
select t.id, t.name, array_agg(s.display_name order by s.display_name) filter (where s.id is not null) as members
from care_team t left join care_team_member m on m.care_team_id = t.id left join staff s on s.id = m.staff_id
where t.organisation_id = current_organisation() group by t.id order by t.name
