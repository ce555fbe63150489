"""The NetworkPolicy of one attempt. Pure. Who enforces it is the cluster's network, not ATOM."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final

from atomctl.canonical import Json
from atomctl.runs.steps.jobs.names import ATTEMPT

_LINK_LOCAL: Final = {4: ("0.0.0.0/0", "169.254.0.0/16"), 6: ("::/0", "fe80::/10")}
_NAME_SERVICE: Final[dict[str, Json]] = {
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def policy_spec(labels: Mapping[str, str], places: Sequence[str]) -> dict[str, Json]:
    """`spec` of the policy: nothing comes in, and out goes what the step declares.

    A declared address is allowed as it is. A declared name cannot be, since a NetworkPolicy knows addresses alone. Its
    port is allowed to every address but the link-local ones, where clouds keep their metadata.
    """
    out: list[Json] = [_way_out(place) for place in places]
    if any(_address(place) is None for place in places):
        out.append(dict(_NAME_SERVICE))
    return {
        "podSelector": {"matchLabels": {ATTEMPT: labels[ATTEMPT]}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": out,
    }


def _way_out(place: str) -> dict[str, Json]:
    port = int(place.rpartition(":")[2])
    address = _address(place)
    if address is not None:
        targets: list[Json] = [{"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}}]
    else:
        targets = [{"ipBlock": {"cidr": every, "except": [local]}} for every, local in _LINK_LOCAL.values()]
    return {"to": targets, "ports": [{"protocol": "TCP", "port": port}]}


def _address(place: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    host = place.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
