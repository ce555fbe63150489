"""Access tokens: what is believed, and every known way to be lied to."""

from __future__ import annotations

import base64
import dataclasses
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from atomctl.access import codes
from atomctl.access.claims import Algorithm, FixedKeys, Issuer
from atomctl.access.issuer import AUDIENCE, LIFETIME_LIMIT, NAME, EmbeddedIssuer
from atomctl.access.jwt_parts import SIZE_LIMIT
from atomctl.access.model import Role
from atomctl.access.tokens import LEEWAY, Verifier
from atomctl.errors import AtomError, Code

TENANT = UUID("0190abcd-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def issuer(tmp_path: Path) -> EmbeddedIssuer:
    return EmbeddedIssuer(tmp_path / "keys" / "issuer.key")


@pytest.fixture
def verifier(issuer: EmbeddedIssuer) -> Verifier:
    return Verifier([issuer.trusted])


@pytest.fixture
def token(issuer: EmbeddedIssuer) -> str:
    return issuer.issue(TENANT, "alice@example.org", [Role.AUTHOR, Role.OPERATOR], HOUR, now=NOW)


@pytest.fixture
def forge(issuer: EmbeddedIssuer) -> Callable[..., str]:
    """Tokens the issuer would never write, signed with its own key all the same."""

    def make(header: dict[str, Any] | None = None, payload: bytes | None = None, **claims: Any) -> str:
        base: dict[str, Any] = {
            "iss": NAME,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": int(NOW.timestamp()),
            "exp": int((NOW + HOUR).timestamp()),
            "tenant": str(TENANT),
            "roles": ["viewer"],
        }
        kept = {name: value for name, value in {**base, **claims}.items() if value is not ...}
        head = {"alg": "Ed25519", "kid": issuer._key_id, "typ": "JWT", **(header or {})}
        body = payload if payload is not None else json.dumps(kept).encode()
        signing_input = b".".join(encode(part) for part in (json.dumps(head).encode(), body))
        private = issuer._key.private_key
        assert private is not None
        return b".".join([signing_input, encode(private.sign(signing_input))]).decode()  # type: ignore[union-attr]  # an Ed25519 key

    return make


def encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(segment: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def refused(verifier: Verifier, token: str, code: Code, now: datetime = NOW) -> AtomError:
    with pytest.raises(AtomError) as caught:
        verifier.verify(token, now)
    assert caught.value.code == code, caught.value
    return caught.value


def test_a_token_says_who_where_and_with_which_roles(verifier: Verifier, token: str) -> None:
    claims = verifier.verify(token, NOW)
    assert (claims.tenant_id, claims.issuer, claims.subject) == (TENANT, NAME, "alice@example.org")
    assert claims.roles == {Role.AUTHOR, Role.OPERATOR}
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + HOUR)


def test_two_tokens_of_one_second_can_be_told_apart(issuer: EmbeddedIssuer, verifier: Verifier) -> None:
    moments = [NOW, NOW + timedelta(milliseconds=5)]
    tokens = [issuer.issue(TENANT, "alice", [], HOUR, now=moment) for moment in moments]
    assert [verifier.verify(token, NOW).issued_at for token in tokens] == moments


def test_a_handmade_token_that_is_right_in_everything_is_accepted(
    verifier: Verifier, forge: Callable[..., str]
) -> None:
    assert verifier.verify(forge(), NOW).subject == "alice"


def test_a_token_is_believed_until_it_expires_and_not_a_moment_longer(verifier: Verifier, token: str) -> None:
    leeway = timedelta(seconds=LEEWAY)
    verifier.verify(token, NOW + HOUR + leeway - timedelta(seconds=1))
    refused(verifier, token, codes.EXPIRED, NOW + HOUR + leeway)


@pytest.mark.parametrize(
    "claims",
    [
        {"nbf": int(NOW.timestamp()) + LEEWAY + 1},
        {"iat": int(NOW.timestamp()) + LEEWAY + 1},
        {"exp": int((NOW + LIFETIME_LIMIT + HOUR).timestamp())},
        {"exp": "tomorrow"},
        {"exp": ...},
        {"iat": ...},
        {"sub": ...},
        {"aud": ...},
        {"aud": "another-service"},
        {"aud": ["another-service"]},
        {"aud": {"atomctl": True}},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * 256},
        {"sub": "alice\u0000"},
        {"sub": "alice bob"},
        {"sub": "ali\u0301ce"},
        {"iss": ...},
        {"iss": ["atomctl:embedded"]},
    ],
    ids=str,
)
def test_a_claim_that_is_missing_or_wrong_is_refused(
    verifier: Verifier, forge: Callable[..., str], claims: dict[str, Any]
) -> None:
    refused(verifier, forge(**claims), codes.BAD_CLAIM)


def test_an_audience_among_several_is_enough(verifier: Verifier, forge: Callable[..., str]) -> None:
    assert verifier.verify(forge(aud=["other", AUDIENCE]), NOW).subject == "alice"


def test_an_expiry_that_is_not_a_number_of_json_is_refused(verifier: Verifier, forge: Callable[..., str]) -> None:
    payload = json.dumps({"iss": NAME, "aud": AUDIENCE, "sub": "a", "iat": 0, "exp": float("nan")}).encode()
    refused(verifier, forge(payload=payload), codes.MALFORMED_TOKEN)


@pytest.mark.parametrize(
    "tenant",
    [..., None, [str(TENANT)], {"id": str(TENANT)}, "acme", "", str(TENANT).upper(), TENANT.hex, f"{TENANT} "],
    ids=str,
)
def test_a_tenant_that_is_missing_a_list_or_no_id_is_refused(
    verifier: Verifier, forge: Callable[..., str], tenant: object
) -> None:
    refused(verifier, forge(tenant=tenant), codes.BAD_TENANT)


def test_an_issuer_cannot_speak_for_a_foreign_tenant(issuer: EmbeddedIssuer, token: str) -> None:
    other = UUID(int=7)
    narrow = dataclasses.replace(issuer.trusted, tenants=frozenset({other}))
    refused(Verifier([narrow]), token, codes.BAD_TENANT)


@pytest.mark.parametrize("roles", ["admin", ["root"], [["admin"]], {"admin": True}, ["Admin"], None], ids=str)
def test_roles_that_are_no_list_of_known_names_are_refused(
    verifier: Verifier, forge: Callable[..., str], roles: object
) -> None:
    refused(verifier, forge(roles=roles), codes.BAD_ROLES)


def test_groups_of_a_directory_become_roles_by_the_configured_map(issuer: EmbeddedIssuer, forge: Any) -> None:
    mapped = dataclasses.replace(issuer.trusted, roles_claim="groups", role_map={"sre": Role.OPERATOR})
    claims = Verifier([mapped]).verify(forge(groups=["sre", "football", "admin"]), NOW)
    assert claims.roles == {Role.OPERATOR}


def test_the_algorithm_none_is_refused(verifier: Verifier, token: str) -> None:
    _, payload, _ = token.split(".")
    for name in ("none", "None", "NONE", "nOnE"):
        header = encode(json.dumps({"alg": name, "kid": "x"}).encode()).decode()
        for forged in (f"{header}.{payload}.", f"{header}.{payload}.AAAA"):
            refused(verifier, forged, codes.WRONG_ALGORITHM)


def public_forms(key: Any) -> list[bytes]:
    return [
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ]


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_never_a_shared_secret(issuer: EmbeddedIssuer, verifier: Verifier, algorithm: str) -> None:
    public = issuer._key.public_key
    jwk = json.dumps(issuer._key.as_dict(private=False), separators=(",", ":")).encode()
    payload = {"iss": NAME, "aud": AUDIENCE, "sub": "mallory", "tenant": str(TENANT), "roles": ["admin"]}
    for secret in [*public_forms(public), jwk]:
        header = {"alg": algorithm, "kid": issuer._key_id}
        data = b".".join(encode(json.dumps(part).encode()) for part in (header, payload))
        mac = hmac.new(secret, data, f"sha{algorithm[2:]}").digest()
        refused(verifier, b".".join([data, encode(mac)]).decode(), codes.WRONG_ALGORITHM)


def test_a_shared_secret_algorithm_cannot_even_be_configured() -> None:
    assert not {name for name in Algorithm if name.startswith("HS")}
    with pytest.raises(ValueError, match="HS256"):
        Algorithm("HS256")


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"x5c": ["AAAA"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
    ],
    ids=str,
)
def test_a_header_that_brings_its_own_key_or_rules_is_refused(
    verifier: Verifier, forge: Callable[..., str], header: dict[str, Any]
) -> None:
    refused(verifier, forge(header), codes.FORBIDDEN_HEADER)


def test_a_key_in_the_header_is_not_used_even_with_its_own_valid_signature(verifier: Verifier) -> None:
    mallory = OKPKey.generate_key("Ed25519")
    header = {"alg": "Ed25519", "kid": mallory.thumbprint(), "jwk": mallory.as_dict(private=False)}
    refused(verifier, jwt.encode(header, {"iss": NAME}, mallory, algorithms=["Ed25519"]), codes.FORBIDDEN_HEADER)


@pytest.mark.parametrize("kid", ["../../../../dev/null", "' OR 1=1 --", "\u0000", "x" * 4000])
def test_a_key_id_is_looked_up_and_never_interpreted(verifier: Verifier, forge: Callable[..., str], kid: str) -> None:
    error = refused(verifier, forge({"kid": kid}), codes.UNKNOWN_KEY)
    assert len(error.why) < 400


@pytest.mark.parametrize("kid", [7, None, ["x"], {}, ""])
def test_a_key_id_that_is_no_text_is_refused(verifier: Verifier, forge: Callable[..., str], kid: object) -> None:
    refused(verifier, forge({"kid": kid}), codes.BAD_CLAIM)


def test_another_key_under_the_right_key_id_is_refused(issuer: EmbeddedIssuer, verifier: Verifier, token: str) -> None:
    mallory = OKPKey.generate_key("Ed25519")
    header = {"alg": "Ed25519", "kid": issuer._key_id}
    forged = jwt.encode(header, decode(token.split(".")[1]), mallory, algorithms=["Ed25519"])
    refused(verifier, forged, codes.BAD_SIGNATURE)


def test_a_changed_payload_or_signature_is_refused(verifier: Verifier, token: str) -> None:
    header, payload, signature = token.split(".")
    richer = {**decode(payload), "roles": ["admin"]}
    refused(verifier, f"{header}.{encode(json.dumps(richer).encode()).decode()}.{signature}", codes.BAD_SIGNATURE)
    refused(verifier, f"{header}.{payload}.{'A' * len(signature)}", codes.BAD_SIGNATURE)
    refused(verifier, f"{header}.{payload}.", codes.BAD_SIGNATURE)


def test_a_token_of_an_unknown_issuer_is_refused(verifier: Verifier, forge: Callable[..., str]) -> None:
    refused(verifier, forge(iss="https://evil.example"), codes.UNKNOWN_ISSUER)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"atomctl:embedded","tenant":"a","tenant":"b"}',
        b'{"iss":"atomctl:embedded","x":{"y":1,"y":2}}',
        b'{"iss":"atomctl:embedded","iss":"other"}',
        b'["iss"]',
        b"null",
        b'"text"',
        b"",
        b'{"iss":',
        b'\xef\xbb\xbf{"iss":"x"}',
        '{"iss":"x"}'.encode("utf-16"),
        b"[" * 3000,
        b'{"n":' + b"9" * 5000 + b"}",
    ],
)
def test_a_payload_two_readers_could_read_differently_is_refused(
    verifier: Verifier, forge: Callable[..., str], payload: bytes
) -> None:
    refused(verifier, forge(payload=payload), codes.MALFORMED_TOKEN)


def test_a_header_with_a_repeated_name_is_refused(verifier: Verifier, token: str) -> None:
    _, payload, signature = token.split(".")
    header = encode(b'{"alg":"none","alg":"Ed25519","kid":"x"}').decode()
    refused(verifier, f"{header}.{payload}.{signature}", codes.MALFORMED_TOKEN)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "..", "é.é.é", "a b.c.d", "ab==.cd==.ef==", "%%%.%%%.%%%", "\n.\n.\n"],
)
def test_what_is_no_compact_jwt_is_refused(verifier: Verifier, text: str) -> None:
    refused(verifier, text, codes.MALFORMED_TOKEN)


def test_a_token_of_another_type_is_refused(verifier: Verifier, forge: Callable[..., str]) -> None:
    for kind in ("logout+jwt", "dpop+jwt", "JOSE", 7):
        refused(verifier, forge({"typ": kind}), codes.MALFORMED_TOKEN)


def test_a_token_of_more_than_eight_kibibytes_is_refused_unread(verifier: Verifier, forge: Callable[..., str]) -> None:
    assert verifier.verify(forge(padding="x" * 4000), NOW).subject == "alice"
    big = forge(padding="x" * SIZE_LIMIT)
    refused(verifier, big, codes.MALFORMED_TOKEN)
    refused(verifier, "." * (SIZE_LIMIT + 1), codes.MALFORMED_TOKEN)


def external(algorithm: Algorithm, key: ECKey | RSAKey) -> Verifier:
    keys = FixedKeys({"k1": key})
    return Verifier(
        [
            Issuer(
                name="https://id.example", audience="atom", algorithm=algorithm, keys=keys, tenants=frozenset({TENANT})
            )
        ]
    )


def external_token(algorithm: str, key: Any) -> str:
    seconds = int(NOW.timestamp())
    payload = {"iss": "https://id.example", "aud": "atom", "sub": "alice", "iat": seconds, "exp": seconds + 60}
    payload |= {"tenant": str(TENANT), "roles": ["viewer"]}
    data = jws.serialize_compact({"alg": algorithm, "kid": "k1"}, json.dumps(payload), key, algorithms=[algorithm])
    return str(data)


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.RS256, Algorithm.PS256])
def test_each_algorithm_an_issuer_may_have_is_verified(algorithm: Algorithm) -> None:
    key: Any = (
        ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
        if algorithm is Algorithm.ES256
        else RSAKey.import_key(rsa.generate_private_key(65537, 2048))
    )
    token = external_token(algorithm, key)
    assert external(algorithm, key).verify(token, NOW).subject == "alice"
    others = [other for other in (Algorithm.RS256, Algorithm.PS256) if other is not algorithm]
    refused(external(others[0], key), token, codes.WRONG_ALGORITHM)


def test_an_rsa_public_key_is_no_hmac_secret_for_its_issuer() -> None:
    key = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
    header, payload, _ = external_token("RS256", key).split(".")
    header = encode(json.dumps({"alg": "HS256", "kid": "k1"}).encode()).decode()
    mac = hmac.new(key.as_pem(private=False), f"{header}.{payload}".encode(), "sha256").digest()
    refused(external(Algorithm.RS256, key), f"{header}.{payload}.{encode(mac).decode()}", codes.WRONG_ALGORITHM)


def test_two_issuers_of_one_name_are_a_mistake_in_the_configuration(issuer: EmbeddedIssuer) -> None:
    with pytest.raises(ValueError, match="one name"):
        Verifier([issuer.trusted, issuer.trusted])


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), LIFETIME_LIMIT + timedelta(seconds=1)])
def test_the_embedded_issuer_grants_no_lifetime_out_of_bounds(issuer: EmbeddedIssuer, lifetime: timedelta) -> None:
    with pytest.raises(AtomError) as caught:
        issuer.issue(TENANT, "alice", [], lifetime, now=NOW)
    assert caught.value.code == codes.LIFETIME
