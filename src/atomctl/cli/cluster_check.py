"""What `atomctl doctor` says about the cluster of k8s steps: whether one is configured, and whether it answers."""

from __future__ import annotations

from atomctl.errors import AtomError
from atomctl.settings import Settings

_HOW = "KUBECONFIG=FILE atomctl up    # see docs/how-to/kubernetes.md"
_SECONDS = 5.0


def cluster_check(settings: Settings) -> dict[str, str]:
    """One check; it asks the API server for its version, which needs no permission."""
    from atomctl.kubernetes.calls import Call, Patience
    from atomctl.kubernetes.opening import open_cluster

    try:
        cluster = open_cluster(settings)
        if cluster is None:
            return _check("missing", "no cluster is configured: packages with k8s handlers cannot be run", _HOW)
        call = Call(method="GET", path="/version", what="ask the cluster for its version")
        version = cluster.ask(call, Patience.of(_SECONDS)).get("gitVersion")
        detail = f"{version} at {cluster.server}, namespace {cluster.namespace}"
        cluster.close()
    except AtomError as error:
        return _check("problem", f"{error.code.id}: {error.why}", error.hint)
    return _check("ok", detail, "")


def _check(state: str, detail: str, hint: str) -> dict[str, str]:
    return {"name": "kubernetes", "state": state, "detail": detail, "hint": hint}
