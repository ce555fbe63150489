"""Evidence is verified without a server, and no byte of it can be changed unnoticed."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from tests.unit.controls.conftest import GOOD, VAULT, result, saw

from atomctl.audit.keys import FileKey, create_key
from atomctl.canonical import canonical_json
from atomctl.cli import schemas
from atomctl.controls import codes, document, evidence, matrix
from atomctl.controls.model import Side
from atomctl.errors import AtomError
from atomctl.trust.formats.dsse import pae


@pytest.fixture
def made(key: FileKey) -> dict[str, Any]:
    """A check in which one control passes, one fails and one is blocked."""
    wrong = saw(Side.NEGATIVE, "ok | <b>", None)
    results = [result(*GOOD), result(GOOD[0], wrong, number=2), result(missing=(VAULT,), number=3)]
    return document.render("check-1", str(key.vkey), results)


@pytest.fixture
def folder(made: dict[str, Any], key: FileKey, tmp_path: Path) -> Path:
    evidence.write(tmp_path / "reports", made, key)
    return tmp_path / "reports"


def code_of(folder: Path, *keys: FileKey) -> str:
    with pytest.raises(AtomError) as refusal:
        evidence.verify(folder, [key.vkey for key in keys])
    return refusal.value.code.id


def resign(folder: Path, key: FileKey, changed: dict[str, Any]) -> None:
    """What somebody who holds the key could sign."""
    payload = canonical_json(changed)
    signature = key.sign(pae(evidence.PAYLOAD_TYPE, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": evidence.PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }
    (folder / evidence.SIGNED).write_text(json.dumps(envelope))


def test_untouched_evidence_is_verified_with_and_without_a_known_key(folder: Path, key: FileKey) -> None:
    known = evidence.verify(folder, [key.vkey])
    assert known.signed_by == key.vkey
    assert known.document["verdicts"] == {"PASS": 1, "FAIL": 1, "BLOCKED": 1}
    assert evidence.verify(folder, []).signed_by is None


def test_every_file_that_is_changed_or_gone_is_noticed(folder: Path, key: FileKey) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 10
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole.replace(b"A", b"B", 1) if b"A" in whole else whole + b" ")
        assert code_of(folder, key) in {codes.EVIDENCE_CHANGED.id, codes.EVIDENCE_SIGNATURE.id, codes.NO_REPORT.id}
        file.unlink()
        assert code_of(folder, key) == codes.NO_REPORT.id
        file.write_bytes(whole)
    evidence.verify(folder, [key.vkey])


def test_another_key_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    assert code_of(folder, create_key(tmp_path / "other" / "audit.key")) == codes.EVIDENCE_SIGNATURE.id


def test_an_unsigned_check_is_no_evidence(made: dict[str, Any], key: FileKey, tmp_path: Path) -> None:
    evidence.write(tmp_path / "unsigned", made, None)
    assert code_of(tmp_path / "unsigned") == codes.EVIDENCE_SIGNATURE.id


def test_not_even_the_keys_owner_signs_a_verdict_that_does_not_follow(
    folder: Path, made: dict[str, Any], key: FileKey
) -> None:
    made["controls"][1]["verdict"] = "PASS"
    resign(folder, key, made)
    assert code_of(folder, key) == codes.EVIDENCE_CHANGED.id


def test_sums_that_do_not_follow_are_noticed(folder: Path, made: dict[str, Any], key: FileKey) -> None:
    made["exit"] = 0
    resign(folder, key, made)
    assert code_of(folder, key) == codes.EVIDENCE_CHANGED.id


def test_nonsense_is_no_evidence(folder: Path, key: FileKey) -> None:
    for nonsense in ({}, {"schema": "another/v1"}, {"schema": document.SCHEMA, "deployment": str(key.vkey)}):
        resign(folder, key, nonsense)
        assert code_of(folder, key) == codes.NO_REPORT.id
    (folder / evidence.SIGNED).write_text("{")
    assert code_of(folder, key) == codes.NO_REPORT.id


def test_the_document_follows_its_published_schema(made: dict[str, Any]) -> None:
    jsonschema_rs.validate(schemas.document("controls"), made)


def test_the_matrix_has_a_row_for_each_control_and_sums_up_the_categories(made: dict[str, Any]) -> None:
    rows = list(csv.DictReader(matrix.as_csv(made).splitlines()))
    assert [row["verdict"] for row in rows] == ["PASS", "FAIL", "BLOCKED"]
    assert [row["enforced"] for row in rows] == ["yes", "no", "not shown"]
    assert "seen 'ok | <b>', expected 'REFUSED'" in rows[1]["notes"]
    assert rows[2]["notes"] == "Vault: VAULT_ADDR is not set; add it with: export VAULT_ADDR=https://vault.example"
    parsed = json.loads(matrix.as_json(made))
    assert parsed["categories"] == [{"category": "tenant isolation", "pass": "1 of 3", "verdict": "FAIL"}]
    assert matrix.as_text(made).endswith("1 PASS, 1 FAIL, 1 BLOCKED")


def test_what_was_seen_breaks_no_table_and_becomes_no_formula_or_tag(made: dict[str, Any]) -> None:
    page = matrix.as_markdown(made)
    assert "<b>" not in page
    assert "ok \\| &lt;b>" in page
    made["controls"][0]["title"] = "=cmd|'/C calc'!A0"
    assert next(csv.DictReader(matrix.as_csv(made).splitlines()))["policy"].startswith("'=")
