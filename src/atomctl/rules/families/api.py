"""Requests of `api` handlers: to whom, over what, and with which credentials in the clear."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.rules.examples import handlers
from atomctl.rules.hosts import HostKind, allowed
from atomctl.rules.model import AnyRule, Compound, Controls, Example, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.subjects import CallFacts

_KINDS = ("api handler",)
_CONTROLS = Controls(("CC6.6", "CC6.7"), ("A.8.20", "A.8.24"), ("SC-7", "SC-8"))


def _plain_http(call: CallFacts, config: RuleConfig) -> Iterator[Hit]:
    url = call.parsed
    if url is not None and url.scheme == "http" and not allowed(url.host, config.allowed_hosts):
        yield Hit((*call.path, "url"), "sends the request unencrypted over http")


def _metadata(call: CallFacts, _config: RuleConfig) -> Iterator[Hit]:
    if call.parsed is not None and call.parsed.kind is HostKind.METADATA:
        yield Hit((*call.path, "url"), f"calls {call.parsed.host}, which hands out cloud credentials")


def _external(call: CallFacts, config: RuleConfig) -> Iterator[Hit]:
    url = call.parsed
    if url is not None and url.kind is HostKind.EXTERNAL and not allowed(url.host, config.allowed_hosts):
        yield Hit((*call.path, "url"), f"calls {url.host} on the internet")


def _dynamic(call: CallFacts, _config: RuleConfig) -> Iterator[Hit]:
    if call.parsed is None or call.parsed.kind is HostKind.DYNAMIC:
        yield Hit((*call.path, "url"), "calls a host that is known only when it runs")


def _redirects(call: CallFacts, _config: RuleConfig) -> Iterator[Hit]:
    if call.config.get("follow_redirects") is True and call.method not in ("GET", "HEAD"):
        yield Hit((*call.path, "follow_redirects"), f"follows redirects of a {call.method}")


def _get(url: str, more: str = "", before: str = "") -> Example:
    return handlers(f'- {{name: call, type: api, config: {{url: "{url}"{more}}}}}', before)


_PARAMETERS = "parameters: {type: object, properties: {item: {type: string}, host: {type: string}}}\n"

RULES: tuple[AnyRule, ...] = (
    Rule(
        id="plain-http",
        title="A request goes out unencrypted",
        severity=Severity.MEDIUM,
        family=Family.API,
        kinds=_KINDS,
        remediation="Use https.",
        references=("https://cwe.mitre.org/data/definitions/319.html",),
        cwe=(319,),
        controls=_CONTROLS,
        good=_get("https://api.shop.svc/health"),
        bad=_get("http://api.shop.svc/health"),
        subject=CallFacts,
        check=_plain_http,
    ),
    Rule(
        id="metadata-address",
        title="A request goes to the cloud's metadata service",
        severity=Severity.CRITICAL,
        family=Family.API,
        kinds=_KINDS,
        remediation="Read credentials from the secret store through spec.secrets.",
        references=("https://cwe.mitre.org/data/definitions/918.html",),
        cwe=(918,),
        controls=_CONTROLS,
        bypassable=False,
        compound=frozenset({Compound.SECRET_READABLE}),
        good=_get("https://api.shop.svc/health"),
        bad=_get("http://169.254.169.254/latest/meta-data/"),
        subject=CallFacts,
        check=_metadata,
    ),
    Rule(
        id="external-call",
        title="A request goes to a host on the internet",
        severity=Severity.MEDIUM,
        family=Family.API,
        kinds=_KINDS,
        remediation="Have the host put on the list of allowed hosts, or call a service of the cluster.",
        references=("https://cwe.mitre.org/data/definitions/441.html",),
        cwe=(441,),
        controls=_CONTROLS,
        compound=frozenset({Compound.EXTERNAL_EGRESS}),
        good=_get("https://api.shop.svc/health"),
        bad=_get("https://api.example.com/v1/health"),
        subject=CallFacts,
        check=_external,
    ),
    Rule(
        id="dynamic-host",
        title="A request goes to a host chosen by a parameter",
        severity=Severity.MEDIUM,
        family=Family.API,
        kinds=_KINDS,
        remediation="Write the host out and let parameters choose the path or query only.",
        references=("https://cwe.mitre.org/data/definitions/918.html",),
        cwe=(918,),
        controls=_CONTROLS,
        compound=frozenset({Compound.EXTERNAL_EGRESS}),
        good=_get("https://api.shop.svc/items/${{ params.item }}", before=_PARAMETERS),
        bad=_get("https://${{ params.host }}/health", before=_PARAMETERS),
        subject=CallFacts,
        check=_dynamic,
    ),
    Rule(
        id="redirected-write",
        title="A request that changes something follows redirects",
        severity=Severity.LOW,
        family=Family.API,
        kinds=_KINDS,
        remediation="Leave follow_redirects off and name the final address.",
        references=("https://cwe.mitre.org/data/definitions/601.html",),
        cwe=(601,),
        controls=_CONTROLS,
        good=_get("https://api.shop.svc/items", ", method: POST"),
        bad=_get("https://api.shop.svc/items", ", method: POST, follow_redirects: true"),
        subject=CallFacts,
        check=_redirects,
    ),
)
