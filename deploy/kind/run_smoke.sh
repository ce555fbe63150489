#!/usr/bin/env bash
# The smoke suite against the release that setup_kind.sh made.
#
#   deploy/kind/run_smoke.sh              all of it; options go to pytest, such as -k audit
#
# Needs kind, kubectl and `make dev`. Not run here with kind, as setup_kind.sh; the suite itself is, by `make e2e`.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
config=$(mktemp)
trap 'rm -f "$config"' EXIT
kind get kubeconfig --name "${KIND_CLUSTER:-atom}" >"$config"
cd "$root"
"${PYTHON:-.venv/bin/python}" -m tests.acceptance.smoke --kubeconfig "$config" \
  --namespace "${ATOM_NAMESPACE:-atom}" --release "${ATOM_RELEASE:-atom}" "$@"
