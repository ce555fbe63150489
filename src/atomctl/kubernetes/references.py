"""Which object is meant, and the calls that read and change it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Call, Method, Object
from atomctl.kubernetes.kinds import Kind


@dataclass(frozen=True, slots=True)
class Reference:
    """One object of a cluster, there or not.

    Raises:
        AtomError: KUB015 the name or namespace is none, and would lead to another path.
    """

    kind: Kind
    namespace: str | None
    """None for cluster-wide kinds."""
    name: str

    def __post_init__(self) -> None:
        for part in (self.name, self.namespace):
            if part is not None and (part in {"", ".", ".."} or "/" in part or "%" in part):
                raise AtomError(codes.INVALID, f"{part[:80]!r} is no name in a cluster")

    def __str__(self) -> str:
        """As people name it: `Deployment shop/web`."""
        return f"{self.kind.name} {self.namespace}/{self.name}" if self.namespace else f"{self.kind.name} {self.name}"

    def call(self, method: Method, subresource: str = "", /, **asked: object) -> Call:
        """A call on the object; `asked` are the further fields of the call."""
        verb = {"GET": "get", "PATCH": "patch", "PUT": "replace", "DELETE": "delete", "POST": "create"}[method]
        path = f"{collection(self.kind, self.namespace)}/{quote(self.name, safe='')}"
        words = f"{verb} {self}"
        if subresource:
            path, words = f"{path}/{subresource}", f"{verb} {subresource} of {self}"
        return Call(method=method, path=path, what=words, **asked)  # type: ignore[arg-type]  # the caller's fields


def collection(kind: Kind, namespace: str | None) -> str:
    """The path of all objects of a kind, in one namespace or, for cluster-wide kinds and None, in all."""
    inner = f"/namespaces/{quote(namespace, safe='')}" if kind.namespaced and namespace else ""
    return f"{kind.root}{inner}/{kind.plural}"


def listing(kind: Kind, namespace: str | None, *, labels: str = "", fields: str = "") -> Call:
    """The call that lists objects by selectors."""
    query = {name: value for name, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
    where = f" in namespace {namespace}" if namespace else ""
    chosen = f" with {labels or fields}" if query else ""
    return Call(method="GET", path=collection(kind, namespace), what=f"list {kind.plural}{where}{chosen}", query=query)


def reference_to(kind: Kind, item: Object) -> Reference:
    """The reference to an object that was read."""
    metadata = item.get("metadata")
    assert isinstance(metadata, dict), "every object of a cluster has metadata"
    namespace = metadata.get("namespace")
    return Reference(kind, str(namespace) if namespace else None, str(metadata["name"]))
