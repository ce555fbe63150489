"""What lies behind a host, in whatever form it is written."""

from __future__ import annotations

import pytest

from atomctl.rules.hosts import HostKind, allowed, classify, urls


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("api.example.com", HostKind.EXTERNAL),
        ("8.8.8.8", HostKind.EXTERNAL),
        ("2606:4700::1111", HostKind.EXTERNAL),
        ("api.shop.svc", HostKind.INTERNAL),
        ("api.shop.svc.cluster.local", HostKind.INTERNAL),
        ("db", HostKind.INTERNAL),
        ("localhost", HostKind.INTERNAL),
        ("10.1.2.3", HostKind.INTERNAL),
        ("127.1", HostKind.INTERNAL),
        ("::1", HostKind.INTERNAL),
        ("169.254.169.254", HostKind.METADATA),
        ("2852039166", HostKind.METADATA),
        ("0xa9fea9fe", HostKind.METADATA),
        ("0251.0376.0251.0376", HostKind.METADATA),
        ("169.254.170.2", HostKind.METADATA),
        ("::ffff:169.254.169.254", HostKind.METADATA),
        ("fd00:ec2::254", HostKind.METADATA),
        ("metadata.google.internal", HostKind.METADATA),
        ("Metadata.Google.Internal.", HostKind.METADATA),
        ("100.100.100.200", HostKind.METADATA),
        ("${{ params.host }}", HostKind.DYNAMIC),
        ("$HOST", HostKind.DYNAMIC),
        ("", HostKind.DYNAMIC),
    ],
)
def test_a_host_is_classified_without_asking_anybody(host: str, kind: HostKind) -> None:
    assert classify(host) is kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.example.com:8443/v1?x=1#y", [("https", "api.example.com", "")]),
        ("http://u:p@h.example.com/", [("http", "h.example.com", "u:p")]),
        ("http://[::1]:80/x", [("http", "::1", "")]),
        ("(https://a.example.com)", [("https", "a.example.com", "")]),
        ("http://a, http://b", [("http", "a", ""), ("http", "b", "")]),
        ("https://${{ params.host }}/x", [("https", "${{ params.host }}", "")]),
        ("https://a.example.com@evil.example.org/", [("https", "evil.example.org", "a.example.com")]),
        ("://x", []),
        ("no url", []),
    ],
)  # fmt: skip
def test_urls_are_found_in_text(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(url.scheme, url.host, url.credentials) for url in urls(text)] == expected


def test_allow_lists_take_names_and_suffixes() -> None:
    assert allowed("api.example.com", ["api.example.com"])
    assert allowed("api.example.com", ["*.example.com"])
    assert not allowed("example.com", ["*.example.com"])
    assert not allowed("evilexample.com", ["*.example.com"])
