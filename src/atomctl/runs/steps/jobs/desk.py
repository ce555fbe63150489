"""The calls about one attempt's objects, each made so that its repeat does no harm."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import MERGE_PATCH, Call, Object, Patience
from atomctl.kubernetes.connection import Cluster
from atomctl.kubernetes.kinds import EVENT, JOB, POD, SECRET, Kind, known_kind, objects_in
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.permissions import Permission
from atomctl.kubernetes.references import Reference, collection, listing
from atomctl.runs.steps.jobs import names
from atomctl.runs.steps.jobs.manifests import CONTAINER, resumption, secret_name

_AGAIN_SECONDS: Final = 1.0
_NEEDED: Final = (
    ("batch", "jobs", "", ("create", "delete", "get", "list", "patch")),
    ("", "pods", "", ("list",)),
    ("", "pods", "log", ("get",)),
    ("", "events", "", ("list",)),
    ("", "configmaps", "", ("create",)),
    ("", "secrets", "", ("create", "get")),
    ("networking.k8s.io", "networkpolicies", "", ("create",)),
)


def needed(namespace: str) -> tuple[Permission, ...]:
    """What the worker's account has to be permitted in the namespace of Jobs."""
    return tuple(
        Permission(group, resource, verb, subresource, namespace)
        for group, resource, subresource, verbs in _NEEDED
        for verb in verbs
    )


@dataclass(frozen=True, slots=True)
class JobDesk:
    """The Jobs of steps in one namespace of one cluster; shared by all threads."""

    cluster: Cluster
    namespace: str

    def job(self, name: str, patience: Patience) -> Object | None:
        """The Job, or None if there is none.

        Raises:
            AtomError: KUB001 to KUB017 the cluster cannot be asked, or refuses.
            GivenUpError: waiting was cancelled.
        """
        try:
            return self.cluster.ask(self._reference(JOB, name).call("GET"), patience)
        except AtomError as error:
            if error.code is codes.NOT_FOUND:
                return None
            raise

    def create(self, item: Object, patience: Patience) -> Object:
        """The object is there: made now, or by an earlier try whose answer was lost. Names are those of one attempt.

        Raises:
            AtomError: KUB001 to KUB017.
            GivenUpError: waiting was cancelled.
        """
        kind = known_kind(str(item["kind"]))
        assert kind is not None, "every kind that an attempt needs is one that all clusters have"
        reference = self._reference(kind, str(mapping(item, "metadata")["name"]))
        path = collection(kind, self.namespace)
        call = Call(method="POST", path=path, what=f"create {reference}", body=item)
        while True:
            try:
                return self.cluster.ask(call, patience)
            except AtomError as error:
                if error.code is codes.EXISTS:
                    return self.cluster.ask(reference.call("GET"), patience)
                if not error.code.retryable or patience.left <= _AGAIN_SECONDS:
                    raise
                patience.pause(_AGAIN_SECONDS)

    def resume(self, name: str, patience: Patience) -> None:
        """The Job may start; a repeat changes nothing.

        Raises:
            AtomError: KUB001 to KUB017.
            GivenUpError: waiting was cancelled.
        """
        asked = self._reference(JOB, name).call("PATCH", body=resumption(), content_type=MERGE_PATCH)
        self.cluster.ask(asked, patience)

    def delete(self, name: str, patience: Patience, *, unchanged: Object | None = None) -> None:
        """The Job is being deleted, its Pods first and everything it owns with it; or there is none.

        With `unchanged` only if it is still as it was read there.

        Raises:
            AtomError: KUB013 it was changed since, KUB001 to KUB017.
            GivenUpError: waiting was cancelled.
        """
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        if unchanged is not None:
            metadata = mapping(unchanged, "metadata")
            body["preconditions"] = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        try:
            self.cluster.ask(self._reference(JOB, name).call("DELETE", body=body), patience)
        except AtomError as error:
            if error.code is not codes.NOT_FOUND:
                raise

    def jobs(self, patience: Patience) -> list[Object]:
        """All Jobs of steps, of whatever installation.

        Raises:
            AtomError: KUB001 to KUB017.
        """
        return objects_in(self.cluster.ask(listing(JOB, self.namespace, labels=names.ALL_STEPS), patience))

    def pods_of(self, name: str, patience: Patience) -> list[Object]:
        """The Pods of a Job: none or one, by how the Job is made.

        Raises:
            AtomError: KUB001 to KUB017.
            GivenUpError: waiting was cancelled.
        """
        labels = f"batch.kubernetes.io/job-name={name}"
        return objects_in(self.cluster.ask(listing(POD, self.namespace, labels=labels), patience))

    def events_of(self, name: str, patience: Patience) -> list[Object]:
        """What the cluster noted about a Job.

        Raises:
            AtomError: KUB001 to KUB017.
            GivenUpError: waiting was cancelled.
        """
        fields = f"involvedObject.kind=Job,involvedObject.name={name}"
        return objects_in(self.cluster.ask(listing(EVENT, self.namespace, fields=fields), patience))

    def secrets_of(self, name: str, patience: Patience) -> dict[str, str] | None:
        """The secrets that the attempt was handed; None if they are gone. They are needed to mask what it says.

        Raises:
            AtomError: KUB001 to KUB017.
            GivenUpError: waiting was cancelled.
        """
        reference = self._reference(SECRET, secret_name(name))
        try:
            data = mapping(self.cluster.ask(reference.call("GET"), patience), "data")
        except AtomError as error:
            if error.code is codes.NOT_FOUND:
                return None
            raise
        return {key: base64.b64decode(str(value)).decode() for key, value in data.items()}

    @contextlib.contextmanager
    def log(self, pod: str, since: str | None, patience: Patience) -> Iterator[Iterator[bytes]]:
        """The lines of the step's log with their times, until the container ends, the stream breaks or patience ends.

        Raises:
            AtomError: KUB001 to KUB017, also from the iterator.
            GivenUpError: waiting was cancelled.
        """
        query: Mapping[str, str] = {"container": CONTAINER, "follow": "true", "timestamps": "true"}
        asked = self._reference(POD, pod).call("GET", "log", query={**query, **({"sinceTime": since} if since else {})})
        with self.cluster.lines(asked, patience) as lines:
            yield lines

    def _reference(self, kind: Kind, name: str) -> Reference:
        return Reference(kind, self.namespace, name)
