-- Series of a Prometheus that are watched: what their detectors know, so that a restart goes on where it stopped.

-- One row for each watch: `position` is the newest point that was judged, in whole steps of the watch since 1970, and
-- `document` all that the next scores rest on (bounded: ten series of 200 points). They change together.
CREATE TABLE atom.insight_watches (
    tenant_id uuid        NOT NULL REFERENCES atom.tenants (tenant_id),
    name      text        NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
    position  bigint      NOT NULL CHECK (position >= 0),
    document  json        NOT NULL CHECK (octet_length(document::text) <= 524288),
    judged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, name)
);
SELECT atom.protect('atom.insight_watches');

-- What they raise is a kind of its own: its precision is counted apart from that of single questions.
ALTER TABLE atom.insight_signals DROP CONSTRAINT insight_signals_kind_check;
ALTER TABLE atom.insight_signals ADD CONSTRAINT insight_signals_kind_check CHECK (kind IN (
    'policy_violation', 'unsigned_upload', 'approval_age', 'audit_gap', 'failure_rate', 'duration', 'run_rate', 'metric',
    'series'));

-- `atomctl stats` reads the attempts of the last hours, not those of all time.
CREATE INDEX step_attempts_ended ON atom.step_attempts (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
