#!/bin/sh
# Set up a checkout: sh deploy/setup.sh demo|test. Makes .venv, installs the packages, and gets the
# few programs PyPI cannot give from the system's package manager when that is allowed.
set -eu
purpose=${1:-demo}
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
have() {
    for place in $(printf %s "$PATH" | tr ':' ' ') /usr/sbin /usr/local/sbin /opt/homebrew/bin /opt/homebrew/sbin; do
        [ -x "$place/$1" ] && return 0
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1; fi
}

# --- programs that PyPI cannot give: name of the program, Debian package, Homebrew formula
missing_programs() {
    for row in $1; do
        program=${row%%:*}
        have "$program" || printf '%s ' "$row"
    done
}

install_programs() {  # rows program:debian:homebrew
    debian= formulas=
    for row in $1; do
        rest=${row#*:}
        debian="$debian ${rest%%:*}"
        formulas="$formulas ${rest#*:}"
    done
    if command -v apt-get >/dev/null; then
        say "Installing with apt-get:$debian"
        as_root apt-get update -qq >/dev/null 2>&1 || return 1
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $debian >/dev/null || return 1
    elif command -v brew >/dev/null; then
        say "Installing with brew:$formulas"
        # shellcheck disable=SC2086
        brew install -q $formulas >/dev/null || return 1
    else
        return 1
    fi
}

need_programs() {  # purpose rows
    rows=$(missing_programs "$2")
    [ -z "$rows" ] && return 0
    install_programs "$rows" || true
    rows=$(missing_programs "$2")
    [ -z "$rows" ] && return 0
    say ""
    say "Not on this machine, and not to be installed without your rights:"
    for row in $rows; do
        rest=${row#*:}
        say "  ${row%%:*}   (Debian/Ubuntu: apt-get install ${rest%%:*}   macOS: brew install ${rest#*:})"
    done
    return 1
}

# --- Python 3.11 or newer with a working venv
usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if usable "$candidate"; then printf '%s' "$candidate"; return 0; fi
    done
    return 1
}

python=$(find_python) || {
    install_programs "python3:python3-venv:python@3.13" || true
    python=$(find_python) || { say "Tidings needs Python 3.11 or newer with venv (Debian/Ubuntu: apt-get install python3 python3-venv)."; exit 1; }
}

case $purpose in
    demo)
        extras="gateway,server,demo"
        if [ "$(uname)" = Linux ]; then wanted="dbus-daemon:dbus-daemon:dbus mosquitto:mosquitto:mosquitto"
        else wanted="mosquitto:mosquitto:mosquitto"; fi
        need_programs demo "$wanted" || say "The demo runs without them: the broker comes from PyPI, and without dbus-daemon say ARGS=--no-radio."
        ;;
    test)
        extras="dev"
        browser="chromium:chromium:chromium"
        { have chromium || have chromium-browser || have google-chrome; } && browser=
        need_programs test "dbus-daemon:dbus-daemon:dbus mosquitto:mosquitto:mosquitto node:nodejs:node npm:npm:node git:git:git openssl:openssl:openssl $browser" || {
            say "The tests need these."; exit 1; }
        ;;
    *) say "usage: sh deploy/setup.sh demo|test"; exit 2 ;;
esac

# --- the virtual environment, made again only when what it should hold has changed
wanted_stamp="$purpose $(cat pyproject.toml constraints.txt deploy/setup.sh | cksum) $($python -V)"
stamp=.venv/.tidings-$purpose
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted_stamp" ]; then
    say "Setting up .venv ($python, extras: $extras); the first time takes a minute or two"
    [ -x .venv/bin/python ] && usable .venv/bin/python || "$python" -m venv --clear .venv
    .venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e ".[$extras]"
    printf '%s' "$wanted_stamp" > "$stamp"
fi
