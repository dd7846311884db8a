#!/bin/sh
# Installs the gateway into .venv beside this file, then runs it: sh run.sh [--demo] [OPTIONS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
    echo "error: the SIP engine needs Python 3.11 or 3.12; name one: PYTHON=/path/to/python3.11 sh run.sh" >&2
    exit 2
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing python3-venv, which this Python needs to make a virtual environment"
        apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv
    else
        echo "error: this Python cannot make virtual environments; run: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
if [ ! -x "$here/.venv/bin/sip-gateway" ]; then
    echo "installing the gateway into $here/.venv"
    "$python" -m venv "$here/.venv"
    "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check "$here"
fi
exec "$here/.venv/bin/sip-gateway" run "$@"
