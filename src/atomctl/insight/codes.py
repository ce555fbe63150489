"""The codes of stage INS: signals and questions to Prometheus."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

NOT_CONFIGURED = Code(
    "INS801",
    "no Prometheus is configured",
    "A question to Prometheus needs to know where it is. Nothing was asked.",
    "export PROMETHEUS_URL=http://prometheus.example:9090    # where the server runs; then restart it",
    ExitCode.SERVICE,
    503,
)
BAD_EXPRESSION = Code(
    "INS802",
    "the expression cannot be asked",
    "It is empty, longer than 2,000 characters or holds control characters. Nothing was asked.",
    "send one PromQL expression that gives a vector or a number",
    ExitCode.USAGE,
    422,
)
REFUSED_EXPRESSION = Code(
    "INS803",
    "Prometheus refuses the expression",
    "It is no PromQL, or it would read more than Prometheus is configured to read. Nothing was recorded.",
    "try it with: promtool query instant $PROMETHEUS_URL 'EXPRESSION'",
    ExitCode.USAGE,
    422,
)
UNREACHABLE = Code(
    "INS804",
    "Prometheus does not answer",
    "No connection could be made, or it broke off before the answer was whole. Nothing was recorded.",
    'curl --fail "$PROMETHEUS_URL/-/ready"',
    ExitCode.SERVICE,
    503,
    retryable=True,
)
SLOW = Code(
    "INS805",
    "Prometheus did not answer in time",
    "The whole answer must be there within 10 seconds. Nothing was recorded.",
    "ask for less: a shorter range, fewer series",
    ExitCode.SERVICE,
    504,
    retryable=True,
)
BROKEN = Code(
    "INS806",
    "Prometheus answers with an error of its own",
    "It, or a proxy in front of it, answered with a 5xx status. Nothing was recorded.",
    'curl --fail "$PROMETHEUS_URL/-/healthy"    # and read its log',
    ExitCode.SERVICE,
    502,
    retryable=True,
)
REDIRECTED = Code(
    "INS807",
    "what should be Prometheus sends elsewhere",
    "A redirect is not followed: it usually leads to the login page of a proxy, or to another host."
    " Nothing was recorded.",
    "set PROMETHEUS_URL to the final address of Prometheus itself",
    ExitCode.SERVICE,
    502,
)
NOT_PROMETHEUS = Code(
    "INS808",
    "what answers is not Prometheus",
    "The answer is not the JSON of Prometheus' HTTP API: a page, another program, or a damaged answer."
    " Nothing was recorded.",
    "check PROMETHEUS_URL: it is the base address, without /api or /graph",
    ExitCode.SERVICE,
    502,
)
TOO_LARGE = Code(
    "INS809",
    "Prometheus answers more than is read",
    "An answer may have 1 MiB. The rest was not read and nothing was recorded.",
    "aggregate in the expression, such as max(...) or topk(10, ...)",
    ExitCode.USAGE,
    422,
)
NO_DATA = Code(
    "INS810",
    "the expression matches no series",
    "Nothing can be said about a threshold where there is no value: no data is not a low value. Nothing was recorded.",
    "check the name and the labels; or ask for absence itself: absent(...)",
    ExitCode.NO,
    422,
)
NO_NUMBER = Code(
    "INS811",
    "the expression gives no comparable number",
    "It gives a range, a text, or nothing but NaN. Nothing was recorded.",
    "ask for an instant vector or a number",
    ExitCode.USAGE,
    422,
)
DENIED = Code(
    "INS812",
    "Prometheus, or a proxy in front of it, wants a login",
    "It answered with status 401 or 403. Nothing was recorded.",
    "let this host ask without a login, or put the address behind the proxy into PROMETHEUS_URL",
    ExitCode.SERVICE,
    502,
)
BAD_ADDRESS = Code(
    "INS813",
    "PROMETHEUS_URL is not an address",
    "It must be http:// or https:// with a host, and hold no user name, query or fragment. Nothing was asked.",
    "export PROMETHEUS_URL=http://prometheus.example:9090",
    ExitCode.USAGE,
    503,
)
BAD_WATCHES = Code(
    "INS830",
    "the file of watches cannot be used",
    "ATOM_WATCHES names a file that cannot be read or says what cannot be watched. Nothing of it is watched.",
    "correct the place named above; the form stands in docs/how-to/signals.md",
    ExitCode.USAGE,
)
MANY_SERIES = Code(
    "INS831",
    "the expression gives too many series to watch",
    "At most ten are watched, for each has a past of its own. None was judged.",
    "aggregate in the expression, such as sum by (job) (...) or topk(10, ...)",
    ExitCode.USAGE,
    422,
)
UNKNOWN_SIGNAL = Code(
    "INS820",
    "there is no such signal in this tenant",
    "The id names no signal that this tenant can see.",
    "atomctl signals list",
    ExitCode.NO,
    404,
)
CLOSED = Code(
    "INS821",
    "this signal is closed",
    "It is acknowledged no more; if what it noticed comes back, it opens again by itself. Nothing was changed.",
    "atomctl signals list --state open",
    ExitCode.CONFLICT,
    409,
)
