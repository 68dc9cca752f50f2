-- The door: who a request comes from, and what the rest of its transaction may see.

-- name: come_in
-- The person of a session's cookie.
select staff_id, organisation_id, display_name, credential, role, time_zone, sight, csrf_token, last_seen_at
from come_in(%(token_hash)s, %(now)s, %(idle_since)s, %(held)s)

-- name: stand_as
-- Somebody who has shown an API token.
select staff_id, organisation_id, display_name, credential, role, time_zone, sight, '' as csrf_token,
       %(now)s::timestamptz as last_seen_at
from stand_as(%(staff_id)s, %(organisation_id)s, %(now)s, %(held)s)
