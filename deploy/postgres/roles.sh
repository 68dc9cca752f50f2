#!/bin/sh
# Run once by the database's image, before the first migration: the two roles and their passwords.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres -d tidings \
    -v web="$(cat /run/secrets/web_password)" -v worker="$(cat /run/secrets/worker_password)" <<'END'
create role tidings_web login password :'web';
create role tidings_worker login password :'worker';
END
