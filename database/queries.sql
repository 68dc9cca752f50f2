-- SQL of the database folder; read with database.sql.load("database")

-- name: maintain
select summed, removed + forget_dead_letters(%(now)s, %(most)s) from maintain(%(now)s, %(most)s);

-- name: versions
-- The server, TimescaleDB if it is installed, and what the migration decided (null: not yet).
select
  current_setting('server_version'),
  (select extversion from pg_extension where extname = 'timescaledb'),
  current_setting('timescaledb.license', true),
  to_regclass('backend') is not null;

-- name: backend_kind
select kind from backend;

-- name: waiting
-- Work that processes take from the database: how much, and since when the oldest waits.
select 'to_evaluate' as queue, count(*), min(queued_at) from to_evaluate
union all
select 'quarantine ' || queue, count(*), min(received_at) from quarantine where state = 'open' group by queue
union all
select 'gateway offline', count(*), min(last_seen_at) from gateway where state = 'offline' and revoked_at is null;

-- name: sessions
-- Sessions of this database, the most there may be, and the oldest transaction that does nothing.
select
  (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  current_setting('max_connections')::integer,
  (select min(state_change) from pg_stat_activity
   where datname = current_database() and state like 'idle in transaction%%');

-- name: rights
-- A role's rights on what it must, or must not, be able to use.
select has_table_privilege(%(role)s, %(relation)s, %(right)s);

-- name: roles
select rolname, rolcanlogin, rolsuper or rolbypassrls from pg_roles where rolname = any(%s);

-- name: without_row_security
-- Tables that hold an organisation's rows and that the web role can read, yet without row security.
-- A session is looked up by its token before anybody's organisation is known.
select c.relname from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'organisation_id' and not a.attisdropped
where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not c.relrowsecurity
  and c.relname <> 'staff_session' and has_table_privilege('tidings_web', c.oid, 'select')
order by 1;

-- name: failed_jobs
-- TimescaleDB's jobs whose last run failed.
select format('%%s on %%s', jobs.proc_name, jobs.hypertable_name), stats.last_run_started_at
from timescaledb_information.job_stats as stats
join timescaledb_information.jobs as jobs using (job_id)
where stats.last_run_status = 'Failed'
order by 1;

-- name: changed_days
-- Plain PostgreSQL: days whose sums wait for maintain().
select count(*) from reading_changed;
