#!/bin/sh
# Stands for real work: counts to three, and fails before the end if it was told to.
set -eu
for item in 1 2 3; do
    if [ "$ATOM_PARAM_FAIL" = true ] && [ "$item" -eq 2 ]; then
        echo "item $item failed, because the parameter fail is true" >&2
        exit 1
    fi
    echo "item $item done"
done
printf '{"items": %d}\n' "$item" >> "$ATOM_OUTPUT"
