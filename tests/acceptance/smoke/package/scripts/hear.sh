#!/bin/sh
set -eu
echo "heard: $HEARD"
