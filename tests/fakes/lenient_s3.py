"""The part of an S3 client that a probe uses, over a dictionary, with a lock that has holes where a test wants them."""

from __future__ import annotations

import datetime
import io
import itertools
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from urllib3 import HTTPResponse

from atomctl.objects.probe import Attack
from atomctl.objects.s3 import DIGEST


class LenientS3:
    """One bucket with Object Lock that does not withstand `holes`.

    Args:
        bucket: its name.
        holes: the attacks that succeed.
        silent: whether attacks are answered with success although they change nothing.
        extends: whether a retention can be made longer.
    """

    def __init__(
        self, bucket: str, holes: Iterable[Attack] = (), *, silent: bool = False, extends: bool = True
    ) -> None:
        self.bucket, self.holes, self.silent, self.extends = bucket, frozenset(holes), silent, extends
        self.versioning = "Enabled"
        self.there = True
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self._ids = itertools.count()

    def _attack(self, attack: Attack) -> bool:
        """Whether the attack succeeds."""
        if attack in self.holes:
            return True
        if not self.silent:
            raise _refused("AccessDenied", 403)
        return False

    def _object(self, key: str, version: str) -> dict[str, Any]:
        if (key, version) not in self.objects:
            raise _refused("NoSuchVersion", 404)
        return self.objects[key, version]

    def get_object_lock_configuration(self, **_: Any) -> dict[str, Any]:
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}

    def get_bucket_versioning(self, **_: Any) -> dict[str, Any]:
        return {"Status": self.versioning, "ResponseMetadata": {"HTTPHeaders": {"server": "lenient"}}}

    def put_bucket_versioning(self, *, VersioningConfiguration: dict[str, str], **_: Any) -> None:  # noqa: N803  # boto3's
        status = VersioningConfiguration["Status"]
        if status == "Enabled" or self._attack(Attack.SUSPEND_VERSIONING):
            self.versioning = status

    def delete_bucket(self, **_: Any) -> None:
        self.there = not self._attack(Attack.DELETE_BUCKET)

    def put_object(self, *, Key: str, Body: bytes, **given: Any) -> None:  # noqa: N803  # boto3's
        retention = {"Mode": given["ObjectLockMode"], "RetainUntilDate": given["ObjectLockRetainUntilDate"]}
        self.there = True
        version = f"{next(self._ids)}"
        self.objects[Key, version] = {"Body": Body, "Metadata": given["Metadata"], "Retention": retention}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's
        found = next(value for (key, _), value in self.objects.items() if key == Key)
        return {"Metadata": {DIGEST: found["Metadata"][DIGEST]}, "ContentLength": len(found["Body"])}

    def get_object(self, *, Key: str, VersionId: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's
        found = self._object(Key, VersionId)
        body = HTTPResponse(io.BytesIO(found["Body"]), preload_content=False)
        return {"Body": StreamingBody(body, None), "ContentLength": len(found["Body"]), "Metadata": found["Metadata"]}

    def list_object_versions(self, *, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's
        if not self.there:
            raise _refused("NoSuchBucket", 404)
        found = [{"Key": key, "VersionId": version} for key, version in self.objects if key.startswith(Prefix)]
        return {"Name": self.bucket, "Versions": found}

    def get_object_retention(self, *, Key: str, VersionId: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's
        retention = self._object(Key, VersionId)["Retention"]
        if not retention:
            raise _refused("NoSuchObjectLockConfiguration", 404)
        return {"Retention": retention}

    def get_object_legal_hold(self, **_: Any) -> dict[str, Any]:
        raise _refused("NoSuchObjectLockConfiguration", 404)

    def put_object_retention(self, *, Key: str, VersionId: str, Retention: dict[str, Any], **_: Any) -> None:  # noqa: N803
        found = self._object(Key, VersionId)
        if not Retention:
            allowed = self._attack(Attack.CLEAR)
        elif Retention["Mode"] == "GOVERNANCE":
            allowed = self._attack(Attack.DOWNGRADE)
        elif _time(Retention) < _time(found["Retention"]):
            allowed = self._attack(Attack.SHORTEN)
        else:
            allowed = self.extends
        if allowed:
            found["Retention"] = Retention

    def delete_object(self, *, Key: str, VersionId: str, **_: Any) -> None:  # noqa: N803  # boto3's
        retention = self._object(Key, VersionId)["Retention"]
        expired = not retention or _time(retention) < datetime.datetime.now(datetime.UTC)
        if expired or self._attack(Attack.DELETE_VERSION):
            del self.objects[Key, VersionId]


def _time(retention: dict[str, Any]) -> datetime.datetime:
    moment: datetime.datetime = retention["RetainUntilDate"]
    return moment


def _refused(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Fake")
