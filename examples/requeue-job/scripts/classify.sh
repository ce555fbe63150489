#!/bin/sh
# Names the kind of failure from the Job's status and the end of its log, which arrive in the environment as data.
set -eu
class=permanent
case "$JOB_STATUS" in
    DeadlineExceeded | PodFailurePolicy) class=transient ;;
esac
for sign in 'connection reset' 'connection refused' 'timed out' 'too many requests' 'temporarily unavailable' 'evicted'; do
    if printf '%s' "$LOG_TAIL" | grep -qiF "$sign"; then
        class=transient
    fi
done
echo "the failure is $class"
printf '{"class": "%s"}\n' "$class" >> "$ATOM_OUTPUT"
