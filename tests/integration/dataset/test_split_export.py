"""A split by time: folders by part, days of the gap counted and in none, and a manifest that is held to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.dataset
import pytest
from tests.fakes.embedders import DigestEmbedder
from tests.fakes.past_runs import ordinary

from atomctl.audit.envelope import sign_document
from atomctl.audit.keys import FileKey
from atomctl.dataset.manifest import PAYLOAD
from atomctl.dataset.model import Splits
from atomctl.dataset.service import Delivery
from atomctl.dataset.verify import verify_dataset
from atomctl.errors import AtomError

Export = Callable[..., Delivery]
SPLIT = Splits(validation_from=date(2026, 7, 3), test_from=date(2026, 7, 5), gap_days=1)


@pytest.fixture
def split(add: Callable[..., list[UUID]], export: Export, tmp_path: Path) -> Path:
    """Five days: train, gap, validation, gap, test."""
    add(*ordinary(19, every=timedelta(hours=6)))
    export(tmp_path / "out", splits=SPLIT, embedder=DigestEmbedder())
    return tmp_path / "out"


def test_each_part_is_a_folder_and_the_gap_is_in_none(split: Path) -> None:
    found = {(path.parts[-5], path.parts[-3]) for path in split.rglob("*.jsonl")}
    assert found == {
        ("split=train", "day=2026-07-01"),
        ("split=validation", "day=2026-07-03"),
        ("split=test", "day=2026-07-05"),
    }
    verdict = verify_dataset(split)
    assert (verdict.findings, verdict.manifest.dropped) == ((), {"gap": 8})
    files = [str(path) for path in (split / "split=train").rglob("*.parquet")]
    assert pyarrow.dataset.dataset(files, format="parquet").count_rows() == 3


def test_another_split_is_another_export(split: Path, export: Export) -> None:
    for other in (None, Splits(test_from=date(2026, 7, 5))):
        with pytest.raises(AtomError) as caught:
            export(split, splits=other, embedder=DigestEmbedder())
        assert caught.value.code.id == "DAT802"


def shorter(document: dict[str, Any]) -> None:
    document["order"]["embedding"]["dimension"] = 4


def elsewhere(document: dict[str, Any]) -> None:
    document["order"]["splits"]["test_from"] = "2026-07-04"


def uncounted(document: dict[str, Any]) -> None:
    document["partitions"][0]["runs"] += 1


def undead(document: dict[str, Any]) -> None:
    partition = document["partitions"][0]
    partition["tombstones"] = [document["first_run"]]


@pytest.mark.parametrize("lie", [shorter, elsewhere, uncounted, undead])
def test_a_manifest_that_contradicts_its_rows_is_noticed_whoever_signed_it(
    split: Path, audit_key: FileKey, lie: Callable[[dict[str, Any]], None]
) -> None:
    file = split / "manifest.dsse.json"
    document = json.loads(base64.b64decode(json.loads(file.read_bytes())["payload"]))
    first = next((split / "split=train").rglob("*.jsonl")).read_text().splitlines()[0]
    document["first_run"] = json.loads(first)["run_id"]
    lie(document)
    del document["first_run"]
    file.write_bytes(sign_document(PAYLOAD, document, audit_key))
    assert verify_dataset(split, trusted=[audit_key.vkey]).code is not None
    assert verify_dataset(split, trusted=[audit_key.vkey]).findings[0].code.id == "DAT815"
