"""Which addresses a step may talk to: those of the public internet, and what the worker names.

The table is IANA's special-purpose registries (RFC 6890 and its updates), RFC 5771 and RFC 4291 for multicast, and the
metadata services of cloud providers that sit on an ordinary address. A name is resolved once, everything it resolves to
is checked, and the connection is made to a checked address: there is no second look-up that could say otherwise.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from atomctl.errors import AtomError
from atomctl.runs.steps import codes

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

_FORBIDDEN: dict[str, tuple[str, ...]] = {
    "unspecified or this network": ("0.0.0.0/8", "::/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared by a provider": ("100.64.0.0/10",),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "a metadata service": ("168.63.129.16/32",),
    "set aside by IANA": ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "100::/64", "2001::/23"),
    "documentation": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "an IPv4 address in IPv6 clothes": ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"),
    "segment routing": ("5f00::/16",),
}
_TABLE: tuple[tuple[str, Network], ...] = tuple(
    (kind, ipaddress.ip_network(text)) for kind, texts in _FORBIDDEN.items() for text in texts
)


def forbidden_kind(address: Address) -> str | None:
    """What the address is that steps may not reach; None for one of the public internet."""
    return next((kind for kind, network in _TABLE if address in network), None)


def split_host_port(text: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` as a name in lower case without a final dot, and a number.

    Raises:
        ValueError: it is not that.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: put an IPv6 address in brackets")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not host:port")
    return plain_host(host), int(port)


def plain_host(host: str) -> str:
    """A host name as it is compared."""
    return host.lower().rstrip(".")


class AddressGuard:
    """Decides about addresses; holds the exceptions of the worker.

    Args:
        allow: each a network (`10.1.0.0/16`, `10.1.2.3`) or a `host:port`; a name that is allowed may resolve to
            anything.

    Raises:
        ValueError: an entry is neither.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.allow = tuple(allow)
        self._networks: list[Network] = []
        self._names: set[tuple[str, int]] = set()
        for entry in self.allow:
            try:
                self._networks.append(ipaddress.ip_network(entry))
            except ValueError:
                self._names.add(split_host_port(entry))

    def allows_by_name(self, host: str, port: int) -> bool:
        """Whether the worker names this very host and port, or its address's network."""
        if (plain_host(host), port) in self._names:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def choose(self, host: str, port: int, addresses: Sequence[str]) -> str:
        """The address to connect to: the first, if a step may reach every one of them.

        One forbidden address among public ones is how a name is turned against whoever trusts it, so it refuses all.

        Raises:
            AtomError: RUN670 one of them is forbidden, RUN671 there is none.
        """
        if not addresses:
            raise AtomError(codes.NAME_NOT_FOUND, f"{host} has no address")
        if (plain_host(host), port) not in self._names:
            for text in addresses:
                self._check(host, port, text)
        return addresses[0]

    def _check(self, host: str, port: int, text: str) -> None:
        address = ipaddress.ip_address(text.partition("%")[0])
        if any(address in network for network in self._networks):
            return
        if kind := forbidden_kind(address):
            raise AtomError(codes.FORBIDDEN_ADDRESS, f"{host}:{port} is {address}, which is {kind}")


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, each once, in the system's order of preference; an address is its own.

    Raises:
        AtomError: RUN671 the system's resolver knows none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AtomError(codes.NAME_NOT_FOUND, f"{host}: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve_within(resolver: Resolver, host: str, port: int, seconds: float) -> Sequence[str]:
    """As `resolver`, but it gives up: the system's resolver cannot be told how long to try.

    Raises:
        AtomError: RUN671 no answer in time, or the resolver's own refusal.
    """
    answer: list[Sequence[str] | AtomError] = []

    def ask() -> None:
        try:
            answer.append(resolver(host, port))
        except AtomError as error:
            answer.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not answer:
        raise AtomError(codes.NAME_NOT_FOUND, f"{host} was not resolved in time")
    if isinstance(answer[0], AtomError):
        raise answer[0]
    return answer[0]
