-- Rules as published versions that nobody edits, cancelled replays, saved views of a team.

-- versions of an organisation's rules: drafted by one person, published by another, then fixed -----
alter table rule_draft add column programme text;             -- null: the whole organisation
alter table rule_draft add column number integer;             -- given when published, counted per scope
alter table rule_draft add column based_on integer not null default 0;  -- the version it began from; 0: the product
alter table rule_draft add column edited_by uuid[] not null default '{}';
alter table rule_draft add column edited_at timestamptz;
alter table rule_draft add column reason text not null default '';
alter table rule_draft add column effective_from timestamptz;
alter table rule_draft add column expires_at timestamptz;
alter table rule_draft drop constraint rule_draft_state_check;
alter table rule_draft add check (state in ('draft', 'published', 'retired', 'dropped'));
alter table rule_draft add check (state <> 'published' or (published_by is not null and published_at is not null));
alter table rule_draft add check (number is null or (reason <> '' and effective_from is not null and expires_at is not null
  and published_by <> all (edited_by)));
create unique index rule_draft_number on rule_draft (organisation_id, coalesce(programme, ''), number) where number is not null;
create unique index rule_draft_open on rule_draft (organisation_id, coalesce(programme, '')) where state = 'draft';

create function keep_version() returns trigger language plpgsql as $$ begin
  if tg_op = 'DELETE' or old.state <> 'draft' then
    raise exception 'a version of the rules that is no draft is not changed' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger keep_version before update or delete on rule_draft for each row execute function keep_version();

-- what a reading was judged by stays as it was: an override is only ended, or made to end earlier ---
alter table rule_override add column draft_id uuid references rule_draft;  -- the version it came with
create index rule_override_draft on rule_override (draft_id) where draft_id is not null;
create function keep_override() returns trigger language plpgsql as $$ begin
  if tg_op = 'DELETE' or old.ended_at is not null
    or (to_jsonb(new) - 'ended_at' - 'expires_at') <> (to_jsonb(old) - 'ended_at' - 'expires_at')
    or new.expires_at > old.expires_at then
    raise exception 'an override is only ended' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger keep_override before update or delete on rule_override for each row execute function keep_override();

-- what-if replays may be called off, and may be about one programme --------------------------------
alter table replay_run drop constraint replay_run_state_check;
alter table replay_run add check (state in ('asked', 'running', 'done', 'failed', 'cancelled'));
alter table replay_run add column programme text;
create index replay_run_draft on replay_run (draft_id, asked_at desc) where draft_id is not null;

create index saved_view_shared on saved_view (organisation_id) where shared;
