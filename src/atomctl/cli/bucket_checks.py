"""What `atomctl doctor` says about buckets: whether they answer, and what locks they really keep."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.errors import AtomError
from atomctl.objects.opening import audit_store, object_store
from atomctl.objects.probe import Enforcement, LockReport, probe_lock
from atomctl.settings import Settings

_LOCKABLE = "aws s3api create-bucket --bucket NAME --object-lock-enabled-for-bucket    # then set S3_AUDIT_BUCKET"


def bucket_checks(settings: Settings) -> Iterator[dict[str, str]]:
    """One check for the objects' bucket, if there is one, and one for the audit log's."""
    if settings.s3_bucket is not None:
        yield _objects(settings)
    yield _audit(settings)


def _objects(settings: Settings) -> dict[str, str]:
    try:
        object_store(settings).exists("doctor")
    except AtomError as error:
        return _check("object store", "problem", error.why, error.hint)
    return _check("object store", "ok", f"bucket {settings.s3_bucket} answers")


def _audit(settings: Settings) -> dict[str, str]:
    try:
        store = audit_store(settings)
        if store is None:
            detail = "no bucket: a rewritten log could not be told from the true one"
            return _check("audit anchors", "missing", detail, _LOCKABLE)
        return _judge(probe_lock(store))
    except AtomError as error:
        return _check("audit anchors", "problem", f"{error.code.id}: {error.why}", error.hint)


def _judge(report: LockReport) -> dict[str, str]:
    match report.enforcement:
        case Enforcement.ENFORCED:
            detail = f"{report.place}: all {len(report.results)} attacks on a locked object failed"
            return _check("audit anchors", "ok", f"{detail}; extending is possible")
        case Enforcement.UNLOCKED:
            return _check("audit anchors", "problem", f"UNSAFE: {report.place} has no Object Lock", _LOCKABLE)
        case Enforcement.BROKEN:
            found = ", ".join(report.broken) or "retention cannot be extended"
            detail = f"UNSAFE: {report.place} accepts locks and does not keep them: {found}"
            return _check("audit anchors", "problem", detail, "use a server that enforces Object Lock, or update it")


def _check(name: str, state: str, detail: str, hint: str = "") -> dict[str, str]:
    return {"name": name, "state": state, "detail": detail, "hint": hint}
