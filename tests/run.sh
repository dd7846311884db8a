#!/bin/sh
# Sets up what the tests need (real peers, a virtual environment) and runs all of them.
# Arguments go to pytest:  tests/run.sh tests/unit -x
# With --prepare it sets up and runs nothing.
set -eu

cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
python=${PYTHON:-python3}
venv=.venv-test

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))'; then
    echo "tests/run.sh: $python is not Python 3.11 or 3.12; name one with PYTHON=..." >&2
    exit 1
fi

"$python" tests/peers/setup.py

# The copy of pyproject.toml says for which dependencies the environment was made.
if ! cmp -s pyproject.toml "$venv/pyproject.toml"; then
    echo "python: installing the project and its test tools into $venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.3'
    "$venv/bin/python" -m pip install --quiet --editable '.[postgres]' --group dev
    cp pyproject.toml "$venv/pyproject.toml"
fi

if [ "${1:-}" = --prepare ]; then
    exit 0
fi
exec "$venv/bin/python" -m pytest --peers=required "$@"
