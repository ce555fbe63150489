"""`atomctl cluster`: what a deployment in Kubernetes needs once."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError
from atomctl.settings import load_settings

_SECONDS = 60.0


@click.group("cluster")
def command() -> None:
    """Prepare a deployment in Kubernetes."""


@command.command("keys", epilog=examples("ATOM_KUBERNETES=in-cluster atomctl cluster keys atom-keys"))
@click.argument("secret")
@output_option
def keys(secret: str, output: Format) -> None:
    """Make the Secret of a deployment, unless it is there.

    It holds what is made once and has to outlive every container: the issuer's and the audit log's key, the keys of
    backups and of pseudonyms, the passwords of the database's roles, the first tenant's id. An existing one is never
    changed. The connection's namespace is taken.
    """
    from atomctl.cli.lasting_keys import keep, make_lasting
    from atomctl.kubernetes.calls import Patience
    from atomctl.kubernetes.opening import open_cluster

    cluster = open_cluster(load_settings())
    if cluster is None:
        raise AtomError(codes.USAGE, "no cluster is configured", hint="set KUBECONFIG, or ATOM_KUBERNETES=in-cluster")
    with tempfile.TemporaryDirectory(prefix="atom-keys-") as folder:
        lasting = make_lasting(Path(folder))
    with contextlib.closing(cluster):
        made = keep(cluster, secret, lasting, Patience.of(_SECONDS))
    document = {"name": secret, "namespace": cluster.namespace, "made": made, "entries": sorted(lasting)}
    emit("cluster-keys", document, output, text=lambda d: f"{d['namespace']}/{d['name']}: {_words(d['made'])}")
    say("Keep a copy of it elsewhere: without it no backup can be read and nobody can log in.")


def _words(made: object) -> str:
    return "made" if made else "was there, nothing was changed"
