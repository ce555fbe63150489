"""Builds the frozen manifest from a document the schema has accepted, and fills in what defaults to something else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from atomctl.wpk.durations import parse_duration
from atomctl.wpk.model import (
    Alert,
    Handler,
    HandlerType,
    Idempotency,
    LoggingLevel,
    Manifest,
    Metadata,
    Mode,
    Monitoring,
    Probe,
    Requirements,
    Retry,
    Rollback,
    Runtime,
    RuntimeType,
    Safety,
    SecretRef,
    Trigger,
    TriggerType,
    Validation,
)

APPROVAL_TIMEOUT: Final = "24h"
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
SAFE_ACTIONS: Final = frozenset({"get", "apply", "logs", "events", "wait", "rollout-status"})
"""Kubernetes actions that only read, or state the wanted end."""

Fields = Mapping[str, Any]


def build(document: Fields) -> Manifest:
    """The manifest of an accepted document."""
    spec = document["spec"]
    return Manifest(
        metadata=_metadata(document["metadata"]),
        runtime=_runtime(spec.get("runtime", {})),
        parameters=spec.get("parameters", {}),
        secrets={name: SecretRef(**ref) for name, ref in spec.get("secrets", {}).items()},
        safety=_safety(spec.get("safety", {})),
        triggers=tuple(_trigger(each) for each in spec.get("triggers", [])),
        handlers=_handlers(spec["handlers"]),
        rollback=_rollback(spec.get("rollback", {})),
        validation=_validation(spec.get("validation", {})),
        monitoring=_monitoring(spec.get("monitoring", {})),
    )


def _metadata(fields: Fields) -> Metadata:
    created = fields.get("created")
    return Metadata(
        **{
            **fields,
            "created": datetime.fromisoformat(created) if created else None,
            "tags": tuple(fields.get("tags", [])),
        }
    )


def _runtime(fields: Fields) -> Runtime:
    requirements = {name: str(amount) for name, amount in fields.get("requirements", {}).items()}
    return Runtime(
        type=RuntimeType(fields.get("type", RuntimeType.SHELL)),
        version=fields.get("version"),
        image=fields.get("image"),
        requirements=Requirements(**requirements),
    )


def _safety(fields: Fields) -> Safety:
    return Safety(**{**fields, "mode": Mode(fields.get("mode", Mode.MANUAL))})


def _trigger(fields: Fields) -> Trigger:
    return Trigger(type=TriggerType(fields["type"]), config=fields["config"])


def _handlers(items: list[Fields]) -> tuple[Handler, ...]:
    before = [(), *((item["name"],) for item in items)]
    return tuple(_handler(item, needs) for item, needs in zip(items, before, strict=False))


def _rollback(fields: Fields) -> Rollback:
    handlers = tuple(_handler(item, ()) for item in fields.get("handlers", []))
    return Rollback(enabled=fields.get("enabled", True), handlers=handlers)


def _handler(fields: Fields, default_needs: tuple[str, ...]) -> Handler:
    type_ = HandlerType(fields["type"])
    timeout = fields.get("timeout", APPROVAL_TIMEOUT if type_ is HandlerType.APPROVAL else None)
    return Handler(
        name=fields["name"],
        type=type_,
        config=fields["config"],
        needs=tuple(fields.get("needs", default_needs)),
        when=fields.get("when"),
        retry=_retry(fields.get("retry", {})),
        idempotency=_idempotency(fields, type_),
        probe=_probe(fields["probe"]) if "probe" in fields else None,
        compensates=fields.get("compensates"),
        **({"timeout": parse_duration(timeout)} if timeout else {}),
    )


def _retry(fields: Fields) -> Retry:
    backoff = {"backoff": parse_duration(fields["backoff"])} if "backoff" in fields else {}
    return Retry(max_attempts=int(fields.get("max_attempts", 1)), **backoff)


def _probe(fields: Fields) -> Probe:
    timeout = {"timeout": parse_duration(fields["timeout"])} if "timeout" in fields else {}
    return Probe(type=HandlerType(fields["type"]), config=fields["config"], **timeout)


def _idempotency(fields: Fields, type_: HandlerType) -> Idempotency:
    if "idempotency" in fields:
        return Idempotency(fields["idempotency"])
    config = fields["config"]
    reads = type_ is HandlerType.API and config.get("method", "GET") in SAFE_METHODS
    states = type_ is HandlerType.K8S and config["action"] in SAFE_ACTIONS
    return Idempotency.SAFE if reads or states else Idempotency.UNSAFE


def _validation(fields: Fields) -> Validation:
    return Validation(**{**fields, "required_permissions": tuple(fields.get("required_permissions", []))})


def _monitoring(fields: Fields) -> Monitoring:
    return Monitoring(
        metrics_enabled=fields.get("metrics_enabled", True),
        logging_level=LoggingLevel(fields.get("logging_level", LoggingLevel.INFO)),
        alerts=tuple(Alert(**alert) for alert in fields.get("alerts", [])),
    )
