-- name: calling
-- One live token by its hash, before an organisation is known.
select id, organisation_id, staff_id, token_hash, scopes, last_used_at from api_token_calling(%(token_hash)s)
where expires_at > %(now)s

-- name: touch_token
-- Leaves it to another request of the same token that is about to: nobody waits for a slow one.
update api_token set last_used_at = %(now)s where id = (select id from api_token where id = %(id)s for update skip locked)

-- name: tokens
select t.id, t.name, s.role, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at,
       s.disabled_at is not null as disabled
from api_token t join staff s on s.id = t.staff_id
where t.organisation_id = current_organisation()
order by t.revoked_at is not null, t.created_at desc limit 200

-- name: mint
-- An integration's account has no password: nobody can sign in with it.
with account as (
  insert into staff (organisation_id, email, display_name, credential, role, created_at)
  values (current_organisation(), %(address)s, %(name)s, 'API', %(role)s, %(now)s) returning id
)
insert into api_token (organisation_id, token_hash, name, scopes, staff_id, created_at, expires_at)
select current_organisation(), %(token_hash)s, %(name)s, %(scopes)s, id, %(now)s, %(expires_at)s from account
returning id

-- name: revoke_token
with ended as (
  update api_token set revoked_at = %(now)s
  where id = %(id)s and organisation_id = current_organisation() and revoked_at is null returning staff_id
)
update staff set disabled_at = coalesce(disabled_at, %(now)s) where id in (select staff_id from ended)
