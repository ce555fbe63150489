"""The objects of one attempt: the Job and everything it owns. Pure."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from atomctl.canonical import Json
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import mapping
from atomctl.runs import sandbox
from atomctl.runs.steps.jobs.contents import CarriedFile
from atomctl.runs.steps.jobs.image import JobImage
from atomctl.runs.steps.jobs.names import PREFIX
from atomctl.runs.steps.jobs.network import policy_spec

CONTAINER: Final = "step"
RESUMED: Final = f"{PREFIX}resumed"
"""The annotation that tells a Job which was let start from one that never was."""
KEPT: Final = timedelta(days=1)
"""How long a Job stays after its end where nobody records it, with its log, its outputs and its secrets."""
_SECRET_MODE: Final = 0o440
_PACKAGE_VOLUME: Final = "package"
_SECRETS_VOLUME: Final = "secrets"
_SCRATCH_VOLUME: Final = "scratch"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDesign:
    """Everything that one attempt's objects are made of."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    image: JobImage
    argv: Sequence[str]
    env: Mapping[str, str]
    timeout: timedelta
    grace: timedelta
    resources: Mapping[str, Json]
    scratch_bytes: int
    portions: Sequence[Sequence[CarriedFile]]
    secrets: Mapping[str, str]
    network: Sequence[str]

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"JobDesign({self.namespace}/{self.name})"


def job(design: JobDesign) -> Object:
    """The Job, suspended: what its Pod needs is made after it, so that the Job owns it, and then it is let start."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(design, design.name),
        "spec": {
            "suspend": True,
            "completions": 1,
            "parallelism": 1,
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": math.ceil(design.timeout.total_seconds()),
            "ttlSecondsAfterFinished": int(KEPT.total_seconds()),
            "template": {"metadata": {"labels": dict(design.labels)}, "spec": _pod(design)},
        },
    }


def owned(design: JobDesign, job_uid: str) -> list[Object]:
    """What the Job owns, and what goes when it goes: ConfigMaps, the NetworkPolicy, and the Secret if there is any."""
    objects = [_config_map(design, index, job_uid) for index in range(len(design.portions))]
    objects.append(_network_policy(design, job_uid))
    if design.secrets:
        objects.append(_secret(design, job_uid))
    return objects


def resumption() -> Object:
    """The merge patch that lets the Job start."""
    return {"metadata": {"annotations": {RESUMED: "true"}}, "spec": {"suspend": False}}


def secret_name(job_name: str) -> str:
    """What the Secret of a Job is called."""
    return f"{job_name}-secrets"


def config_map_name(job_name: str, index: int) -> str:
    """What the ConfigMap with this portion of the package is called."""
    return f"{job_name}-{index}"


def has_secrets(item: Object) -> bool:
    """Whether a Job was handed secrets."""
    volumes = mapping(item, "spec", "template", "spec").get("volumes")
    found = volumes if isinstance(volumes, list) else []
    return any(isinstance(volume, dict) and volume.get("name") == _SECRETS_VOLUME for volume in found)


def _metadata(design: JobDesign, name: str) -> dict[str, Json]:
    return {"name": name, "namespace": design.namespace, "labels": dict(design.labels)}


def _owned_metadata(design: JobDesign, name: str, job_uid: str) -> dict[str, Json]:
    owner: Json = {"apiVersion": "batch/v1", "kind": "Job", "name": design.name, "uid": job_uid, "controller": True}
    return _metadata(design, name) | {"ownerReferences": [owner]}


def _config_map(design: JobDesign, index: int, job_uid: str) -> Object:
    data = {_key(place): base64.b64encode(file.data).decode() for place, file in enumerate(design.portions[index])}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _owned_metadata(design, config_map_name(design.name, index), job_uid),
        "immutable": True,
        "binaryData": dict(data),
    }


def _secret(design: JobDesign, job_uid: str) -> Object:
    data = {name: base64.b64encode(value.encode()).decode() for name, value in design.secrets.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _owned_metadata(design, secret_name(design.name), job_uid),
        "type": "Opaque",
        "immutable": True,
        "data": dict(data),
    }


def _network_policy(design: JobDesign, job_uid: str) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _owned_metadata(design, design.name, job_uid),
        "spec": policy_spec(design.labels, design.network),
    }


def _pod(design: JobDesign) -> dict[str, Json]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": True,  # the step is not process 1, which would not hear a TERM
        "terminationGracePeriodSeconds": math.ceil(design.grace.total_seconds()),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": sandbox.STEP_USER,
            "runAsGroup": sandbox.STEP_USER,
            "fsGroup": sandbox.STEP_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(design)],
        "volumes": _volumes(design),
    }


def _container(design: JobDesign) -> dict[str, Json]:
    mounts: list[Json] = [
        {"name": _PACKAGE_VOLUME, "mountPath": sandbox.PACKAGE, "readOnly": True},
        {"name": _SCRATCH_VOLUME, "mountPath": sandbox.HOME},
    ]
    if design.secrets:
        mounts.append({"name": _SECRETS_VOLUME, "mountPath": sandbox.SECRETS, "readOnly": True})
    return {
        "name": CONTAINER,
        "image": design.image.reference,
        "imagePullPolicy": design.image.pull_policy,
        "command": [_literal(word) for word in design.argv],
        "workingDir": sandbox.PACKAGE,
        "env": [{"name": name, "value": _literal(value)} for name, value in design.env.items()],
        "resources": dict(design.resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePath": sandbox.OUTPUT,  # what the step writes there comes back with its exit code
        "terminationMessagePolicy": "File",
        "volumeMounts": mounts,
    }


def _volumes(design: JobDesign) -> list[Json]:
    volumes: list[Json] = [
        {"name": _PACKAGE_VOLUME, "projected": {"sources": _package_sources(design)}},
        {"name": _SCRATCH_VOLUME, "emptyDir": {"sizeLimit": str(design.scratch_bytes)}},
    ]
    if design.secrets:
        items: list[Json] = [{"key": name, "path": name, "mode": _SECRET_MODE} for name in design.secrets]
        source: Json = {"secret": {"name": secret_name(design.name), "items": items}}
        volumes.append({"name": _SECRETS_VOLUME, "projected": {"defaultMode": _SECRET_MODE, "sources": [source]}})
    return volumes


def _package_sources(design: JobDesign) -> list[Json]:
    sources: list[Json] = []
    for index, portion in enumerate(design.portions):
        items: list[Json] = [
            {"key": _key(place), "path": file.path, "mode": file.mode} for place, file in enumerate(portion)
        ]
        sources.append({"configMap": {"name": config_map_name(design.name, index), "items": items}})
    return sources


def _key(place: int) -> str:
    """Keys allow fewer characters than paths, so that they are numbers, and the volume says which path each one is."""
    return f"f{place}"


def _literal(text: str) -> str:
    """`text` so that the kubelet, which replaces `$(NAME)` in arguments and values, leaves it as it is."""
    return text.replace("$", "$$")
