#!/bin/sh
# Restores the first $ATOM_PARAM_SAMPLE_SIZE files that SHA256SUMS lists, in an order drawn anew each time, into the
# scratch folder and compares each with its checksum. Any difference ends the step with an error.
set -eu
cd "$TMPDIR"
# The sandbox trusts what every machine trusts; a certificate authority of your own goes into the package.
authority="$ATOM_PACKAGE/files/ca.pem"
[ ! -f "$authority" ] || export CURL_CA_BUNDLE="$authority"

curl --fail --silent --show-error --max-time 60 --output SHA256SUMS \
    "https://backups.storage.svc:8443/$ATOM_PARAM_BACKUP_SET/latest/SHA256SUMS"
shuf --head-count "$ATOM_PARAM_SAMPLE_SIZE" SHA256SUMS > sample

files=0
bytes=0
while read -r expected name; do
    curl --fail --silent --show-error --max-time 300 --output restored \
        "https://backups.storage.svc:8443/$ATOM_PARAM_BACKUP_SET/latest/files/$name"
    actual=$(sha256sum restored | cut -d ' ' -f 1)
    if [ "$actual" != "$expected" ]; then
        echo "$name differs: expected $expected, restored $actual" >&2
        exit 1
    fi
    echo "$name is what was saved"
    files=$((files + 1))
    bytes=$((bytes + $(wc -c < restored)))
done < sample

if [ "$files" -eq 0 ]; then
    echo "the backup lists no files" >&2
    exit 1
fi
printf '{"files": %d, "bytes": %d}\n' "$files" "$bytes" >> "$ATOM_OUTPUT"
