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
CODES = (BAD_KEY, CONFLICT, MISSING, FULL, DENIED)
