#!/bin/sh
# Takes back the step named in the first argument. There is nothing to take back, so it only says so.
set -eu
echo "rolled back: $1"
printf '{"undone": "%s"}\n' "$1" >> "$ATOM_OUTPUT"
