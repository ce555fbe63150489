"""What comes in: uploads, what was said about them, and the requests around them."""

from __future__ import annotations

from tools.dashboards.model import Dashboard, Kind, Panel, Row, Unit, age_limit
from tools.dashboards.promql import in_range, per_minute, quantile, share, until

from atomctl.telemetry import catalog

_REGISTRY = 'noun=~"packages|trust|validate|workflows"'

DASHBOARD = Dashboard(
    name="registry",
    title="ATOM registry",
    description="Uploads and their verdicts, policy decisions, requests to the registry.",
    rows=(
        Row(
            "Uploads",
            (
                Panel(
                    title="Accepted in this time",
                    queries=(in_range(catalog.PUBLISH_VERDICTS, 'verdict="accepted"'),),
                    kind=Kind.FIGURE,
                    width=6,
                ),
                Panel(
                    title="Refused in this time",
                    queries=(in_range(catalog.PUBLISH_VERDICTS, 'verdict!="accepted"'),),
                    kind=Kind.FIGURE,
                    alert="AtomUntrustedUpload",
                    above=1,
                    width=6,
                ),
                Panel(
                    title="Share refused in this time",
                    queries=(share(catalog.PUBLISH_VERDICTS, 'verdict!="accepted"', window="$__range"),),
                    unit=Unit.SHARE,
                    kind=Kind.FIGURE,
                    width=6,
                ),
                Panel(
                    title="Time until the next signing key ends",
                    queries=(until(catalog.SIGNING_KEY_END),),
                    unit=Unit.SECONDS,
                    kind=Kind.FIGURE,
                    alert="AtomSigningKeyEnds",
                    below=age_limit("AtomSigningKeyEnds"),
                    width=6,
                ),
                Panel(
                    title="Uploads by verdict",
                    queries=(per_minute(catalog.PUBLISH_VERDICTS, "verdict"),),
                    unit=Unit.PER_MINUTE,
                ),
                Panel(
                    title="Policy decisions by outcome",
                    queries=(per_minute(catalog.DECISIONS, "outcome"),),
                    unit=Unit.PER_MINUTE,
                ),
            ),
        ),
        Row(
            "Requests to the registry",
            (
                Panel(
                    title="Requests by noun",
                    queries=(per_minute(catalog.HTTP_REQUESTS, "noun", _REGISTRY),),
                    unit=Unit.PER_MINUTE,
                ),
                Panel(
                    title="Time to answer, 95 of 100 requests",
                    queries=(quantile(catalog.HTTP_SECONDS, 0.95, "noun", _REGISTRY),),
                    unit=Unit.SECONDS,
                ),
            ),
        ),
    ),
)
