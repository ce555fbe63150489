"""Hosts of URLs and what lies behind them: the internet, the cluster, this machine, the cloud's metadata service.

Names are never resolved here; an address is recognised in every form `inet_aton` accepts, because hosts like
`2852039166` or `0xa9.0xfe.0xa9.0xfe` are how metadata addresses are hidden.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.azure.internal",
    }
)
_METADATA_ADDRESSES = frozenset(
    {
        "169.254.169.254",  # AWS, Azure, Google, OpenStack, DigitalOcean, Oracle
        "169.254.170.2",  # AWS ECS task credentials
        "169.254.170.23",  # AWS EKS Pod identity
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure wire server
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    }
)
_CLUSTER_SUFFIXES = (".svc", ".cluster.local", ".local", ".internal", ".localhost")
_END = frozenset(" \t\r\n\"'`<>|\\;,)]}")
_CLOSING = {"${{": "}}", "{{": "}}", "${": "}", "$(": ")"}
_TEMPLATES = ("${", "$(", "{{", "$")


class HostKind(enum.StrEnum):
    """What is known about a host without asking anybody."""

    EXTERNAL = "external"
    INTERNAL = "internal"
    """Loopback, private address space, or a name only the cluster resolves."""
    METADATA = "metadata"
    """Hands the node's or workload's cloud credentials to whoever asks."""
    DYNAMIC = "dynamic"
    """Known only when it runs."""


class Url(NamedTuple):
    """A URL found in a text; `offset` is where its scheme begins."""

    scheme: str
    host: str
    credentials: str
    """`user:password`; the password may be a template."""
    offset: int

    @property
    def kind(self) -> HostKind:
        """What lies behind the host."""
        return classify(self.host)


def urls(text: str) -> Iterator[Url]:
    """The URLs with a host in a text."""
    mark = text.find("://")
    while mark >= 0:
        start = mark
        while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "+.-"):
            start -= 1
        if start < mark:
            yield _url(text, start, mark)
        mark = text.find("://", mark + 3)


def _url(text: str, start: int, mark: int) -> Url:
    end = mark + 3
    while end < len(text) and text[end] not in "/?#":
        template = next((opening for opening in _CLOSING if text.startswith(opening, end)), None)
        if template is not None:
            closing = text.find(_CLOSING[template], end)
            end = closing + len(_CLOSING[template]) - 1 if closing >= 0 else len(text) - 1
        elif text[end] in _END and not (text[end] in "]}" and text.rfind("[", mark, end) >= 0):
            break
        end += 1
    credentials, _, host = text[mark + 3 : end].rpartition("@")
    return Url(text[start:mark].lower(), _without_port(host), credentials, start)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def classify(host: str) -> HostKind:
    """What lies behind a host name or address."""
    host = host.strip(".").lower()
    if not host or any(mark in host for mark in _TEMPLATES):
        return HostKind.DYNAMIC
    if host in _METADATA_NAMES or host in _METADATA_ADDRESSES:
        return HostKind.METADATA
    address = _address(host)
    if address is not None:
        return _classify_address(address)
    if "." not in host or host.endswith(_CLUSTER_SUFFIXES):
        return HostKind.INTERNAL
    return HostKind.EXTERNAL


def _address(host: str) -> str | None:
    """The address a host text stands for, in its usual form."""
    if ":" in host:
        return host.partition("%")[0]
    if not host[0].isdigit():
        return None
    import socket  # 3 ms that packages without literal addresses do not pay

    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _classify_address(text: str) -> HostKind:
    import ipaddress  # 3 ms that packages without literal addresses do not pay

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return HostKind.DYNAMIC
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    if str(address) in _METADATA_ADDRESSES or (address.is_link_local and address.version == 4):
        return HostKind.METADATA
    return HostKind.EXTERNAL if address.is_global else HostKind.INTERNAL


def allowed(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is on an allow-list of names and `*.suffix` patterns."""
    return any(host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in patterns)
