"""What is taken out of a text, and what is left in it."""

import base64

import pytest

from atomctl.dataset.scrub.finders import luhn
from atomctl.dataset.scrub.policy import ScrubPolicy, tenant_key
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.scrub.spans import Kind, Span, merged
from atomctl.runs.masking import Masker

BEGIN = "-----BEGIN RSA PRIVATE KEY-----"
SCRUBBER = Scrubber(ScrubPolicy(bytes(32)))


def scrubbed(text: str, scrubber: Scrubber = SCRUBBER) -> str:
    values = sorted(value for value in scrubber.hidden([text]) if len(value.strip()) >= 6)
    return scrubber.text(text, Masker(values))


@pytest.mark.parametrize(
    "text",
    [
        "elapsed 12345678901234 ms at 2026-07-31T12:00:00.000000Z, replicas=3, 99.95 % of 1,204",
        "/usr/local/lib/python3.11/site-packages/pyarrow/parquet/core.py:2105",
        "HorizontalPodAutoscalerController restart-unhealthy-web-deployment-now ConnectionResetError",
        "run 018f2b6c-1111-7abc-8def-0123456789ab ended with exit code 1",
        "token: required; password is set; secret=${{ secrets.db }}",
        "50% of 8 nodes, C:\\temp, a & b, <none>, 12:30:45, v1.27.3",
        "order 4111111111111112 is no card",
    ],
)
def test_what_says_nothing_about_anybody_stays(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("db password=hunter2zz, again hunter2zz", "db password=***, again ***"),
        ("https://bob:hunter2zz@db.example/x", "https://bob:***@db.example/x"),
        ("paid with 4111-1111-1111-1111 ok", "paid with <card> ok"),
        (f"x\n{BEGIN}\nMIIEabcdefghijklmnopqrst\nab=\n-----END RSA PRIVATE KEY-----\ny", "x\n***\ny"),
        (f"x\n{BEGIN}\nMIIEabcdefghijklmnopqrst\nab=", "x\n***"),
        ("QmFzZQ\nab=\n-----END EC PRIVATE KEY-----\ny", "***\ny"),
        ('INFO {"n": 1, "password": "correct horse battery"} done', 'INFO {"n": 1, "password": "***"} done'),
        ("p%40ssword=hunter2zz", "***"),
        ("sent to bob%40example.org", "sent to ***"),
    ],
)  # fmt: skip
def test_secrets_go_wherever_they_stand(text: str, left: str) -> None:
    assert scrubbed(text) == left


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("bob.miller+x@mail.example.org", "email"),
        ("10.20.30.40", "ip"),
        ("2001:db8::ff00:42:8329", "ip"),
        ("d2VkZ2UgYW5kIGxldmVy", "opaque"),  # base64 of a text, whatever it says
        ("7765646765206c65766572", "opaque"),
        ("q7Zp2Lx9Vb4Nw8Rt3Ks6", "opaque"),
        ("web-7d9f8b6c5d-x2k4j", "opaque"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "opaque"),
    ],
)
def test_what_identifies_becomes_a_pseudonym(text: str, kind: str) -> None:
    left = scrubbed(f"saw {text} twice: {text}.")
    tag = left.split()[1]
    assert tag.startswith(f"<{kind}:")
    assert left == f"saw {tag} twice: {tag}."
    assert scrubbed(text.upper() if kind != "opaque" else text).lower() == tag


def test_pseudonyms_of_two_tenants_have_nothing_in_common() -> None:
    one, other = (Scrubber(ScrubPolicy(tenant_key(bytes(32), name))) for name in ("acme", "other"))
    assert scrubbed("10.20.30.40", one) != scrubbed("10.20.30.40", other)


def test_wrapped_base64_goes_to_its_last_line() -> None:
    wrapped = base64.encodebytes(bytes(range(7, 130))).decode()
    left = scrubbed(f"dump:\n{wrapped}end")
    assert not any(line in left for line in wrapped.splitlines())
    assert left.startswith("dump:\n<opaque:")


def test_parameters_are_kept_by_name_alone() -> None:
    policy = ScrubPolicy(bytes(32), frozenset({"service", "ratio", "token"}))
    row = Scrubber(policy).row(
        {
            "parameters": {
                "service": {"name": "web", "api_token": "abc", "to": "bob@example.org"},
                "ratio": 0.5,
                "token": "not exported, whatever the list says",
                "ticket": "OPS-1",
            },
            "logs": {"head": "", "tail": "", "bytes": 0, "truncated": False},
            "steps": [],
        }
    )
    assert row["parameters_withheld"] == 2
    kept = row["parameters"]
    assert isinstance(kept, dict)
    assert kept["ratio"] == 0.5
    assert kept["service"] == {"name": "web", "api_token": "***", "to": scrubbed("bob@example.org")}
    assert kept.keys() == {"service", "ratio"}


def test_a_number_that_spells_a_card_is_one() -> None:
    row = SCRUBBER.row({"parameters": {"count": 4111111111111111}, "logs": {"head": "", "tail": ""}, "steps": []})
    assert row["parameters"] == {"count": "<card>"}


def test_the_policys_digest_says_when_another_list_or_key_was_used() -> None:
    policies = [
        ScrubPolicy(bytes(32)),
        ScrubPolicy(bytes([1]) * 32),
        ScrubPolicy(bytes(32), frozenset({"service"})),
    ]
    assert len({policy.digest for policy in policies}) == 3
    assert bytes(32).hex() not in str(policies[0].to_json())
    assert "key=" not in repr(policies[0])


def test_overlapping_places_are_one_and_keep_the_surest_name() -> None:
    spans = [Span(0, 5, Kind.OPAQUE), Span(3, 9, Kind.SECRET), Span(9, 12, Kind.IP), Span(20, 21, Kind.CARD)]
    assert list(merged(spans)) == [Span(0, 9, Kind.SECRET), Span(9, 12, Kind.IP), Span(20, 21, Kind.CARD)]


def test_luhn_knows_the_published_numbers() -> None:
    for number in ["4111111111111111", "5555555555554444", "378282246310005", "79927398713"]:
        assert luhn(number)
        assert not luhn(number[:-1] + str((int(number[-1]) + 1) % 10))
