"""Errors of the object store."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

BAD_KEY = Code(
    "OBJ001",
    "not an object key",
    "A key is 1 to 16 parts of letters, digits, dot, dash and underscore, joined by slashes, none of which begins with "
    "a dot. Nothing was read or written.",
    "this is an error inside ATOM; report it with the key",
    ExitCode.NO,
    500,
)
CONFLICT = Code(
    "OBJ002",
    "the key holds other bytes",
    "Objects are written once. The same bytes again are fine, others are refused; what was there stays.",
    "find out who wrote the object first; content-addressed keys cannot collide by accident",
    ExitCode.CONFLICT,
    409,
)
MISSING = Code(
    "OBJ003",
    "no such object",
    "Nothing is stored under the key.",
    "restore the object store from the same backup as the database",
    ExitCode.NO,
    404,
)
FULL = Code(
    "OBJ004",
    "the object store is full",
    "The disk or quota has no room. Nothing was half-written.",
    "free space on the volume of the objects folder, then try again",
    ExitCode.SERVICE,
    507,
    retryable=True,
)
DENIED = Code(
    "OBJ005",
    "the object store cannot be used",
    "The folder or object is not permitted, of the wrong kind, or the volume is read-only or failing.",
    "check owner and mode (0700) of the objects folder: atomctl doctor",
    ExitCode.SERVICE,
    503,
)
UNAVAILABLE = Code(
    "OBJ006",
    "the object store does not answer",
    "No connection, no answer in time, or the server says that it failed. What was asked may or may not have happened; "
    "writing the same object again is safe.",
    "check S3_ENDPOINT and the server: atomctl doctor",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
REFUSED = Code(
    "OBJ007",
    "the object store refused the credentials",
    "The access key is unknown, the secret does not belong to it, or it may not do this. Nothing was read or written.",
    "check S3_ACCESS_KEY and S3_SECRET_KEY, and what the key may do in the bucket: atomctl doctor",
    ExitCode.AUTH,
    503,
)
NO_BUCKET = Code(
    "OBJ008",
    "no such bucket",
    "The server has no bucket of that name. ATOM makes no bucket, because whether it can be locked is decided then.",
    "aws s3api create-bucket --bucket NAME --object-lock-enabled-for-bucket",
    ExitCode.SERVICE,
    503,
)
NONSENSE = Code(
    "OBJ009",
    "the answer is not an object store's",
    "Something answered, but not as S3 does: a proxy's page, another server, or an object that ATOM did not write. "
    "Nothing of it was used.",
    "check that S3_ENDPOINT is the address of the S3 API, not of its console: atomctl doctor",
    ExitCode.SERVICE,
    502,
)
CERTIFICATE = Code(
    "OBJ010",
    "the object store's certificate is not trusted",
    "The certificate has expired, names another host, or is signed by nobody this machine trusts. Nothing was sent.",
    "renew the certificate, or name your own authority: export AWS_CA_BUNDLE=/path/ca.pem",
    ExitCode.SERVICE,
    502,
)
CORRUPT = Code(
    "OBJ011",
    "the object is not what was stored",
    "The bytes that were read do not have the digest they were stored with. They were not used.",
    "restore the object from a backup, and look for who changed it",
    ExitCode.TAMPERED,
    500,
)
CLOCK = Code(
    "OBJ012",
    "the clocks do not agree",
    "The server refuses requests whose time is too far from its own.",
    "compare both clocks (date -u) and set the wrong one",
    ExitCode.SERVICE,
    503,
)
NOT_LOCKED = Code(
    "OBJ013",
    "the bucket cannot lock objects",
    "Retention was asked for and the bucket has no Object Lock: whoever has its credentials could empty it.",
    "aws s3api create-bucket --bucket NAME --object-lock-enabled-for-bucket    # it cannot be added everywhere later",
    ExitCode.SERVICE,
    503,
)
RETAINED = Code(
    "OBJ014",
    "the object is retained",
    "Its retention has not passed, or it is under legal hold. It stays.",
    "wait until the retention has passed",
    ExitCode.CONFLICT,
    409,
)
INCOMPLETE = Code(
    "OBJ015",
    "the object store is not fully configured",
    "A bucket was named, but not how to reach it. There is no fallback to a local folder.",
    "set S3_ACCESS_KEY and S3_SECRET_KEY, and S3_ENDPOINT unless the server is Amazon's",
    ExitCode.USAGE,
)
DECLINED = Code(
    "OBJ016",
    "the object store declined the request",
    "The server understood the request and does not do it, for a reason of its own that is named above.",
    "look up the reason in the server's documentation; atomctl doctor shows what the server can do",
    ExitCode.SERVICE,
    502,
)
CODES = (
    BAD_KEY,
    CONFLICT,
    MISSING,
    FULL,
    DENIED,
    UNAVAILABLE,
    REFUSED,
    NO_BUCKET,
    NONSENSE,
    CERTIFICATE,
    CORRUPT,
    CLOCK,
    NOT_LOCKED,
    RETAINED,
    INCOMPLETE,
    DECLINED,
)
