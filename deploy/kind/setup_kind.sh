#!/usr/bin/env bash
# A kind cluster on this machine with PostgreSQL, an S3 server and a release of the chart in it.
#
#   deploy/kind/setup_kind.sh              set it up; a repeat goes on where the last one stopped
#   deploy/kind/setup_kind.sh --delete     remove the cluster and all that is in it
#
# Needs docker, kind, kubectl and Helm. The node's image is the one that this kind pins, by digest; KIND_NODE_IMAGE
# names another. Not run here with docker and kind, which the machine that tests this project has not. A test runs it
# with stand-ins for those two on a real Kubernetes node, and that node judges every object.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cluster=${KIND_CLUSTER:-atom}
namespace=${ATOM_NAMESPACE:-atom}

say() { printf '%s\n' "$*" >&2; }

for program in docker kind kubectl helm; do
  command -v "$program" >/dev/null || { say "error: $program is missing"; exit 3; }
done
if [[ ${1:-} == --delete ]]; then
  exec kind delete cluster --name "$cluster"
fi

# shellcheck source=../images.env
source "${IMAGES_FILE:-$here/../images.env}"

if ! kind get clusters | grep -qx "$cluster"; then
  say "making the cluster $cluster"
  kind create cluster --name "$cluster" --wait 120s ${KIND_NODE_IMAGE:+--image "$KIND_NODE_IMAGE"}
fi
config=$(mktemp)
trap 'rm -f "$config"' EXIT
kind get kubeconfig --name "$cluster" >"$config"
export KUBECONFIG=$config

say "building $ATOM_IMAGE"
docker build --file "$root/deploy/image/Dockerfile" --tag "$ATOM_IMAGE" "$root"
kind load docker-image "$ATOM_IMAGE" --name "$cluster"

say "PostgreSQL and S3 with its buckets"
kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f -
kubectl label namespace "$namespace" --overwrite pod-security.kubernetes.io/enforce=restricted
if ! kubectl -n "$namespace" get secret surroundings >/dev/null 2>&1; then
  password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
  kubectl -n "$namespace" create secret generic surroundings --from-literal=postgres-user=postgres \
    --from-literal=s3-user=atom --from-file=postgres=<(password) --from-file=s3=<(password)
fi
kubectl -n "$namespace" create configmap buckets --from-file="$here/../compose/buckets.py" --dry-run=client -o yaml |
  kubectl -n "$namespace" apply -f -
sed -e "s|: POSTGRES_IMAGE\$|: $POSTGRES_IMAGE|" -e "s|: S3_IMAGE\$|: $S3_IMAGE|" -e "s|: ATOM_IMAGE\$|: $ATOM_IMAGE|" \
  "$here/surroundings.yaml" | kubectl -n "$namespace" apply -f -
kubectl -n "$namespace" rollout status statefulset/postgres --timeout=5m
kubectl -n "$namespace" rollout status statefulset/s3 --timeout=5m
kubectl -n "$namespace" wait --for=condition=complete job/buckets --timeout=2m

say "the release"
if ! helm upgrade --install "${ATOM_RELEASE:-atom}" "$root/deploy/helm/atom" --namespace "$namespace" --wait --timeout 5m \
  --values "$here/values.yaml" --set "image.repository=${ATOM_IMAGE%:*},image.tag=${ATOM_IMAGE##*:}" \
  --set "jobs.image=$ATOM_IMAGE,jobs.localImages={$ATOM_IMAGE}"; then
  say "what the pods said:"
  kubectl -n "$namespace" logs --selector app.kubernetes.io/name=atom --all-containers --prefix --tail=20 >&2 || true
  exit 1
fi
say "next: deploy/kind/run_smoke.sh"
