"""Exports with vectors: from the cache where they are there, and none at all where the embedder fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from tests.fakes.embedders import DigestEmbedder, StrangeEmbedder
from tests.fakes.past_runs import Archive, Past, ordinary

from atomctl.dataset.service import Delivery
from atomctl.dataset.verify import verify_dataset
from atomctl.errors import AtomError, Code, ExitCode

Export = Callable[..., Delivery]
NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)
TOKEN = "ghp_c4n4ryB1rdS1ngs0nLyW1thK3yOfM1neX9qZ"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_each_row_has_the_vector_of_its_scrubbed_text_in_both_formats(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(Past(ended_at=NOON, log=[f"token {TOKEN} used\n".encode()]), Past(ended_at=NOON, log=[b"hello\n"]))
    sequence()
    embedder = DigestEmbedder()
    export(tmp_path / "out", embedder=embedder)
    assert len(embedder.texts) == 2
    assert not any(TOKEN in text for text in embedder.texts), "scrubbed before it is embedded"
    assert any("token *** used" in text for text in embedder.texts)
    lines = next((tmp_path / "out").rglob("*.jsonl")).read_text().splitlines()
    found = [json.loads(line)["embedding"] for line in lines]
    plain = [np.frombuffer(base64.b64decode(each["vector"]), dtype="<f4") for each in found]
    table = pyarrow.parquet.read_table(next((tmp_path / "out").rglob("*.parquet")), partitioning=None)
    columns = table.column("embedding").to_pylist()
    assert [each["model"] for each in found] == [each["model"] for each in columns] == ["digest-1"] * 2
    assert [each.tolist() for each in plain] == [each["vector"] for each in columns]
    assert verify_dataset(tmp_path / "out").findings == ()


def test_a_repeat_takes_the_vectors_from_the_cache_whatever_the_processor_makes_of_the_model(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(*ordinary(40))
    sequence()
    export(tmp_path / "one", embedder=DigestEmbedder())
    elsewhere = DigestEmbedder(drift=0.01)
    export(tmp_path / "two", embedder=elsewhere)
    assert elsewhere.texts == []
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_another_model_is_another_export(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(Past(ended_at=NOON))
    sequence()
    export(tmp_path / "out", embedder=DigestEmbedder())
    for other in (None, DigestEmbedder(name="digest-2"), DigestEmbedder(dimension=4)):
        with pytest.raises(AtomError) as caught:
            export(tmp_path / "out", embedder=other)
        assert caught.value.code.id == "DAT802"
        assert "embedding" in caught.value.why


SLOW = Code("EMB013", "slow", "slow", "wait", ExitCode.SERVICE)


def too_slow(_: Any) -> Any:
    raise AtomError(SLOW, "no answer within 30 s")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda vectors: vectors[:, :4], id="another dimension"),
        pytest.param(lambda vectors: vectors[:-1], id="one too few"),
        pytest.param(lambda vectors: vectors * np.nan, id="not a number"),
        pytest.param(lambda vectors: vectors * 0, id="no direction"),
        pytest.param(too_slow, id="too slow"),
    ],
)
def test_an_embedder_that_fails_leaves_the_last_good_export_and_nothing_half_written(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path, spoil: Callable[[Any], Any]
) -> None:
    archive.add(*ordinary(4))
    sequence()
    export(tmp_path / "out", embedder=DigestEmbedder())
    before = tree(tmp_path / "out")
    archive.add(Past(ended_at=datetime(2026, 7, 1, 23, tzinfo=UTC), log=[b"new\n"]), Past(ended_at=NOON))
    sequence()
    with pytest.raises(AtomError) as caught:
        export(tmp_path / "out", refresh=True, embedder=StrangeEmbedder(spoil=spoil))
    assert caught.value.code.id[:3] in {"EMB", "DAT"}
    found = tree(tmp_path / "out")
    assert {name: found[name] for name in before} == before
    assert verify_dataset(tmp_path / "out").findings == ()
    assert not [name for name in found if "runs." in name and name not in before], "nothing half-written"
    renewed = export(tmp_path / "out", refresh=True, embedder=DigestEmbedder()).exported
    assert renewed.manifest.rows == 6
    assert verify_dataset(tmp_path / "out").findings == ()


def test_killed_between_two_batches_the_vectors_that_were_kept_are_not_computed_again(
    archive: Archive,
    sequence: Callable[[], None],
    export: Export,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("atomctl.dataset.stages.EMBEDDED_AT_ONCE", 10)
    archive.add(*ordinary(30, every=timedelta(minutes=5)))
    sequence()
    first = StrangeEmbedder(spoil=lambda vectors: vectors if len(first.texts) < 25 else too_slow(vectors))
    with pytest.raises(AtomError):
        export(tmp_path / "out", embedder=first)
    second = DigestEmbedder()
    assert export(tmp_path / "out", embedder=second).exported.manifest.rows == 30
    assert len(second.texts) == 10
