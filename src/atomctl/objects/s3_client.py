"""Reaching an S3 server: where it is, how long it is waited for, and its failures said in ATOM's codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from atomctl.errors import AtomError, Code
from atomctl.objects import codes

DEFAULT_REGION = "us-east-1"

_FULL = frozenset({
    "EntityTooLarge", "InsufficientCapacity", "InsufficientStorage", "QuotaExceeded", "ServiceQuotaExceeded",
    "StorageFull", "XMinioDiskFull", "XMinioStorageFull",
})  # fmt: skip
_REFUSED = frozenset({
    "AccessDenied", "AuthorizationHeaderMalformed", "ExpiredToken", "Forbidden", "InvalidAccessKeyId", "InvalidToken",
    "SignatureDoesNotMatch", "XAdminUserNotFound",
})  # fmt: skip
_NAMED: dict[str, Code] = {
    **dict.fromkeys(_FULL, codes.FULL),
    **dict.fromkeys(_REFUSED, codes.REFUSED),
    "NoSuchBucket": codes.NO_BUCKET,
    "NoSuchKey": codes.MISSING,
    "NoSuchVersion": codes.MISSING,
    "RequestTimeTooSkewed": codes.CLOCK,
    "BadDigest": codes.CORRUPT,
}
"""What the servers call it (Amazon S3's error responses, and what versitygw and MinIO add)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """A bucket and how to reach it.

    Attributes:
        bucket: its name.
        endpoint: the server's address; None for Amazon's of the region.
        access_key: the name of the credentials.
        secret_key: never shown.
        region: what requests are signed for.
        timeout: seconds without a byte after which a connection is given up.
        attempts: how often a request that failed for the server's reasons is sent.
    """

    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    endpoint: str | None = None
    region: str = DEFAULT_REGION
    timeout: float = 20.0
    attempts: int = 3

    def __str__(self) -> str:
        return f"bucket {self.bucket} at {self.endpoint or f'Amazon S3, {self.region}'}"


def connect(place: S3Place) -> Any:
    """A boto3 client for `place`; nothing is sent yet. It may be shared between threads.

    Raises:
        AtomError: OBJ015 the address is not a URL.
    """
    import boto3  # 200 ms of import that only those who have an S3 server pay
    from botocore.config import Config

    config = Config(
        s3={"addressing_style": "auto" if place.endpoint is None else "path"},
        connect_timeout=min(5.0, place.timeout),
        read_timeout=place.timeout,
        retries={"mode": "standard", "total_max_attempts": place.attempts},
        # SHA-256 is given with every object; other checksums would need trailers, which not every server reads.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        # A session of its own: the default one is shared by the process and not safe between threads.
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=place.endpoint,
            region_name=place.region,
            aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key,
            config=config,
        )
    except ValueError as error:
        raise AtomError(codes.INCOMPLETE, f"S3_ENDPOINT {place.endpoint!r} is not an address: {error}") from error
    client.meta.events.register("before-call.s3.HeadBucket", _no_region)
    return client


def _no_region(**_: object) -> tuple[_Answered, dict[str, Any]]:
    """Answers the question that boto3 asks when it is redirected: the bucket is nowhere else.

    It asks the server that redirects, whose redirection it follows with the same question, and so on without end.
    """
    return _Answered(), {"ResponseMetadata": {"HTTPHeaders": {}}}


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer that needs no request."""

    status_code: int = 200


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Says what the libraries raise in ATOM's codes.

    Args:
        what: the object or bucket, for the message.

    Raises:
        AtomError: OBJ003 to OBJ012 and OBJ016, by what the server answered or how it did not.
    """
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except boto.ClientError as error:
        raise AtomError(_code_of(error), f"{what}: {_words(error)}") from error
    except (boto.SSLError, boto.ProxyConnectionError) as error:
        code = codes.CERTIFICATE if isinstance(error, boto.SSLError) else codes.UNAVAILABLE
        raise AtomError(code, f"{what}: {_short(error)}") from error
    except (boto.HTTPClientError, boto.ConnectionError, HTTPError) as error:
        raise AtomError(codes.UNAVAILABLE, f"{what}: {_short(error)}") from error
    except (ResponseParserError, boto.BotoCoreError, ValueError) as error:
        raise AtomError(codes.NONSENSE, f"{what}: {_short(error)}") from error


def answered(error: Exception) -> str:
    """The server's own name for a refusal (`NoSuchKey`, `PreconditionFailed`, ...); empty if it is none."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _code_of(error: Any) -> Code:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if known := _NAMED.get(answered(error)):
        return known
    if status == 507:
        return codes.FULL
    if status == 403:
        return codes.REFUSED
    # Without a body that names a reason, boto3 gives the status as the reason, and 500 for a page with status 200.
    named = not answered(error).isdigit()
    if status > 500 or status == 429 or (status == 500 and (named or not _is_page(error))):
        return codes.UNAVAILABLE
    return codes.DECLINED if named else codes.NONSENSE


def _is_page(error: Any) -> bool:
    kind = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "")
    return bool(kind) and "xml" not in kind


def _words(error: Any) -> str:
    """Code and message of the answer; its other fields may repeat the signed request."""
    answer = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "no status")
    return f"{answer.get('Code', 'no code')} ({status}): {str(answer.get('Message', ''))[:200]}"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
