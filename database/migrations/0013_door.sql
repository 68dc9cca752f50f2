-- The door in one statement, and counts that leave out what is shut to whoever asks.

-- Hold the rest of this transaction to an organisation and, for roles that may break the glass, to the person's teams;
-- return the person, nothing if they may not come in. With the caller's own rights. Two people of an organisation have
-- the same `sight` only if the same teams and records are shut to them.
create function stand_as(staff uuid, organisation uuid, at timestamptz, held text[]) returns table (
    staff_id uuid, organisation_id uuid, display_name text, credential text, role text, time_zone text, sight text)
  language plpgsql as $$
#variable_conflict use_column
begin
  perform set_config('tidings.organisation', organisation::text, true);
  select s.id, s.organisation_id, s.display_name, s.credential, s.role, o.time_zone, ''
    into staff_id, organisation_id, display_name, credential, role, time_zone, sight
    from staff s join organisation o on o.id = s.organisation_id
    where s.id = stand_as.staff and s.disabled_at is null;
  if not found then return; end if;
  if stand_as.role = any(held) then
    perform set_config('tidings.staff', stand_as.staff::text, true), set_config('tidings.now', at::text, true);
    sight := (
      select coalesce(string_agg(t.id::text, ' ' order by t.id), '') from care_team t
      where t.closed and not exists (select from care_team_member m where m.care_team_id = t.id and m.staff_id = stand_as.staff)
    ) || '/' || (
      select coalesce(string_agg(distinct g.patient_id::text, ' '), '') from break_glass g
      where g.staff_id = stand_as.staff and g.ended_at is null and g.expires_at > at);
  end if;
  return next;
end $$;

-- The same by a session's cookie, with the session.
create function come_in(token bytea, at timestamptz, idle_since timestamptz, held text[]) returns table (
    staff_id uuid, organisation_id uuid, display_name text, credential text, role text, time_zone text, sight text,
    csrf_token text, last_seen_at timestamptz)
  language plpgsql as $$
#variable_conflict use_column
begin return query
  select p.staff_id, p.organisation_id, p.display_name, p.credential, p.role, p.time_zone, p.sight, s.csrf_token, s.last_seen_at
  from staff_session s, lateral stand_as(s.staff_id, s.organisation_id, at, held) p
  where s.token_hash = token and s.revoked_at is null and s.expires_at > at and s.last_seen_at > idle_since
    and not s.awaiting_code;
end $$;
revoke execute on function stand_as, come_in from public;
grant execute on function stand_as, come_in to tidings_web;

-- The tally counts everybody's open episodes; of those shut to the person of this transaction only the numbers are told,
-- to be taken off.
create function shut_open() returns table (queue text, severity smallint, technical boolean, owned boolean, open bigint)
  language sql stable security definer set search_path = public, pg_temp as $$
  select e.queue, e.severity, e.technical, e.owner_id is not null, count(*)
  from shut_patients() p join episode e on e.patient_id = p
  where e.closed_at is null and e.snoozed_until is null
  group by 1, 2, 3, 4
$$;
revoke execute on function shut_open from public;
grant execute on function shut_open to tidings_web;
