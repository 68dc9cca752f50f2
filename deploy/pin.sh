#!/bin/sh
# Write constraints.txt from the virtual environment: run it after a deliberate upgrade.
set -eu
cd "$(dirname "$0")/.."
{
    echo "# Versions that passed the tests together; made by deploy/pin.sh."
    .venv/bin/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==' | grep -vE '^(pip|setuptools|uv)=='
} > constraints.txt
