"""The codes of stage API that the server raises; the client's own are in `client`."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

NOT_FOUND = Code(
    "API010",
    "there is nothing under this path",
    "The path is no route of this version's API.",
    "see docs/reference/openapi.json for the routes there are",
    ExitCode.NO,
    404,
)
METHOD = Code(
    "API011",
    "this path does not take this method",
    "The route exists with other methods.",
    "see docs/reference/openapi.json for the methods it takes",
    ExitCode.USAGE,
    405,
)
INVALID = Code(
    "API012",
    "the request is not of the form this route takes",
    "A field is missing, unknown or of the wrong type, or a parameter is out of its range. Nothing was changed.",
    "compare the request with docs/reference/openapi.json",
    ExitCode.USAGE,
    422,
)
TOO_LARGE = Code(
    "API013",
    "the request is too large",
    "Packages and what is validated may have 96 MiB as they are sent, everything else 1 MiB. Nothing was read further.",
    "send less; a package holds at most 64 MiB",
    ExitCode.USAGE,
    413,
)
BAD_CURSOR = Code(
    "API014",
    "the place to go on from cannot be read",
    "`after` must be the `next` of a page of the same list.",
    "start again without `after`",
    ExitCode.USAGE,
    422,
)
KEY_REUSED = Code(
    "API015",
    "this Idempotency-Key was used for another request",
    "One key stands for one request for a day. The first answer stays; this request changed nothing.",
    "use a new key for a new request",
    ExitCode.CONFLICT,
    409,
)
BAD_KEY = Code(
    "API016",
    "the Idempotency-Key cannot be used",
    "A key is 1 to 255 visible ASCII characters.",
    "use a UUID",
    ExitCode.USAGE,
    422,
)
INTERNAL = Code(
    "API020",
    "the server failed",
    "Something went wrong that should not have; the change in hand was rolled back. The server's log has the details "
    "under the request's id.",
    "report it with the request id above",
    ExitCode.SERVICE,
    500,
)

CODES = (NOT_FOUND, METHOD, INVALID, TOO_LARGE, BAD_CURSOR, KEY_REUSED, BAD_KEY, INTERNAL)
