#!/usr/bin/env bash
# Writes the digest of each pulled image into deploy/images.env, behind its version: NAME:TAG@sha256:...
#
#   deploy/pin_images.sh            ask the registries with docker, podman's skopeo or crane, whichever is there
#   deploy/pin_images.sh --check    change nothing; exit 1 if an image has no digest or its tag has moved
#
# The file is replaced as a whole once all registries have answered; an answer that is no digest changes nothing.
# Not run against a registry here: the machine that tests this project reaches none. A test runs it against a
# `crane` of its own.
set -euo pipefail

file=${IMAGES_FILE:-$(dirname "$0")/images.env}
check=no
case ${1:-} in
  --check) check=yes ;;
  '') ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac

digest_of() {
  if command -v crane >/dev/null; then
    crane digest "$1"
  elif command -v skopeo >/dev/null; then
    skopeo inspect --format '{{.Digest}}' "docker://$1"
  elif command -v docker >/dev/null && docker buildx version >/dev/null 2>&1; then
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
  else
    echo "none of crane, skopeo and docker buildx is here to ask a registry with" >&2
    return 3
  fi
}

new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
status=0
while IFS= read -r line || [[ -n $line ]]; do
  if [[ $line =~ ^([A-Z0-9_]+)=([^@]+)(@(.*))?$ && ${BASH_REMATCH[2]} != localhost/* ]]; then
    name=${BASH_REMATCH[1]} image=${BASH_REMATCH[2]} known=${BASH_REMATCH[4]}
    digest=$(digest_of "$image")
    if [[ ! $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
      echo "error: no digest for $image: $digest" >&2
      exit 1
    fi
    if [[ $digest != "$known" ]]; then
      echo "$image is $digest${known:+, was $known}" >&2
      status=1
    fi
    line="$name=$image@$digest"
  fi
  printf '%s\n' "$line" >>"$new"
done <"$file"
if [[ $check == yes ]]; then
  exit "$status"
fi
chmod --reference="$file" "$new"
mv "$new" "$file"
trap - EXIT
