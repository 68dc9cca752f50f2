#!/bin/sh
# One backup of the database, with a list of what is in it: sh deploy/backup.sh DIRECTORY
#
#   TIDINGS_MIGRATE_DSN   the database as its owner (default: user=postgres dbname=tidings); no password
#                         in it, it would stand in the process list: use PGPASSFILE
#   TIDINGS_PG            put before psql and pg_dump, as "docker compose -f deploy/compose.yaml exec -T database"
#   TIDINGS_BACKUP_KEY    file with a pass phrase: the dump is encrypted with it (keep it elsewhere too)
#   TIDINGS_BACKUP_DAYS   delete our own backups that are older (default 35; 0: keep all)
#
# Dump and list come from one snapshot; a backup has its final name only when it is complete.
set -eu
umask 077
place=${1:?usage: sh deploy/backup.sh DIRECTORY}
dsn=${TIDINGS_MIGRATE_DSN:-user=postgres dbname=tidings}
name=tidings-$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$place"
work=$(mktemp -d "$place/.backup.XXXXXX")
trap 'exec 3>&-; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

run() { ${TIDINGS_PG:-} "$@"; }

# --- hold one snapshot open while everything is read from it
mkfifo "$work/ask"
run psql "$dsn" -XAtq -F ' ' -v ON_ERROR_STOP=1 <"$work/ask" >"$work/list" &
holder=$!
exec 3>"$work/ask"
cat >&3 <<'END'
begin isolation level repeatable read, read only;
select 'snapshot', pg_export_snapshot();
END
turns=0
until grep -q '^snapshot ' "$work/list"; do
    if [ "$turns" -ge 300 ] || ! kill -0 "$holder" 2>/dev/null; then
        echo "backup: the database gave no snapshot" >&2
        exit 1
    fi
    turns=$((turns + 1))
    sleep 0.1
done
snapshot=$(sed -n 's/^snapshot //p' "$work/list")

run pg_dump "$dsn" --snapshot="$snapshot" --format=custom --compress=6 >"$work/dump" 3>&-

cat >&3 <<'END'
select format('select ''rows'', %L, count(*) from %I', relname, relname)
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname
\gexec
select distinct on (organisation_id) 'audit', organisation_id, count(*) over (partition by organisation_id), encode(hash, 'hex')
from audit order by organisation_id, id desc;
select 'schema', max(version_num) from schema_version;
\q
END
exec 3>&-
wait "$holder"
grep -q '^rows ' "$work/list"

# --- keep it under its name, dump last
if [ -n "${TIDINGS_BACKUP_KEY:-}" ]; then
    openssl enc -aes-256-cbc -pbkdf2 -iter 600000 -salt -pass "file:$TIDINGS_BACKUP_KEY" -in "$work/dump" -out "$work/sealed"
    mv "$work/sealed" "$work/dump"
    name=$name.sealed
fi
printf 'sha256 %s\n' "$(openssl dgst -sha256 -r "$work/dump" | cut -d ' ' -f 1)" >>"$work/list"
sync
mv "$work/list" "$place/$name.list"
mv "$work/dump" "$place/$name.dump"

run psql "$dsn" -Xq -v ON_ERROR_STOP=1 -c \
    "insert into heartbeat (name, beat_at) values ('backup', clock_timestamp()) on conflict (name) do update set beat_at = excluded.beat_at"
days=${TIDINGS_BACKUP_DAYS:-35}
if [ "$days" -gt 0 ]; then
    find "$place" -maxdepth 1 -name 'tidings-*Z*.dump' -mtime "+$days" -exec rm -f {} +
    find "$place" -maxdepth 1 -name 'tidings-*Z*.list' -mtime "+$days" -exec rm -f {} +
fi
echo "$place/$name.dump"
