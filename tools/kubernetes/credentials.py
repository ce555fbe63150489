"""The keys of one node: the API's certificate and its authority, the key of service accounts, the admin's token."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tools.kubernetes.layout import API, NODE_IP, SERVICE_IP

_LIFETIME = timedelta(days=30)
_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: node, cluster: {{server: "{api}", certificate-authority: "{authority}"}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: node, context: {{cluster: node, user: admin}}}}]
current-context: node
"""


def write_credentials(folder: Path, kubeconfig: Path) -> None:
    """Afterwards `folder` has all that `configuration` names in it, and there is a kubeconfig."""
    folder.mkdir(mode=0o700)
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("node authority", authority_key, None, authority_key)
    server = _certificate("kube-apiserver", server_key, authority, authority_key)
    (folder / "ca.crt").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (folder / "api.crt").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    _write(folder / "api.key", _pem(server_key))
    _write(folder / "accounts.key", _pem(rsa.generate_private_key(65537, 2048)))
    token = secrets.token_hex(16)
    _write(folder / "tokens.csv", f"{token},admin,1,system:masters\n".encode())
    _write(kubeconfig, _KUBECONFIG.format(api=API, authority=folder / "ca.crt", token=token).encode())


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """A server's certificate, or without an issuer that of an authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        addresses = [x509.IPAddress(IPv4Address(address)) for address in (NODE_IP, SERVICE_IP, "127.0.0.1")]
        alternatives = x509.SubjectAlternativeName([*map(x509.DNSName, _NAMES), *addresses])
        builder = builder.add_extension(alternatives, critical=False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, critical=False)
    for extension, critical in _key_extensions(key, issuer_key, authority=issuer is None):
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_extensions(
    key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey, *, authority: bool
) -> list[tuple[x509.ExtensionType, bool]]:
    """What strict verifiers demand, each with whether it is critical: RFC 5280, 4.2.1.1 to 4.2.1.3."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return [
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
    ]


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


def _write(file: Path, data: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(data)
