#!/bin/sh
# Counts seconds, and hands on how far it came.
set -eu
seconds=80
i=0
while [ "$i" -lt "$seconds" ]; do
  i=$((i + 1))
  echo "second $i"
  sleep 1
done
printf '{"counted": %s}\n' "$i" >> "$ATOM_OUTPUT"
