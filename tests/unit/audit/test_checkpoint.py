"""Checkpoints, and which key must have signed which log."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from atomctl.audit import codes
from atomctl.audit.checkpoint import (
    Checkpoint,
    deployment_origin,
    key_for,
    origin_of,
    parse_checkpoint,
    sign_checkpoint,
)
from atomctl.audit.keys import FileKey
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.note import VerifierKey, signed_by
from atomctl.errors import AtomError

SIGNER = FileKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TENANT = UUID("01900000-0000-7000-8000-000000000001")
ORIGIN = origin_of(SIGNER.public, TENANT)
POINT = Checkpoint(ORIGIN, 7, bytes(range(32)))


def test_a_checkpoint_is_three_lines_of_text() -> None:
    assert POINT.text == f"{ORIGIN}\n7\n{base64.b64encode(bytes(range(32))).decode()}\n"


def test_a_signed_checkpoint_comes_back_as_it_went() -> None:
    back, note = parse_checkpoint(sign_checkpoint(POINT, SIGNER))
    assert back == POINT
    assert signed_by(note, VerifierKey(ORIGIN, SIGNER.public))


def test_lines_that_others_append_are_kept_and_signed() -> None:
    point = Checkpoint(ORIGIN, 7, bytes(32), ("epoch 2",))
    assert parse_checkpoint(sign_checkpoint(point, SIGNER))[0] == point


def _signed(text: str) -> bytes:
    return f"{text}\n\u2014 name AAAAAAAA\n".encode()


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n{'9' * 30}\n{ROOT}\n",
        "log\n1\nAAAA\n",
        "log\n1\n!!!!\n",
    ],
)
def test_a_note_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(AtomError) as caught:
        parse_checkpoint(_signed(text))
    assert caught.value.code is codes.BAD_NOTE


def test_the_deployments_key_is_trusted_for_its_tenants_and_for_nobody_else() -> None:
    deployment = VerifierKey(deployment_origin(SIGNER.public), SIGNER.public)
    assert key_for(ORIGIN, [deployment]) == VerifierKey(ORIGIN, SIGNER.public)
    assert key_for(deployment.name, [deployment]) == deployment
    for stranger in (
        "other/" + str(TENANT),
        f"{deployment.name}/x",
        f"{deployment.name}x/{TENANT}",
        f"{ORIGIN}/{TENANT}",
    ):
        assert key_for(stranger, [deployment]) is None


def test_a_key_named_like_the_log_goes_before_the_deployments() -> None:
    own = VerifierKey(ORIGIN, bytes(32))
    assert key_for(ORIGIN, [VerifierKey(deployment_origin(SIGNER.public), SIGNER.public), own]) == own


def test_the_deployments_log_has_the_deployments_name() -> None:
    assert origin_of(SIGNER.public, DEPLOYMENT) == deployment_origin(SIGNER.public)
    assert f"{deployment_origin(SIGNER.public)}/{TENANT}" == ORIGIN
