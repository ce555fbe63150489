"""What a deployment makes once and keeps as long as it lives: keys, the database roles' passwords, its first tenant.

Each is a file in the home. Where processes are containers, whose homes pass, one Secret of the cluster keeps them; the
Pods take from it what each of them needs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from atomctl.cli import codes
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.kubernetes.calls import Object, Patience
    from atomctl.kubernetes.connection import Cluster

_KEYS = ("issuer.key", "audit.key", "audit.vkey", "backup.key", "dataset.key")


def make_lasting(home: Path) -> dict[str, bytes]:
    """The contents of every such file of a home by its name, made where they are missing; names are unique.

    Raises:
        AtomError: AUT030, AUD715, BAK002 or SEC021 a key file cannot be used.
    """
    from atomctl.access.issuer import EmbeddedIssuer
    from atomctl.audit.keys import load_or_create_key
    from atomctl.backup.keys import create_key
    from atomctl.db.credentials import ensure_password
    from atomctl.db.ids import new_id
    from atomctl.db.roles import DatabaseRole
    from atomctl.files import create_file
    from atomctl.secrets import keyring

    keys = home / "keys"
    EmbeddedIssuer(keys / "issuer.key")
    load_or_create_key(keys / "audit.key")
    create_key(keys / "backup.key")
    if not (keys / "dataset.key").exists():
        keyring.create_key(keys / "dataset.key")
    create_file(home / "tenant", f"{new_id()}\n".encode())
    passwords = [ensure_password(home / "credentials", role) for role in DatabaseRole]
    files = [home / "tenant", *(keys / name for name in _KEYS), *passwords]
    return {file.name: file.read_bytes() for file in files}


def keep(cluster: Cluster, name: str, lasting: Mapping[str, bytes], patience: Patience) -> bool:
    """Whether the Secret `name` in the connection's namespace was made now; one that is there is never changed.

    Raises:
        AtomError: CLI016 it is there and lacks something; KUB001 to KUB017 the cluster cannot be asked, or refuses.
    """
    from atomctl.kubernetes import codes as refusals
    from atomctl.kubernetes.calls import Call
    from atomctl.kubernetes.kinds import SECRET
    from atomctl.kubernetes.references import Reference, collection

    reference, path = Reference(SECRET, cluster.namespace, name), collection(SECRET, cluster.namespace)
    try:
        # Made without looking first: of two that do it at once, one is refused.
        cluster.ask(Call(method="POST", path=path, what=f"create {reference}", body=_secret(name, lasting)), patience)
    except AtomError as error:
        if error.code is not refusals.EXISTS:
            raise
    else:
        return True
    data = cluster.ask(reference.call("GET"), patience).get("data")
    missing = sorted(set(lasting) - set(data if isinstance(data, dict) else ()))
    if missing:
        raise AtomError(codes.INCOMPLETE_SECRET, f"{reference} has no {', '.join(missing)}")
    return False


def _secret(name: str, lasting: Mapping[str, bytes]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "atom"}},
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in lasting.items()},
    }
