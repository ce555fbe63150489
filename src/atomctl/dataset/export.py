"""Writes an export: finished partitions are kept, the others are made, and the manifest comes last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from atomctl.audit.keys import FileKey
from atomctl.canonical import Digest, Json
from atomctl.dataset import codes
from atomctl.dataset.card import card
from atomctl.dataset.manifest import Manifest, ReadManifest, read_manifest
from atomctl.dataset.model import Format, Order, Partition, Reason
from atomctl.dataset.plan import Plan, describe, partition_folder
from atomctl.dataset.reading import PlannedDay, RunReader
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.stages import Tally, finished_rows
from atomctl.dataset.verify import verify_files
from atomctl.dataset.workspace import CARD, MANIFEST, Workspace, workspace
from atomctl.dataset.writers import BATCH, open_writer
from atomctl.errors import AtomError
from atomctl.files import replacing

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export; `kept` of its partitions were there already."""

    manifest: Manifest
    digest: Digest
    kept: int


@dataclass(frozen=True, slots=True)
class Exporter:
    """Exports the runs of one tenant.

    `progress` is told each partition and whether it was there already.
    """

    reader: RunReader
    policy: ScrubPolicy
    key: FileKey
    progress: Callable[[Partition, bool], None] = lambda _partition, _kept: None

    def export(self, order: Order, folder: Path) -> Exported:
        """The export in `folder`, complete. A repeat of what is there changes nothing; what was interrupted goes on.

        Raises:
            AtomError: DAT801 to DAT805, DAT808; OBJ codes the logs cannot be read; DAT812 to DAT815 the export was
                finished before and was changed since.
        """
        ordered = describe(order, self.policy)
        try:
            with workspace(folder) as space:
                if space.finished:
                    return self._finished_before(space, ordered, order.watermark)
                plan = self._plan(space, ordered, order)
                return self._write(space, plan)
        except OSError as error:
            raise AtomError(codes.UNWRITABLE, f"{error.filename or folder}: {error.strerror or error}") from error

    def _plan(self, space: Workspace, ordered: dict[str, Json], order: Order) -> Plan:
        """The plan that was begun with, or a new one."""
        plan = space.plan()
        if plan is None:
            plan = Plan(describe(order, self.policy), self.reader.horizon(order))
            space.keep_plan(plan)
        _require_same(space, plan.order, ordered, plan.horizon.watermark, order.watermark)
        return plan

    def _write(self, space: Workspace, plan: Plan) -> Exported:
        partitions, kept = [], 0
        for day in plan.horizon.days:
            found = space.partition(day.day)
            partition = found or self._partition(space, plan, day)
            kept += found is not None
            self.progress(partition, found is not None)
            partitions.append(partition)
        manifest = Manifest(
            order=plan.order,
            watermark=plan.horizon.watermark,
            partitions=tuple(partitions),
            card=space.write(CARD, card(plan, partitions)),
            signer=self.key.vkey,
        )
        written = space.write(MANIFEST, manifest.sign(self.key))
        space.close()
        return Exported(manifest, written.digest, kept)

    def _partition(self, space: Workspace, plan: Plan, day: PlannedDay) -> Partition:
        watermark = plan.horizon.watermark
        assert watermark is not None, "without a watermark no day was planned"
        path = partition_folder(str(plan.order["tenant"]), day.day)
        formats = [format_ for format_ in Format if format_ in _formats(plan)]
        target = space.make_folder(path)
        tally = Tally(Counter({Reason.DRY_RUN: day.dry_runs} if day.dry_runs else {}))
        with self.reader.day(day.day, watermark) as source, ExitStack() as open_files:
            writers = []
            for format_ in formats:
                stream = open_files.enter_context(replacing(target / f"runs.{format_}"))
                writers.append(open_writer(format_, stream))
                open_files.callback(writers[-1].close)
            rows = finished_rows(source.records, source.sources, source.trailing, Scrubber(self.policy), tally)
            for batch in _batches(rows, BATCH):
                for writer in writers:
                    writer.write(batch)
        partition = Partition(
            day=day.day,
            rows=tally.rows,
            content=tally.content,
            last_entry=tally.last_entry,
            dropped=dict(tally.dropped),
            files=tuple(space.stored(f"{path}/runs.{format_}") for format_ in formats),
        )
        space.keep_partition(partition)
        return partition

    def _finished_before(self, space: Workspace, ordered: dict[str, Json], watermark: int | None) -> Exported:
        found: ReadManifest = read_manifest((space.folder / MANIFEST).read_bytes(), [self.key.vkey])
        _require_same(space, found.manifest.order, ordered, found.manifest.watermark, watermark)
        space.close()
        findings = verify_files(space.folder, found.manifest)
        if findings:
            raise AtomError(findings[0].code, findings[0].why)
        return Exported(found.manifest, found.digest, len(found.manifest.partitions))


def _require_same(
    space: Workspace, begun: dict[str, Json], ordered: dict[str, Json], reached: int | None, asked: int | None
) -> None:
    other = sorted(name for name in ordered if begun.get(name) != ordered[name])
    if asked is not None and asked != reached:
        other.append("watermark")
    if other:
        raise AtomError(codes.OTHER_EXPORT, f"{space.folder} was begun with another {', '.join(other)}")


def _formats(plan: Plan) -> list[Json]:
    formats = plan.order["formats"]
    assert isinstance(formats, list), "a plan names its formats"
    return list(formats)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    batch: list[_T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
