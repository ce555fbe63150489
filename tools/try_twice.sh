#!/usr/bin/env bash
# pytest with the given arguments. A test that fails beside others is tried once more by itself: on a shared machine it
# may have been starved. Both tries are shown, and what fails twice has failed.
set -uo pipefail
PYTHON="${PYTHON:-.venv/bin/python}"

"$PYTHON" -m pytest "$@"
status=$?
[ "$status" -eq 1 ] || exit "$status"
echo "== Failed beside others, tried once more by itself. Whatever passes now deserves to be made steady:" >&2
exec "$PYTHON" -m pytest "$@" -n 0 --last-failed --last-failed-no-failures none --maxfail 5
