"""Secrets written into a package. A package is copied, stored for ever and shown to approvers: no secret belongs in it.

Messages name the kind of secret and a salted fingerprint of its value, never the value.
"""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.canonical import keyed_digest
from atomctl.rules.examples import manifest, pod, script
from atomctl.rules.model import AnyRule, Compound, Confidence, Controls, Family, Hit, Rule, RuleConfig, Severity
from atomctl.rules.secret_scan import SecretKind, TextFacts, names_secret, reads_as_secret
from atomctl.rules.subjects import Origin, SettingFacts

_CONTROLS = Controls(("CC6.1", "CC6.7"), ("A.5.17", "A.8.24"), ("IA-5", "SC-12", "SC-28"))
_HARDCODED = frozenset({Compound.HARDCODED_SECRET})
_FINGERPRINT_LENGTH = len("sha256:") + 12
_REMEDY = "Remove it, revoke it where it was issued, and read it through spec.secrets."
_FILES = ("file",)


def fingerprint(value: str, config: RuleConfig) -> str:
    """Twelve hex digits that tell two secrets apart and tell nobody what they are."""
    return keyed_digest(config.fingerprint_salt, value.encode())[len("sha256:") : _FINGERPRINT_LENGTH]


def _of_kind(found: TextFacts, kind: SecretKind, config: RuleConfig) -> Iterator[Hit]:
    for secret in found.found:
        if secret.kind is kind:
            mark = fingerprint(found.text[secret.start : secret.end], config)
            yield Hit((), f"holds a secret: {secret.what} (fingerprint {mark})", offset=secret.start)


def _tokens(found: TextFacts, config: RuleConfig) -> Iterator[Hit]:
    return _of_kind(found, SecretKind.TOKEN, config)


def _private_keys(found: TextFacts, config: RuleConfig) -> Iterator[Hit]:
    return _of_kind(found, SecretKind.PRIVATE_KEY, config)


def _named(found: TextFacts, config: RuleConfig) -> Iterator[Hit]:
    return _of_kind(found, SecretKind.NAMED, config)


def _in_urls(found: TextFacts, config: RuleConfig) -> Iterator[Hit]:
    return _of_kind(found, SecretKind.URL, config)


def _in_environment(setting: SettingFacts, config: RuleConfig) -> Iterator[Hit]:
    if setting.origin is not Origin.ENVIRONMENT or not names_secret(setting.name):
        return
    if reads_as_secret(setting.name, setting.value):
        mark = fingerprint(setting.value, config)
        yield Hit(setting.path, f"gives {setting.name} a literal value (fingerprint {mark})")


def _in_secret(setting: SettingFacts, config: RuleConfig) -> Iterator[Hit]:
    if setting.origin is Origin.SECRET and setting.value.strip() and "${{" not in setting.value:
        mark = fingerprint(setting.value, config)
        yield Hit(setting.path, f"carries the value of {setting.name} (fingerprint {mark})")


RULES: tuple[AnyRule, ...] = (
    Rule(
        id="vendor-token",
        title="A file holds a vendor's secret token",
        severity=Severity.CRITICAL,
        family=Family.SECRETS,
        kinds=_FILES,
        remediation=_REMEDY,
        references=("https://cwe.mitre.org/data/definitions/798.html",),
        cwe=(798, 540),
        controls=_CONTROLS,
        bypassable=False,
        compound=_HARDCODED,
        good=script('curl -H "Authorization: token $(cat "$ATOM_SECRET_GITHUB_FILE")" https://api.github.com/user'),
        bad=script("# ghp_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2zA4"),
        subject=TextFacts,
        check=_tokens,
    ),
    Rule(
        id="private-key",
        title="A file holds a private key",
        severity=Severity.CRITICAL,
        family=Family.SECRETS,
        kinds=_FILES,
        remediation=_REMEDY,
        references=("https://cwe.mitre.org/data/definitions/321.html",),
        cwe=(321, 798),
        controls=_CONTROLS,
        bypassable=False,
        compound=_HARDCODED,
        good=script('openssl pkey -in "$ATOM_SECRET_KEY_FILE" -pubout'),
        bad=script(
            "cat <<END\n-----BEGIN EC "
            "PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY\n-----END EC PRIVATE KEY-----\nEND"
        ),
        subject=TextFacts,
        check=_private_keys,
    ),
    Rule(
        id="hardcoded-secret",
        title="A name that means a secret is given a literal value",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        family=Family.SECRETS,
        kinds=_FILES,
        remediation=_REMEDY,
        references=("https://cwe.mitre.org/data/definitions/798.html",),
        cwe=(798, 259),
        controls=_CONTROLS,
        compound=_HARDCODED,
        yields_to=("secret-in-environment", "secret-manifest"),
        good=script('PGPASSWORD="$(cat "$ATOM_SECRET_DB_FILE")" psql'),
        bad=script("PGPASSWORD=correct-horse-7 psql"),
        subject=TextFacts,
        check=_named,
    ),
    Rule(
        id="secret-in-environment",
        title="An environment variable is given a secret as a literal value",
        severity=Severity.HIGH,
        family=Family.SECRETS,
        kinds=("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "shell handler"),
        remediation="Use valueFrom.secretKeyRef, or mount the Secret as a file.",
        references=("https://kubernetes.io/docs/concepts/configuration/secret/",),
        cwe=(798, 526),
        controls=_CONTROLS,
        compound=_HARDCODED,
        good=pod(container="env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]"),
        bad=pod(container="env: [{name: DB_PASSWORD, value: correct-horse-7}]"),
        subject=SettingFacts,
        check=_in_environment,
    ),
    Rule(
        id="credentials-in-url",
        title="A URL carries a password",
        severity=Severity.HIGH,
        family=Family.SECRETS,
        kinds=_FILES,
        remediation=_REMEDY,
        references=("https://cwe.mitre.org/data/definitions/522.html",),
        cwe=(522, 798),
        controls=_CONTROLS,
        compound=_HARDCODED,
        good=pod(container="env: [{name: DB, value: 'postgres://shop@db.shop.svc/shop'}]"),
        bad=pod(container="env: [{name: DB, value: 'postgres://shop:correct-horse-7@db.shop.svc/shop'}]"),
        subject=TextFacts,
        check=_in_urls,
    ),
    Rule(
        id="secret-manifest",
        title="A Secret is delivered with its values",
        severity=Severity.HIGH,
        family=Family.SECRETS,
        kinds=("Secret",),
        remediation="Have the cluster fetch it from a secret store, or make it in a step from spec.secrets.",
        references=("https://kubernetes.io/docs/concepts/security/secrets-good-practices/",),
        cwe=(312, 798),
        controls=_CONTROLS,
        compound=_HARDCODED,
        good=manifest("{apiVersion: v1, kind: Secret, metadata: {name: db}, type: Opaque}"),
        bad=manifest("{apiVersion: v1, kind: Secret, metadata: {name: db}, data: {password: Y29ycmVjdC1ob3JzZS03}}"),
        subject=SettingFacts,
        check=_in_secret,
    ),
)
