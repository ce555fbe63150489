#!/bin/sh
# Greets, and hands the greeting on as an output: one JSON object a line, appended to $ATOM_OUTPUT.
set -eu
greeting="Hello, $ATOM_PARAM_NAME"
echo "$greeting"
printf '{"greeting": "%s"}\n' "$greeting" >> "$ATOM_OUTPUT"
