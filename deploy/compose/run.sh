#!/usr/bin/env bash
# docker compose with what compose.yaml takes for granted: the images' names and the passwords.
#
#   deploy/compose/run.sh up --detach --wait      start everything, and wait until it is healthy
#   deploy/compose/run.sh down                    stop it; the volumes stay
#
# The passwords are made once, at random, in deploy/compose/secrets.env (mode 0600, not in git). Needs docker with
# compose 2.24 or newer. Not run here against a docker; a test runs it with a `docker` of its own.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
secrets=${ATOM_COMPOSE_SECRETS:-$here/secrets.env}
if [[ ! -e $secrets ]]; then
  new=$(umask 077 && mktemp "$secrets.XXXXXX")
  for name in POSTGRES_PASSWORD S3_SECRET_KEY OPENBAO_TOKEN; do
    printf '%s=%s\n' "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >>"$new"
  done
  mv "$new" "$secrets"
  echo "made $secrets: keep it, the database's volume knows its password" >&2
fi
image=$(sed -n 's/^ATOM_IMAGE=//p' "$here/../images.env")
if [[ ${1:-} == up ]] && ! docker image inspect "$image" >/dev/null 2>&1; then
  docker build --file "$here/../image/Dockerfile" --tag "$image" "$here/../.."
fi
exec docker compose --env-file "$here/../images.env" --env-file "$secrets" --file "$here/compose.yaml" "$@"
