"""Which verbs there are, in which section of the help, and which file holds each.

`atomctl --help` is drawn from this table alone, so that it costs no more than click itself; a test holds every line
against the verb's own help.
"""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):  # not a dataclass: that costs every call 3 ms
    """A command of the first level: its name, the module below `atomctl.cli` that defines it, and one line of help."""

    name: str
    module: str
    help: str


SECTIONS: dict[str, tuple[Verb, ...]] = {
    "Start": (
        Verb("up", "up", "Start a complete instance on this machine."),
        Verb("down", "down", "Stop the instance on this machine; its state stays."),
        Verb("demo", "demo", "Show the main job on a temporary instance."),
        Verb("doctor", "doctor", "Show settings, servers and what is missing."),
    ),
    "Author a package": (
        Verb("init", "init", "Write a new package's folder."),
        Verb("validate", "validate", "Find risks in a package, with line and fix."),
        Verb("pack", "pack", "Make the package file and print its digest."),
        Verb("keys", "keys", "Make and register signing keys."),
        Verb("sign", "sign", "Sign a package file."),
        Verb("verify", "verify", "Verify a package file against its bundles."),
        Verb("push", "push", "Publish a signed package."),
    ),
    "Run it": (
        Verb("list", "list_workflows", "List workflows and their newest package."),
        Verb("run", "run", "Request a run of a package."),
        Verb("approve", "approve", "Approve what waits for a second person."),
        Verb("reject", "reject", "Reject what waits for a second person."),
        Verb("status", "status", "Show one run: steps, times, approvals."),
        Verb("logs", "logs", "Print or follow the log of a run."),
        Verb("runs", "runs", "List, explain, cancel, resume and rerun runs."),
        Verb("approvals", "approvals", "List what waits for a decision."),
        Verb("packages", "packages", "Show, yank and override packages."),
    ),
    "Prove it": (
        Verb("controls", "controls", "Check the twelve controls, and their evidence."),
        Verb("audit", "audit", "Read, verify and export the audit log."),
        Verb("trust", "trust", "Show and change who may sign what."),
        Verb("dataset", "dataset", "Export finished runs as training data, and verify it."),
        Verb("explain", "explain", "Explain an error code or a rule."),
    ),
    "Operate": (
        Verb("ask", "ask", "Ask the runbooks: passages with their source."),
        Verb("knowledge", "knowledge", "Put runbooks and past runs where they are found."),
        Verb("stats", "stats", "Draw runs, failures, step times and what waits."),
        Verb("signals", "signals", "Show what was noticed, and answer it."),
        Verb("metrics", "metrics", "Print the alert rules and the metrics there are."),
        Verb("auth", "auth", "Log in, and show who you are."),
        Verb("context", "context", "Choose between instances and identities."),
        Verb("tenants", "tenants", "Make tenants."),
        Verb("secrets", "secrets", "Store and rotate what steps read; never show it."),
        Verb("server", "server", "Run the API server against a PostgreSQL."),
        Verb("worker", "worker", "Run a worker against a PostgreSQL."),
        Verb("cluster", "cluster", "Prepare a deployment in Kubernetes."),
        Verb("backup", "backup", "Take, verify, restore and drill backups."),
        Verb("db", "db", "Migrate the database and show its state."),
        Verb("completion", "completion", "Print a shell's completion script."),
    ),
}

VERBS: dict[str, Verb] = {verb.name: verb for section in SECTIONS.values() for verb in section}
