"""Secrets are found where they stand, never shown, and ordinary values are left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from atomctl.rules.formats import json as json_format
from atomctl.rules.model import RuleConfig
from atomctl.rules.secret_scan import SecretKind, entropy, is_placeholder, scan

if TYPE_CHECKING:
    from tests.unit.rules.conftest import Validate

GITHUB = "ghp_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2zA4"
AWS = "AKIA" + "QX7Z2LMN5PRT3VWY"


def kinds(text: str) -> list[SecretKind]:
    return [found.kind for found in scan("a", text).found]


@pytest.mark.parametrize(
    "text",
    [
        f"token: {GITHUB}",
        f"x{'=' * 3}{AWS}",
        f"url: https://u:{GITHUB}@example.com",
        'key = "sk_live_' + 'a1B2c3D4e5F6g7H8i9J0k1L2"',
        "hook https://hooks.slack.com/services/T" + "0AB1CD2E/B0FG3HI4J/k5L6m7N8o9P0q1R2s3T4u5V6",
    ],
)
def test_a_vendors_token_is_found(text: str) -> None:
    assert SecretKind.TOKEN in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "password: ${DB_PASSWORD}",
        "password: '{{ .Values.password }}'",
        "password: ${{ secrets.db }}",
        'token: "${{ params.a ? secrets.first_token : secrets.second_token }}"',
        "password: changeme",
        "password: <your password>",
        "password: /run/secrets/db",
        "secretName: web-tls",
        "secretKeyRef: {name: db, key: password}",
        "automountServiceAccountToken: false",
        "tokenExpirationSeconds: 3600",
        "passwordFile: /etc/db/password",
        "secret: db-credentials",
        "token: null",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_short",
        "https://user@example.com/path",
        "https://user:${PASSWORD}@example.com/path",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_a_named_value_is_found_at_the_value() -> None:
    (found,) = scan("a", "é: x\ndb_password: 'correct-horse-7'\n").found
    text = "é: x\ndb_password: 'correct-horse-7'\n"
    assert text[found.start : found.end] == "correct-horse-7"
    assert found.what == "db_password"


def test_a_letter_that_grows_when_lowered_moves_nothing() -> None:
    text = "# İİİ\npassword: correct-horse-7\n"
    (found,) = scan("a", text).found
    assert text[found.start : found.end] == "correct-horse-7"


def test_a_password_in_a_url_is_found_at_the_password() -> None:
    text = "postgres://shop:correct-horse-7@db/shop"
    (found,) = scan("a", text).found
    assert text[found.start : found.end] == "correct-horse-7"


def test_one_place_is_reported_once_by_the_surest_kind() -> None:
    assert kinds(f"github_token: {GITHUB}") == [SecretKind.TOKEN]


@pytest.mark.parametrize("name", ["EC PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY"])
def test_a_private_key_is_found(name: str) -> None:
    text = f"-----BEGIN {name}-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY\n-----END {name}-----\n"
    assert kinds(text) == [SecretKind.PRIVATE_KEY]


def test_the_value_is_nowhere_in_the_report(validate: Validate) -> None:
    files = {
        "manifests/a.yaml": f"kind: Secret\nmetadata: {{name: a}}\nstringData: {{token: {GITHUB}}}\n",
        "scripts/a.sh": f"#!/bin/sh\nPASSWORD=correct-horse-7 psql postgres://u:{AWS}@db\n",
    }
    found = [finding.to_json() for finding in validate(files).findings]
    shown = json.dumps(found)
    assert {finding["rule"] for finding in found} >= {"vendor-token", "hardcoded-secret"}
    assert json_format.render({"findings": found})
    for secret in (GITHUB, AWS, "correct-horse-7"):
        assert secret not in shown


def test_fingerprints_tell_secrets_apart_and_depend_on_the_salt(validate: Validate) -> None:
    def message(value: str, salt: bytes = b"one") -> str:
        config = RuleConfig(fingerprint_salt=salt)
        return validate.script(f"#!/bin/sh\nPASSWORD={value} psql\n", config)["hardcoded-secret"].message

    assert message("correct-horse-7") == message("correct-horse-7")
    assert message("correct-horse-7") != message("correct-horse-8")
    assert message("correct-horse-7") != message("correct-horse-7", b"two")


def test_a_secrets_data_is_decoded(validate: Validate) -> None:
    found = validate.manifest("kind: Secret\nmetadata: {name: a}\ndata: {password: Y29ycmVjdC1ob3JzZS03}\n")
    assert found["secret-manifest"].object == "Secret/a"
    assert "password" in found["secret-manifest"].message


def test_entropy_is_shannons() -> None:
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


def test_placeholders_say_that_they_are() -> None:
    assert is_placeholder("changeme123")
    assert is_placeholder("xxxxxxxx")
    assert is_placeholder("0000")
    assert not is_placeholder("correct-horse-7")
