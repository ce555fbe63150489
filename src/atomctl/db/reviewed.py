"""Everything in schema `atom` that does not belong to exactly one tenant, each with the reason why it may be so.

The isolation test compares the live catalogue with these lists: what is not here must be a protected tenant table, and
what is here must exist, so that a reason never outlives the thing it was given for.
"""

from __future__ import annotations

from collections.abc import Mapping

RELATIONS: Mapping[str, str] = {
    "alembic_version": "which migrations ran; says nothing about anybody",
    "cross_tenant_attempts": "who named ids of other tenants, counted; only the relay's functions reach it",
    "backups": "which backups of the whole deployment there are; sizes and times, no tenant's data",
    "backup_drills": "what restoring backups showed; counts over all tenants, none of one",
    "platform_trust_rules": "the deployment's own trust rules, which narrow every tenant's and are no secret to any",
    "workers": "which worker processes there are; no row says for whom they work",
}
"""Relations without a tenant."""

POLICIES: Mapping[tuple[str, str], str] = {
    ("tenants", "atom_relay"): "atom.tenant_ids() lists ids for the worker's schedules",
    ("approvals", "atom_relay"): "atom.tenants_with_due_approvals() finds tenants whose approvals have run out",
    ("workflow_runs", "atom_relay"): "atom.interrupted_segments() sees which runs are being cancelled; ids, states",
    ("run_segments", "atom_relay"): "atom.take_ready_segments() finds work wherever it is; ids and states, no contents",
    ("step_attempts", "atom_relay"): "atom.open_runs() sees when a run last moved; times, no contents",
    ("log_chunks", "atom_relay"): "atom.open_runs() sees when a run last logged; times, no contents",
    ("packages", "atom_relay"): "atom.note_unknown_id() sees whether an id is another tenant's; ids alone",
    ("principals", "atom_relay"): "atom.note_unknown_id() sees whether an id is another tenant's; ids alone",
    ("audit_entries", "atom_relay"): "atom.note_unknown_id() sees whether an id is another tenant's; ids alone",
    ("insight_signals", "atom_relay"): "atom.signal_counts() counts them; kinds and states, no subjects",
    ("insight_cursors", "atom_relay"): "atom.audit_verified_at() sees when logs were verified; times alone",
    ("audit_inbox", "atom_relay"): "atom.audit_backlog() counts what waits; times, no contents",
    ("signing_keys", "atom_relay"): "atom.next_key_end() sees when keys end; times, no keys",
    (
        "knowledge_chunks",
        "atom_relay",
    ): "atom.knowledge_matches() ranks chunks of the tenant in force by their words; ids and scores",
    ("audit_inbox", "atom_sequencer"): "one sequencer moves the entries of all tenants into their trees",
    ("audit_entries", "atom_sequencer"): "one sequencer appends to the trees of all tenants",
    ("audit_tiles", "atom_sequencer"): "one sequencer appends to the trees of all tenants",
    ("audit_heads", "atom_sequencer"): "one sequencer keeps the heads of all tenants",
    ("audit_checkpoints", "atom_sequencer"): "one sequencer signs the heads of all tenants",
    ("audit_anchors", "atom_sequencer"): "what of the deployment's own log was carried to the locked bucket",
}
"""(relation, role): policies for a role that the tenant policy does not bind."""

FUNCTIONS: Mapping[str, str] = {
    "atom.tenant_ids()": "ids of all tenants, for the worker's schedules; owned by the relay",
    "atom.tenants_with_due_approvals()": "ids of tenants with an approval to expire; owned by the relay",
    "atom.take_ready_segments(integer)": "ids of segments that wait for a worker; owned by the relay",
    "atom.interrupted_segments(uuid[],uuid[],integer[],bigint[])": "which of the segments it names a worker must stop;"
    " owned by the relay",
    "atom.quiet_segments(interval,integer)": "ids of segments that do not move, for the self-check; owned by the relay",
    "atom.open_runs()": "how many runs are in which state and for how long; figures of the deployment, for metrics",
    "atom.pending_approvals()": "how many approvals wait and for how long; figures of the deployment, for metrics",
    "atom.audit_backlog()": "how many entries wait for the sequencer; figures of the deployment, for metrics",
    "atom.audit_verified_at()": "when logs were verified; one time of the deployment, for metrics",
    "atom.next_key_end()": "when the next signing key ends; one time of the deployment, for metrics",
    "atom.signal_counts()": "how many signals of each kind there are; figures of the deployment, for metrics",
    "atom.cross_tenant_attempt_count()": "how often ids of other tenants were named; one figure, for metrics",
    "atom.note_unknown_id(uuid,uuid,uuid)": "counts an id that is another tenant's and answers nothing either way;"
    " owned by the relay",
    "atom.knowledge_matches(text,text,text[],real[],real,integer,integer)": "ids and scores of chunks of the tenant in"
    " force, which it binds itself; owned by the relay",
    "atom.hold_still()": "locks every table against writing for a backup's marker; reads and changes no row",
    "atom.remove_probe_tenant()": "removes a tenant called probe-XXXXXXXX from within it; runs as the owner, whom the"
    " tenant policy binds as well",
    "atom.erase_personal_value(text)": "runs as the owner, whom the tenant policy binds as well",
}
"""Functions that run with their owner's rights (SECURITY DEFINER)."""

UNIQUE: Mapping[str, str] = {}
"""Unique indexes of tenant tables that do not lead with the tenant: each tells whether a value exists elsewhere."""
