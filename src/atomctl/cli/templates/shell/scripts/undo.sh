#!/bin/sh
# Runs when a later step failed. Put back what restart.sh changed.
set -eu
echo "put $ATOM_PARAM_SERVICE back as it was"
