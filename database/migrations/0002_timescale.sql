-- Readings over years: hypertable, hourly and daily aggregates, compression, retention.
-- With TimescaleDB it schedules all that itself; plain PostgreSQL has the same names and rows, kept
-- up by maintain(), which the scheduler calls either way. `tidings.timescale` (auto, require, off)
-- chooses; table `backend` says what was chosen. Queries never call time_bucket.

create table backend (
  kind text not null check (kind in ('tsl', 'apache', 'plain')),  -- tsl: TimescaleDB with all it can do
  decided_at timestamptz not null default now()
);
create unique index backend_one on backend ((true));
grant select on backend to tidings_web, tidings_worker;

create table retention (
  what text primary key,
  keep interval,                                -- null: for ever
  reason text not null
);
insert into retention values
  ('reading', '10 years', 'evidence for claims; Medicare Advantage keeps records ten years, 42 CFR 422.504(d)'),
  ('reading_hourly', '12 years', 'trends outlive the readings they come from'),
  ('reading_daily', null, 'a patient''s course over a life');
grant select on retention to tidings_web, tidings_worker;

-- days begin at midnight UTC; a patient's local days are counted from readings, never from these
create function utc_day(moment timestamptz) returns timestamptz language sql immutable parallel safe as
  $$ select date_bin('1 day', moment, timestamptz '2000-01-01 00:00+00') $$;

-- which TimescaleDB is here, and may it be used -----------------------------------------------------
do $$
declare
  wanted constant text := coalesce(nullif(current_setting('tidings.timescale', true), ''), 'auto');
  -- only a preloaded library defines this; without one, create extension would end the session
  loaded constant boolean := current_setting('timescaledb.max_background_workers', true) is not null;
  version integer[];
  found_kind text := 'plain';
begin
  if wanted not in ('auto', 'require', 'off') then
    raise exception 'tidings.timescale is %: use auto, require or off', wanted;
  end if;
  if wanted = 'require' or (wanted = 'auto' and loaded) then
    begin
      create extension if not exists timescaledb;
    exception when others then
      if wanted = 'require' then raise; end if;
      raise notice 'TimescaleDB is there but cannot be used: %', sqlerrm;
    end;
    select string_to_array(regexp_replace(extversion, '[^0-9.].*$', ''), '.')::integer[]
      into version from pg_extension where extname = 'timescaledb';
  end if;
  if version >= array[2, 18] then
    found_kind := case when current_setting('timescaledb.license', true) = 'timescale' then 'tsl' else 'apache' end;
  end if;
  if wanted = 'require' and found_kind <> 'tsl' then
    raise exception 'TimescaleDB is required, but this server has % (license %)',
      coalesce('TimescaleDB ' || array_to_string(version, '.'), 'none'),
      coalesce(current_setting('timescaledb.license', true), 'unknown')
      using hint = 'TimescaleDB 2.18 or newer with timescaledb.license = timescale';
  end if;
  insert into backend (kind) values (found_kind);
end $$;

-- the hypertable and its aggregates, or their plain counterparts -------------------------------------
do $$
declare
  summary constant text := $sql$
    count(*) as n, count(*) filter (where status = 'flagged') as flagged,
    avg(value) as avg, min(value) as min, max(value) as max, sum(value) as sum,
    avg(diastolic) as diastolic_avg, avg(pulse) as pulse_avg $sql$;
  is_tsl constant boolean := (select kind = 'tsl' from backend);
  width record;
  days text;
begin
  if is_tsl then
    -- A patient has a few readings a day, too few to fill a compressed segment. Measured with 1,000
    -- patients, 4 readings a day, 120 days: a month a chunk and an organisation a segment took 178 MB
    -- to 37 MB and 90 days of one patient from 6.3 to 5.6 ms; a week a chunk and a patient a segment
    -- took it to 91 MB and 13 ms, a day a chunk to 271 MB and 56 ms.
    perform create_hypertable('reading', by_range('measured_at', interval '30 days'),
      create_default_indexes => false, migrate_data => true);
    alter table reading set (
      timescaledb.enable_columnstore, timescaledb.segmentby = 'organisation_id',
      timescaledb.orderby = 'patient_id, kind, measured_at desc');
  else
    create index reading_time on reading using brin (measured_at);
    -- days whose sums are out of date (repeats are fine), and those that maintain() is at
    create table reading_changed (patient_id uuid not null, kind text not null, day timestamptz not null);
    create index reading_changed_day on reading_changed (patient_id, kind, day);
    create table reading_summing (like reading_changed);
    grant select, insert on reading_changed to tidings_worker;
    create table reading_hourly_kept (
      organisation_id uuid not null, patient_id uuid not null, kind text not null,
      bucket timestamptz not null,
      n bigint not null, flagged bigint not null,
      avg double precision, min double precision, max double precision, sum double precision,
      diastolic_avg double precision, pulse_avg double precision,
      primary key (patient_id, kind, bucket, organisation_id)
    );
    create table reading_daily_kept (like reading_hourly_kept including all);
  end if;

  for width in values ('reading_hourly', '1 hour'), ('reading_daily', '1 day') loop
    if is_tsl then
      execute format($sql$
        create materialized view %I
        with (timescaledb.continuous, timescaledb.materialized_only = false) as
        select organisation_id, patient_id, kind, time_bucket(interval %L, measured_at) as bucket, %s
        from reading where status <> 'entered_in_error' group by 1, 2, 3, 4 with no data
        $sql$, width.column1, width.column2, summary);
    else
      foreach days in array array['changed', 'summing'] loop
        execute format($sql$
          create view %1$I as
          select organisation_id, patient_id, kind,
            date_bin(%2$L, measured_at, timestamptz '2000-01-01 00:00+00') as bucket, %3$s
          from (select distinct patient_id, kind, day from %4$I) as days
          join reading using (patient_id, kind)
          where utc_day(measured_at) = day                                -- to hash many days by
            and measured_at >= day and measured_at < day + interval '1 day'  -- to find a few by index
            and status <> 'entered_in_error'
          group by 1, 2, 3, 4
          $sql$, width.column1 || '_' || days, width.column2, summary, 'reading_' || days);
      end loop;
      execute format($sql$
        create view %1$I as
        select * from %2$I as kept where not exists (
          select from reading_changed as changed
          where (changed.patient_id, changed.kind, changed.day) = (kept.patient_id, kept.kind, utc_day(bucket))
        )
        union all select * from %3$I
        $sql$, width.column1, width.column1 || '_kept', width.column1 || '_changed');
    end if;
    execute format('grant select on %I to tidings_worker', width.column1);
    execute format('create view %I with (security_barrier) as select * from %I where organisation_id = current_organisation()',
      'visible_' || width.column1, width.column1);
    execute format('grant select on %I to tidings_web', 'visible_' || width.column1);
  end loop;
end $$;

-- how long what is kept -------------------------------------------------------------------------------
create function first_kept_day(what_ text, moment timestamptz) returns timestamptz language sql stable as
  $$ select coalesce(utc_day(moment - keep), '-infinity') from retention where what = what_ $$;

-- TimescaleDB's own jobs, as table retention wants them; nothing on plain PostgreSQL
create function schedule_jobs() returns void language plpgsql as $$
declare
  readings_keep constant interval := (select keep from retention where what = 'reading');
  kept record;
begin
  if (select kind <> 'tsl' from backend) then return; end if;
  for kept in select * from retention loop
    perform remove_retention_policy(kept.what::regclass, if_exists => true);
    if kept.keep is not null then
      perform add_retention_policy(kept.what::regclass, drop_after => kept.keep);
    end if;
    continue when kept.what = 'reading';
    -- never as far back as readings are dropped: summing up again would drop their sums too
    perform remove_continuous_aggregate_policy(kept.what::regclass, if_exists => true);
    perform add_continuous_aggregate_policy(kept.what::regclass,
      start_offset => readings_keep - interval '2 days',
      end_offset => case kept.what when 'reading_hourly' then interval '1 hour' else interval '1 day' end,
      schedule_interval => interval '15 minutes');
  end loop;
end $$;

create function keep_for(what_ text, keep_ interval) returns void language plpgsql as $$ begin
  update retention set keep = keep_ where what = what_;
  if not found then raise exception 'nothing named % is kept', what_; end if;
  if exists (
    select from retention as sums, retention as readings
    where readings.what = 'reading' and coalesce(readings.keep > sums.keep, readings.keep is null and sums.keep is not null)
  ) then
    raise exception 'readings must not be kept longer than their sums';
  end if;
  perform schedule_jobs();
end $$;
revoke execute on function keep_for, schedule_jobs from public;

-- plain: note the days that change, in the transaction that changes them -----------------------------
-- Not those at whose readings retention may have begun: their sums stay as they are.
create function note_changed_days() returns trigger language plpgsql as $$
declare
  since constant timestamptz := first_kept_day('reading', now());
begin
  if tg_op in ('INSERT', 'UPDATE') then
    insert into reading_changed (patient_id, kind, day)
    select distinct patient_id, kind, utc_day(measured_at) from rows_after where measured_at >= since;
  end if;
  if tg_op in ('UPDATE', 'DELETE') then
    insert into reading_changed (patient_id, kind, day)
    select distinct patient_id, kind, utc_day(measured_at) from rows_before where measured_at >= since;
  end if;
  return null;
end $$;

do $$ begin
  if (select kind = 'tsl' from backend) then
    call add_columnstore_policy('reading', after => interval '30 days');
    perform schedule_jobs();
  else
    create trigger note_inserted after insert on reading referencing new table as rows_after
      for each statement execute function note_changed_days();
    create trigger note_updated after update on reading referencing old table as rows_before new table as rows_after
      for each statement execute function note_changed_days();
    create trigger note_deleted after delete on reading referencing old table as rows_before
      for each statement execute function note_changed_days();
  end if;
end $$;

-- what the scheduler calls every few minutes ------------------------------------------------------------
-- plain: sum up the days that changed. Days noted meanwhile stay noted for the next time.
create function sum_up_changed_days() returns bigint language plpgsql as $$
declare
  relation text;
  days bigint;
begin
  with taken as (delete from reading_changed returning patient_id, kind, day)
  insert into reading_summing select distinct patient_id, kind, day from taken;
  get diagnostics days = row_count;
  analyze reading_summing;
  foreach relation in array array['reading_hourly', 'reading_daily'] loop
    execute format($sql$
      delete from %I as kept using reading_summing as summing
      where (kept.patient_id, kept.kind, utc_day(kept.bucket)) = (summing.patient_id, summing.kind, summing.day)
        and kept.bucket >= summing.day and kept.bucket < summing.day + interval '1 day'
      $sql$, relation || '_kept');
    execute format('insert into %I select * from %I', relation || '_kept', relation || '_summing');
  end loop;
  truncate reading_summing;
  return days;
end $$;

-- the smallest reading_id whose identity time is not before a moment (ids begin with it, in ms)
create function first_reading_id(moment timestamptz) returns uuid language sql immutable as
  $$ select rpad(lpad(to_hex((extract(epoch from greatest(moment, '1970-01-01 00:00+00')) * 1000)::bigint), 12, '0'), 32, '0')::uuid $$;

-- at most so many rows of one kind a call, so that no transaction lasts long; call again while it removes
create function maintain(moment timestamptz, most integer default 20000, out summed bigint, out removed bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  since constant timestamptz := first_kept_day('reading', moment);
  hourly_since constant timestamptz := first_kept_day('reading_hourly', moment);
  daily_since constant timestamptz := first_kept_day('reading_daily', moment);
begin
  summed := 0;
  removed := 0;
  if not pg_try_advisory_xact_lock(7442) then return; end if;  -- another scheduler is at it
  if (select kind <> 'tsl' from backend) then
    delete from reading_changed where day < since;
    summed := sum_up_changed_days();
    with gone as (
      delete from reading where ctid = any (array(select ctid from reading where measured_at < since limit most)) returning 1
    ) select count(*) into removed from gone;
    with gone as (delete from reading_hourly_kept where bucket < hourly_since returning 1)
    select removed + count(*) into removed from gone;
    with gone as (delete from reading_daily_kept where bucket < daily_since returning 1)
    select removed + count(*) into removed from gone;
  end if;
  -- a month longer than readings, whose chunks go as a whole; a device's wrong clock is no old age
  with gone as (
    delete from reading_identity where reading_id = any (array(
      select reading_id from reading_identity
      where reading_id < first_reading_id(since - interval '1 month') and first_stored_at < since - interval '1 month'
      limit most)) returning 1
  ) select removed + count(*) into removed from gone;
end $$;
revoke execute on function maintain, sum_up_changed_days from public;
grant execute on function maintain to tidings_worker;
