#!/bin/sh
# Settings from files: TIDINGS_X_FILE=/run/secrets/x becomes TIDINGS_X, so that no secret stands in
# compose.yaml, in `docker inspect` or in a process list.
set -eu
for pair in $(env | sed -n 's/^\(TIDINGS_[A-Z_]*\)_FILE=\(.*\)$/\1=\2/p'); do
    value=$(cat "${pair#*=}")
    export "${pair%%=*}=$value"
    unset "${pair%%=*}_FILE"
done
exec "$@"
