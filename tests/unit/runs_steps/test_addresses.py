from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from atomctl.errors import AtomError
from atomctl.runs.addresses import AddressGuard, resolve, resolve_within, split_host_port
from atomctl.runs.steps import codes

INTERNAL = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", INTERNAL)
def test_an_address_inside_somebodys_network_is_refused(address: str) -> None:
    with pytest.raises(AtomError) as caught:
        AddressGuard().choose("name.example", 443, [address])
    assert caught.value.code is codes.FORBIDDEN_ADDRESS


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_an_address_of_the_public_internet_is_chosen(address: str) -> None:
    assert AddressGuard().choose("name.example", 443, [address]) == address


def test_one_internal_address_among_public_ones_refuses_all() -> None:
    with pytest.raises(AtomError, match=r"10\.0\.0\.1"):
        AddressGuard().choose("name.example", 443, ["8.8.8.8", "10.0.0.1"])


def test_a_name_without_an_address_is_not_found() -> None:
    with pytest.raises(AtomError) as caught:
        AddressGuard().choose("name.example", 443, [])
    assert caught.value.code is codes.NAME_NOT_FOUND


def test_the_worker_can_allow_a_network_without_allowing_its_neighbours() -> None:
    guard = AddressGuard(["10.1.0.0/16", "192.168.7.7"])
    assert guard.choose("a", 80, ["10.1.2.3", "192.168.7.7"]) == "10.1.2.3"
    for outside in ("10.2.0.1", "192.168.7.8"):
        with pytest.raises(AtomError):
            guard.choose("a", 80, [outside])


def test_an_allowed_name_is_allowed_with_its_port_only_and_however_it_is_written() -> None:
    guard = AddressGuard(["Prometheus.Internal:9090"])
    assert guard.choose("prometheus.internal.", 9090, ["10.0.0.9"]) == "10.0.0.9"
    for host, port in (("prometheus.internal", 22), ("other.internal", 9090)):
        with pytest.raises(AtomError):
            guard.choose(host, port, ["10.0.0.9"])


@pytest.mark.parametrize("entry", ["host", "host:0", "host:70000", "host:x", ":80", "host::80", "10.0.0.0/33", "a:٤٤"])
def test_an_exception_that_says_nothing_exact_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        AddressGuard([entry])


def test_an_ipv6_address_with_a_port_needs_brackets() -> None:
    assert split_host_port("[2001:DB8::1]:443") == ("2001:db8::1", 443)


@pytest.mark.enable_socket  # getaddrinfo parses these numbers itself and asks nobody
def test_old_spellings_of_loopback_are_seen_through() -> None:
    for host in ("127.1", "2130706433", "0x7f.1"):
        with pytest.raises(AtomError):
            AddressGuard().choose(host, 80, resolve(host, 80))


def test_a_resolver_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        release.wait(30)
        return ["8.8.8.8"]

    try:
        with pytest.raises(AtomError, match="in time"):
            resolve_within(hanging, "slow.example", 443, 0.01)
    finally:
        release.set()


def test_a_resolvers_own_refusal_is_passed_on() -> None:
    def refusing(host: str, _port: int) -> Sequence[str]:
        raise AtomError(codes.NAME_NOT_FOUND, f"{host} is not there")

    with pytest.raises(AtomError, match="is not there"):
        resolve_within(refusing, "gone.example", 443, 5)
