"""Whatever happens to a bundle's bytes: the verdict is a verdict, and only what was signed is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.signing import MANIFEST, NOW, PACKAGE, Author, document, judge, rule

from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import bundle, dsse, statement
from atomctl.trust.formats.statement import release_statement

ALICE = Author("alice")
TRUST = document(rule(ALICE, names=["*"]))
KEYS = [ALICE.record()]
RELEASE, BLOB = ALICE.release(), ALICE.blob()
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=400))
def test_any_bytes_get_a_verdict_and_no_other_error(data: bytes) -> None:
    verdict = judge(data, trust=TRUST, keys=KEYS)
    assert not verdict.accepted
    assert verdict.code is not None


@settings(deadline=None, max_examples=100)
@given(JSON)
def test_any_json_gets_a_verdict(value: Any) -> None:
    assert not judge(json.dumps(value).encode(), trust=TRUST, keys=KEYS).accepted


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([RELEASE, BLOB]), st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_never_makes_another_package_trusted(data: bytes, place: int, change: int) -> None:
    changed = bytearray(data)
    changed[place % len(changed)] ^= change
    other = judge(bytes(changed), trust=TRUST, keys=KEYS, digest=digest(b"another package"))
    assert not other.accepted
    same = judge(bytes(changed), trust=TRUST, keys=KEYS)
    assert same.accepted is (same.code is None)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["verificationMaterial", "dsseEnvelope", "mediaType"]), JSON)
def test_any_part_replaced_by_any_json_is_refused(part: str, value: Any) -> None:
    parsed = json.loads(RELEASE)
    if parsed[part] == value:
        return
    parsed[part] = value
    assert not judge(json.dumps(parsed).encode(), trust=TRUST, keys=KEYS).accepted


@settings(deadline=None, max_examples=60)
@given(LABEL, st.none() | LABEL, st.integers(0, 99), st.datetimes())
def test_a_statement_is_read_back_as_it_was_written(name: str, tenant: str | None, minor: int, created: Any) -> None:
    version = f"1.{minor}.0"
    said = statement.parse(
        release_statement(
            tenant=tenant,
            name=name,
            version=version,
            digest=PACKAGE,
            manifest_digest=MANIFEST,
            created=created.replace(tzinfo=NOW.tzinfo),
        )
    )
    assert said.digest == PACKAGE
    assert said.release is not None
    assert (said.release.tenant, said.release.name, said.release.version) == (tenant, name, version)
    assert said.release.created == created.replace(tzinfo=NOW.tzinfo, microsecond=0)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60), st.binary(max_size=200), st.binary(min_size=1, max_size=80))
def test_an_envelope_in_a_bundle_is_read_back_as_it_was_written(kind: str, payload: bytes, signature: bytes) -> None:
    envelope = dsse.Envelope(kind, payload, signature)
    try:
        data = bundle.write(envelope, bytes(32))
    except UnicodeEncodeError:
        return
    assert bundle.parse(data).content == envelope


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30), st.binary(max_size=30), st.text(max_size=30), st.binary(max_size=30))
def test_two_envelopes_never_share_their_signed_bytes(a: str, left: bytes, b: str, right: bytes) -> None:
    try:
        one, two = dsse.pae(a, left), dsse.pae(b, right)
    except UnicodeEncodeError:
        return
    assert (one == two) == ((a, left) == (b, right))


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200))
def test_a_statements_parser_answers_with_its_own_errors(text: str) -> None:
    with pytest.raises(AtomError) as caught:
        statement.parse(text.encode(errors="surrogatepass"))
    assert caught.value.code is codes.STATEMENT_MALFORMED
