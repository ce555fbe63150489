#!/bin/sh
# Put your real restart here. A step that declares no network has none.
set -eu
echo "restarting $ATOM_PARAM_SERVICE"
echo '{"restarted": true}' >> "$ATOM_OUTPUT"
