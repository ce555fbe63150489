"""What stands where an S3 server should be: pages, errors, silence, wrong clocks, certificates nobody trusts."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from atomctl.errors import AtomError, Code
from atomctl.objects import codes
from atomctl.objects.s3 import S3Store
from atomctl.objects.s3_client import S3Place

Request = http.server.BaseHTTPRequestHandler
Answer = Callable[[Request], None]
PAGE = b"<html><body><p>Please log in to the hotel's network.</body></html>"


def _says(status: int, body: bytes, kind: str = "application/xml", **headers: str) -> Answer:
    def answer(request: Request) -> None:
        request.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)

    return answer


def _error(status: int, code: str) -> Answer:
    return _says(status, f"<Error><Code>{code}</Code><Message>because</Message></Error>".encode())


def _dies(request: Request) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"half of it")
    request.close_connection = True


def _speaks_otherwise(request: Request) -> None:
    request.wfile.write(b"220 mail.example ESMTP\r\n\r\n")
    request.close_connection = True


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is what is tested."""


@contextmanager
def _server(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        do_GET = do_PUT = do_HEAD = _answer  # noqa: N815  # the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's signature
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def _store(address: str, timeout: float = 5.0) -> S3Store:
    return S3Store(
        S3Place(bucket="things", endpoint=address, access_key="me", secret_key="hush", timeout=timeout, attempts=1)
    )


def _every(store: S3Store) -> dict[str, AtomError]:
    """What each way to use the store is refused with."""
    actions: dict[str, Callable[[], object]] = {
        "get": lambda: store.get("a"),
        "put": lambda: store.put("a", b"x"),
        "exists": lambda: store.exists("a"),
    }
    refusals = {}
    for name, action in actions.items():
        with pytest.raises(AtomError) as caught:
            action()
        refusals[name] = caught.value
    return refusals


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_says(200, PAGE, "text/html"), codes.NONSENSE),
        (_says(404, PAGE, "text/html"), codes.NONSENSE),
        (_says(302, PAGE, "text/html", Location="https://portal.example/"), codes.NONSENSE),
        (_says(200, b"{}", "application/json"), codes.NONSENSE),
        (_error(503, "SlowDown"), codes.UNAVAILABLE),
        (_error(500, "InternalError"), codes.UNAVAILABLE),
        (_says(502, PAGE, "text/html"), codes.UNAVAILABLE),
        (_error(507, "InsufficientStorage"), codes.FULL),
        (_error(403, "QuotaExceeded"), codes.FULL),
        (_error(403, "RequestTimeTooSkewed"), codes.CLOCK),
        (_error(403, "AccessDenied"), codes.REFUSED),
        (_error(400, "ExpiredToken"), codes.REFUSED),
        (_error(404, "NoSuchBucket"), codes.NO_BUCKET),
        (_error(400, "InvalidDigestOfTheDay"), codes.DECLINED),
        (_speaks_otherwise, codes.UNAVAILABLE),
    ],
    ids=lambda value: value.id if isinstance(value, Code) else "",
)
def test_whatever_answers_is_told_by_its_name(answer: Answer, expected: Code) -> None:
    with _server(answer) as address:
        refusals = _every(_store(address))
    assert {name: error.code.id for name, error in refusals.items()} == dict.fromkeys(refusals, expected.id)
    assert all(error.hint for error in refusals.values())


def test_a_body_that_ends_too_early_is_not_used() -> None:
    with _server(_dies) as address, pytest.raises(AtomError) as caught:
        _store(address).get("a")
    assert caught.value.code is codes.UNAVAILABLE


def test_a_body_that_drips_is_given_up() -> None:
    leave = threading.Event()

    def drip(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "10000")
        request.end_headers()
        while not leave.wait(0.05):
            request.wfile.write(b"x")

    try:
        with _server(drip) as address, pytest.raises(AtomError) as caught:
            _store(address, timeout=0.5).get("a")
        assert caught.value.code is codes.UNAVAILABLE
    finally:
        leave.set()


def test_a_server_that_says_nothing_is_given_up() -> None:
    leave = threading.Event()

    def keep_quiet(_: Request) -> None:
        leave.wait(20)

    try:
        with _server(keep_quiet) as address:
            refusals = _every(_store(address, timeout=0.3))
        assert {error.code for error in refusals.values()} == {codes.UNAVAILABLE}
    finally:
        leave.set()


def test_an_object_larger_than_any_is_not_read() -> None:
    answer = _says(200, b"x", "application/octet-stream", **{"Content-Length": str(1 << 40)})
    with _server(answer) as address, pytest.raises(AtomError) as caught:
        _store(address).get("a")
    assert caught.value.code is codes.NONSENSE


def test_an_expired_certificate_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, certificate = _expired(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))  # trusted, if it had not expired
    with _server(_says(200, b""), context) as address:
        refusals = _every(_store(address))
    assert {error.code for error in refusals.values()} == {codes.CERTIFICATE}
    assert all("expired" in error.why for error in refusals.values())


def _expired(folder: Path) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now - timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate, key_file = folder / "expired.pem", folder / "expired.key"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_file)
    return context, certificate
