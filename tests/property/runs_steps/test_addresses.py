from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.runs.addresses import AddressGuard, forbidden_kind, split_host_port


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_python_calls_internal_passes(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert forbidden_kind(address)


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_no_ipv4_address_passes_in_ipv6_clothes(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for clothes in ("::ffff:0:0", "64:ff9b::", "::"):
        assert forbidden_kind(ipaddress.IPv6Address(int(ipaddress.IPv6Address(clothes)) + number))
    assert forbidden_kind(ipaddress.IPv6Address((0x2002 << 112) + (number << 80)))


@settings(max_examples=100, deadline=None)
@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_allowed_pair_is_read_back_as_written(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    assert split_host_port(f"{host}:{port}") == (str(address), port)
    assert AddressGuard([f"{host}:{port}"]).choose(str(address), port, [str(address)]) == str(address)
