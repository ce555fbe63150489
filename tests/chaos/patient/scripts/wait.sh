#!/bin/sh
set -eu
echo "begun"
sleep "$ATOM_PARAM_SECONDS"
echo "ended"
printf '{"waited": %s}\n' "$ATOM_PARAM_SECONDS" >> "$ATOM_OUTPUT"
