#!/bin/sh
# Restore a backup into an empty database and prove it: sh deploy/restore.sh FILE.dump
#
#   TIDINGS_RESTORE_DSN   the empty database, as its owner
#   TIDINGS_PG            put before psql and pg_restore, as in backup.sh
#   TIDINGS_BACKUP_KEY    the pass phrase's file, for a sealed backup
#   TIDINGS_MIGRATE_DSN   if set: the live database, where the drill is noted for `tidings doctor`
#
# The roles tidings_web and tidings_worker must exist (deploy/postgres/roles.sh). Afterwards every
# table has the rows that the list says, and the audit chain of every organisation holds and ends where it did.
set -eu
umask 077
dump=${1:?usage: sh deploy/restore.sh FILE.dump}
list=${dump%.dump}.list
dsn=${TIDINGS_RESTORE_DSN:?an empty database}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

run() { ${TIDINGS_PG:-} "$@"; }
ask() { run psql "$dsn" -XAtq -F ' ' -v ON_ERROR_STOP=1 "$@"; }
fail() { echo "restore: $*" >&2; exit 1; }

[ "$(sed -n 's/^sha256 //p' "$list")" = "$(openssl dgst -sha256 -r "$dump" | cut -d ' ' -f 1)" ] \
    || fail "$dump is not what was written: its checksum differs"
[ "$(ask -c "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')")" = 0 ] \
    || fail "the database is not empty; nothing was touched"

case $dump in
    *.sealed.dump)
        openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -pass "file:${TIDINGS_BACKUP_KEY:?the pass phrase}" -in "$dump" -out "$work/dump"
        plain=$work/dump ;;
    *) plain=$dump ;;
esac

run pg_restore --list <"$plain" >"$work/contents"
if grep -q 'EXTENSION - timescaledb' "$work/contents"; then
    ask -c "create extension if not exists timescaledb" -c "select timescaledb_pre_restore()" >"$work/log"
    run pg_restore --dbname="$dsn" <"$plain" || echo "restore: see the messages above; the comparison decides" >&2
    ask -c "select timescaledb_post_restore()" >"$work/log"
else
    run pg_restore --dbname="$dsn" --exit-on-error <"$plain"
fi
ask -c "analyze"

# --- compare with the list
ask >"$work/found" <<'END'
select format('select ''rows'', %L, count(*) from %I', relname, relname)
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname
\gexec
select distinct on (organisation_id) 'audit', organisation_id, count(*) over (partition by organisation_id), encode(hash, 'hex')
from audit order by organisation_id, id desc;
select 'schema', max(version_num) from schema_version;
END
grep -v '^snapshot \|^sha256 ' "$list" >"$work/wanted"
diff "$work/wanted" "$work/found" || fail "the restored database differs from the list (< list, > restored)"

broken=$(ask <<'END'
select count(*) from (
  select hash = sha256(coalesce(previous_hash, ''::bytea) || convert_to(audit_text(a), 'UTF8'))
    and previous_hash is not distinct from lag(hash) over (partition by organisation_id order by id) as fits
  from audit a) as checked
where fits is not true;
END
)
[ "$broken" = 0 ] || fail "the audit chain is broken in $broken places"

if [ -n "${TIDINGS_MIGRATE_DSN:-}" ]; then
    run psql "$TIDINGS_MIGRATE_DSN" -Xq -v ON_ERROR_STOP=1 -c \
        "insert into heartbeat (name, beat_at) values ('restore_drill', clock_timestamp()) on conflict (name) do update set beat_at = excluded.beat_at"
fi
echo "restored: $(grep -c '^rows ' "$work/found") tables as listed, audit chain whole"
