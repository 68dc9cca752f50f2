-- Dead letters: how long what lay in quarantine is kept once it is settled. (Raw frames are kept with
-- their readings, table retention: a frame without its reading, or the reverse, explains nothing.)

create table dead_letter_retention (
  only_row boolean primary key default true check (only_row),
  keep interval check (keep > interval '0')     -- null: for ever
);
insert into dead_letter_retention (keep) values (interval '1 year');
grant select on dead_letter_retention to tidings_worker;

create index quarantine_settled on quarantine (resolved_at) where state <> 'open';
create index quarantine_nobodys on quarantine (received_at) where state = 'open' and organisation_id is null;

-- What waits for one of our people is kept however old it is; what no organisation can see is not.
create function forget_dead_letters(moment timestamptz, most integer default 20000) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  since constant timestamptz := (select moment - keep from dead_letter_retention);
  forgotten bigint;
begin
  with gone as (
    delete from quarantine where ctid = any (array(
      select ctid from quarantine where state <> 'open' and resolved_at < since
      union all
      select ctid from quarantine where state = 'open' and organisation_id is null and received_at < since
      limit most) ) returning 1
  ) select count(*) into forgotten from gone;
  return forgotten;
end $$;
revoke execute on function forget_dead_letters from public;
grant execute on function forget_dead_letters to tidings_worker;
