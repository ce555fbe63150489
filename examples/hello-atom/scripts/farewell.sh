#!/bin/sh
# The last step; it runs only when the others have ended well.
set -eu
echo "Goodbye, $ATOM_PARAM_NAME"
printf '{"finished": true}\n' >> "$ATOM_OUTPUT"
