#!/bin/sh
# Parameters arrive in the environment, outputs leave as JSON lines. Put your real check here.
set -eu
echo "checking $ATOM_PARAM_SERVICE"
echo '{"unhealthy": true}' >> "$ATOM_OUTPUT"
