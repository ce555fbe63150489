"""Canaries planted wherever a run keeps text, in every usual encoding: no byte of the export holds one."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet
from tests.fakes.embedders import DigestEmbedder
from tests.fakes.past_runs import Archive, Past

from atomctl.dataset.service import Delivery

NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)
TOKEN = "ghp_c4n4ryB1rdS1ngs0nLyW1thK3yOfM1neX9qZ"
PASSWORD = 'tr0ub4dor & "three"'
CARD = "4111 1111 1111 1111"
EMAIL = "wilhelmine.kanarienvogel@example.org"
ADDRESS = "198.51.100.23"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY\nkanarienvogelXYZ=\n"
RANDOM = "q7Zp2Lx9Vb4Nw8Rt3Ks6"
PLANTED = [TOKEN, RANDOM, EMAIL]


def forms(secret: str) -> dict[str, str]:
    """The encodings, each of which a step could have printed."""
    raw = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(raw).decode(),
        "base64, one byte before": base64.b64encode(b"x" + raw).decode(),
        "base64, URL alphabet": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "URL": urllib.parse.quote(secret, safe=""),
        "URL, every byte": "".join(f"%{byte:02X}" for byte in raw),
        "JSON": json.dumps(secret)[1:-1],
        "JSON, every character": "".join(f"\\u{ord(char):04x}" for char in secret),
        "JSON in JSON": json.dumps(json.dumps(secret)),
        "HTML": html.escape(secret),
    }


def written(folder: Path) -> bytes:
    """Every byte of the export, and what its Parquet files hold once they are unpacked."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    tables = [pyarrow.parquet.read_table(path, partitioning=None) for path in files if path.suffix == ".parquet"]
    unpacked = json.dumps([table.to_pylist() for table in tables], default=str, ensure_ascii=False)
    return b"\n".join(path.read_bytes() for path in files) + unpacked.encode()


def test_no_form_of_a_canary_leaves(
    archive: Archive, sequence: Callable[[], None], export: Callable[..., Delivery], tmp_path: Path
) -> None:
    encoded = [form for secret in PLANTED for form in forms(secret).values()]
    archive.add(
        *(
            Past(
                ended_at=NOON + timedelta(minutes=number),
                state="FAILED",
                exit_code=1,
                parameters={"service": form, "note": form, "target": {"name": form, "list": [form, f"x {form} y"]}},
                outputs={"seen": form, form[:60]: 1},
                error=f"the step said {form} and ended",
                log=[f"before\nsaw {form} here\n{form}\n".encode(), f"after: '{form}'\n".encode()],
            )
            for number, form in enumerate(encoded)
        )
    )
    sequence()
    embedder = DigestEmbedder()
    made = export(tmp_path / "out", embedder=embedder).exported.manifest
    assert (made.rows, made.dropped) == (len(encoded), {})
    told = (tmp_path / "out.openlineage.jsonl").read_bytes()
    everything = b"\n".join([written(tmp_path / "out"), told, *(text.encode() for text in embedder.texts)])
    assert b"before\\nsaw " in everything
    for form in encoded:
        assert form.encode() not in everything
        assert form[:-3].encode() not in everything, "most of it"


def test_what_has_a_telling_name_or_a_known_shape_is_taken_out_everywhere(
    archive: Archive, sequence: Callable[[], None], export: Callable[..., Delivery], tmp_path: Path
) -> None:
    log = "\n".join(
        [
            json.dumps({"level": "info", "password": PASSWORD}),
            f"later it is spelled {PASSWORD} or {base64.b64encode(PASSWORD.encode()).decode()}",
            f"card {CARD}, from {ADDRESS} for {EMAIL}",
            KEY,
        ]
    )
    archive.add(
        Past(
            ended_at=NOON,
            log=[log.encode()],
            error=f"refused: {PASSWORD}",
            parameters={"service": {"password": PASSWORD}},
            state="FAILED",
        )
    )
    sequence()
    export(tmp_path / "out")
    everything = written(tmp_path / "out").decode(errors="replace")
    for secret in [PASSWORD, json.dumps(PASSWORD)[1:-1], CARD, ADDRESS, EMAIL, "kanarienvogel", "MHcCAQEE"]:
        assert secret not in everything, secret
    row = json.loads(next((tmp_path / "out").rglob("runs.jsonl")).read_text())
    assert row["steps"][0]["error"] == "refused: ***"
    assert row["parameters"] == {"service": {"password": "***"}}
    assert "card <card>, from <ip:" in row["logs"]["head"]


def test_one_value_has_one_pseudonym_and_another_tenant_another(
    archive: Archive, sequence: Callable[[], None], export: Callable[..., Delivery], tmp_path: Path
) -> None:
    archive.add(
        Past(ended_at=NOON, log=[f"from {ADDRESS}\n".encode()]),
        Past(ended_at=NOON, log=[f"again {ADDRESS}\n".encode()]),
        Past(ended_at=NOON, log=[b"other 198.51.100.24\n"]),
    )
    sequence()
    export(tmp_path / "out")
    lines = next((tmp_path / "out").rglob("runs.jsonl")).read_text().splitlines()
    first, second, third = (json.loads(line)["logs"]["head"].split()[1] for line in lines)
    assert first == second != third
