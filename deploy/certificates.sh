#!/bin/sh
# A small certificate authority for the broker, its clients, and nobody else.
#   sh deploy/certificates.sh DIRECTORY authority            once
#   sh deploy/certificates.sh DIRECTORY broker NAME...       NAME: host names or addresses of the broker
#   sh deploy/certificates.sh DIRECTORY client NAME          NAME: ingest, or a gateway's id
#   sh deploy/certificates.sh DIRECTORY revoke NAME          then restart the broker
# DIRECTORY/authority-key.pem is the key to every home: keep it off the server when you can.
set -eu
umask 077
[ $# -ge 2 ] || { sed -n '2,7s/^# //p' "$0" >&2; exit 2; }
place=$1
what=$2
shift 2
days_authority=3650
days=825

mkdir -p "$place"
cd "$place"

settings() {  # of `openssl ca`, which remembers what it signed so that it can revoke
    cat <<-END
	[ca]
	default_ca = ours
	[ours]
	database = issued.txt
	new_certs_dir = .
	rand_serial = yes
	certificate = authority.pem
	private_key = authority-key.pem
	default_md = sha256
	default_days = $days
	default_crl_days = $days_authority
	policy = any
	unique_subject = no
	copy_extensions = none
	[any]
	commonName = supplied
	[req]
	distinguished_name = name
	prompt = no
	[name]
	commonName = $1
	[authority]
	basicConstraints = critical, CA:true, pathlen:0
	keyUsage = critical, keyCertSign, cRLSign
	subjectKeyIdentifier = hash
	[client]
	basicConstraints = critical, CA:false
	keyUsage = critical, digitalSignature
	extendedKeyUsage = clientAuth
	[broker]
	basicConstraints = critical, CA:false
	keyUsage = critical, digitalSignature
	extendedKeyUsage = serverAuth
	subjectAltName = ${2:-DNS:localhost}
	END
}

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null \
    || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

revocations() {
    openssl ca -config settings -gencrl -out revoked.pem 2>log || { cat log >&2; exit 1; }
}

sign() {  # file, name, section, alternative names
    settings "$2" "${4:-}" > settings
    key "$1-key.pem"
    openssl req -new -config settings -key "$1-key.pem" -out request.pem
    openssl ca -batch -notext -config settings -extensions "$3" -in request.pem -out "$1.pem" 2>log \
        || { cat log >&2; exit 1; }
    rm -f request.pem
}

case $what in
    authority)
        [ ! -e authority-key.pem ] || { echo "there is one already in $place" >&2; exit 1; }
        : > issued.txt
        settings "Tidings broker authority" > settings
        key authority-key.pem
        openssl req -x509 -new -config settings -extensions authority -days "$days_authority" \
            -key authority-key.pem -out authority.pem
        revocations
        ;;
    broker)
        [ $# -ge 1 ] || { echo "name the broker's host names or addresses" >&2; exit 2; }
        first=$1
        names=
        for name in "$@"; do
            case $name in
                *[!0-9.]*) kind=DNS ;;
                *) kind=IP ;;
            esac
            names="$names${names:+,}$kind:$name"
        done
        sign broker "$first" broker "$names"
        ;;
    client)
        case ${1:-} in ''|*[!A-Za-z0-9_.-]*) echo "a client's name has letters, digits, . _ -" >&2; exit 2 ;; esac
        sign "$1" "$1" client
        ;;
    revoke)
        openssl ca -config settings -revoke "${1:?whom}.pem" 2>log || { cat log >&2; exit 1; }
        revocations
        ;;
    *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
esac
rm -f log settings.old issued.txt.old issued.txt.attr.old
