#!/bin/sh
set -eu
echo "after $COUNTED"
