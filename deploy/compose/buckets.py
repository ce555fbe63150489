"""Makes the buckets that the settings name, the one for evidence with Object Lock; a repeat changes nothing."""

import contextlib
import os
import sys
import time

import boto3
from botocore import exceptions

_ATTEMPTS = 30


def _make(name: str, *, lock: bool) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        region_name=os.environ.get("S3_REGION", "us-east-1"),
    )
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
    if lock:  # one that was there without it would keep nothing, and is refused here
        s3.get_object_lock_configuration(Bucket=name)


def _main() -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _make(os.environ["S3_BUCKET"], lock=False)
            _make(os.environ["S3_AUDIT_BUCKET"], lock=True)
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            if attempt == _ATTEMPTS:
                sys.exit(f"error: {error}")
            time.sleep(1)  # the server is starting
        else:
            return


_main()
