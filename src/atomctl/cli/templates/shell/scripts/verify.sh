#!/bin/sh
# Put your real verification here: a step that fails rolls the run back.
set -eu
echo "$ATOM_PARAM_SERVICE is healthy"
