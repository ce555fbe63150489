"""Writes an export: finished partitions are kept, the others are made, and the manifest comes last."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from atomctl.audit.keys import FileKey
from atomctl.canonical import Digest, Json
from atomctl.dataset import codes
from atomctl.dataset.card import card
from atomctl.dataset.embedding import Embedding
from atomctl.dataset.manifest import Manifest, ReadManifest, read_manifest
from atomctl.dataset.model import Census, Order, Partition, Reason, Split
from atomctl.dataset.plan import Plan, describe, formats_of, partition_path
from atomctl.dataset.reading import RunReader
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.stages import Tally, finished_rows, in_batches, scrubbed_rows
from atomctl.dataset.verify import verify_files
from atomctl.dataset.workspace import CARD, MANIFEST, Workspace, workspace
from atomctl.dataset.writers import BATCH, open_writer
from atomctl.errors import AtomError


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
    embedding: Embedding | None = None
    progress: Callable[[Partition, bool], None] = lambda _partition, _kept: None

    def export(self, order: Order, folder: Path, *, refresh: bool = False) -> Exported:
        """The export in `folder`, complete. A repeat of what is there changes nothing; what was interrupted goes on.

        A finished export is made anew where a run in it was forgotten, with `refresh` also where runs were added to its
        days or taken from them; until all of that is made it stays what it was. One that was interrupted is finished as
        it was begun, and with `refresh` brought up to date then.

        Raises:
            AtomError: DAT801 to DAT805, DAT808, DAT809; OBJ codes the logs, EMB codes the vectors cannot be had;
                DAT812 to DAT815 the export was finished before and was changed since.
        """
        ordered = describe(order, self.policy, self.embedding)
        try:
            with workspace(folder) as space:
                if not space.finished:
                    interrupted = space.plan() is not None
                    exported = self._write(space, order, self._plan(space, ordered, order))
                    if not (refresh and interrupted):
                        return exported
            with workspace(folder) as space:
                return self._renewed(space, ordered, order, refresh)
        except OSError as error:
            raise AtomError(codes.UNWRITABLE, f"{error.filename or folder}: {error.strerror or error}") from error

    def _renewed(self, space: Workspace, ordered: dict[str, Json], order: Order, refresh: bool) -> Exported:
        """The finished export, made anew where it has to be."""
        found = self._finished_before(space, ordered)
        plan = self._renewal(space, found.manifest, order, refresh)
        if plan is None:
            space.clean()
            return Exported(found.manifest, found.digest, len(found.manifest.partitions))
        space.begin(plan, kept=found.manifest.partitions)
        return self._write(space, order, plan)

    def _plan(self, space: Workspace, ordered: dict[str, Json], order: Order) -> Plan:
        """The plan that was begun with, or a new one."""
        plan = space.plan()
        if plan is None:
            plan = Plan(ordered, self.reader.watermark(order))
            space.begin(plan)
        _require_same(space, plan.order, ordered)
        if order.watermark not in {None, plan.watermark}:
            raise _other(space, ["watermark"])
        return plan

    def _renewal(self, space: Workspace, before: Manifest, order: Order, refresh: bool) -> Plan | None:
        """How a finished export has to be made anew; None if it is still what it should be."""
        watermark = self.reader.watermark(order) if refresh else before.watermark
        if order.watermark is not None and (order.watermark < (before.watermark or 0) or watermark != order.watermark):
            raise _other(space, ["watermark"])
        census = self.reader.census(order, watermark)
        stale = _is_outdated(before.partitions, census) if refresh else _has_forgotten(before.partitions, census)
        return Plan(before.order, watermark) if stale else None

    def _write(self, space: Workspace, order: Order, plan: Plan) -> Exported:
        partitions, kept = [], 0
        for census in self.reader.census(order, plan.watermark):
            found = space.partition(census.day)
            keep = found is not None and found.is_of(census)
            partition = found if found is not None and keep else self._partition(space, order, plan, census)
            kept += keep
            self.progress(partition, keep)
            partitions.append(partition)
        manifest = Manifest(
            order=plan.order,
            watermark=plan.watermark,
            partitions=tuple(partitions),
            card=space.write(CARD, card(plan, partitions)),
            signer=self.key.vkey,
        )
        written = space.write(MANIFEST, manifest.sign(self.key))
        space.publish(file.path for file in manifest.files)
        return Exported(manifest, written.digest, kept)

    def _partition(self, space: Workspace, order: Order, plan: Plan, census: Census) -> Partition:
        assert plan.watermark is not None, "without a watermark no day has runs"
        empty = _empty(order, plan.watermark, census)
        if empty.split is Split.GAP:
            space.keep_partition(empty)
            return empty
        tally = Tally(Counter(empty.dropped))
        paths = {format_: partition_path(order, empty, format_) for format_ in formats_of(order, empty.split)}
        with self.reader.day(census.day, plan.watermark) as source, ExitStack() as open_files:
            writers = []
            for format_, path in paths.items():
                stream = open_files.enter_context(space.writing(path))
                writers.append(open_writer(format_, stream))
                open_files.callback(writers[-1].close)
            rows = finished_rows(
                scrubbed_rows(source.records, source.sources, source.trailing, Scrubber(self.policy), tally),
                self.embedding.add_to if self.embedding else None,
                tally,
            )
            for batch in in_batches(rows, BATCH):
                for writer in writers:
                    writer.write(batch)
        partition = dataclasses.replace(
            empty,
            runs=tally.rows + sum(tally.dropped.values()),
            rows=tally.rows,
            content=tally.content,
            dropped=dict(tally.dropped),
            files=tuple(space.stored(path) for path in paths.values()),
        )
        space.keep_partition(partition)
        return partition

    def _finished_before(self, space: Workspace, ordered: dict[str, Json]) -> ReadManifest:
        found: ReadManifest = read_manifest((space.folder / MANIFEST).read_bytes(), [self.key.vkey])
        _require_same(space, found.manifest.order, ordered)
        findings = verify_files(space.folder, found.manifest)
        if findings:
            raise AtomError(findings[0].code, findings[0].why)
        return found


def _is_outdated(partitions: Sequence[Partition], census: Sequence[Census]) -> bool:
    """Whether any of the days has other runs now than were looked at."""
    return len(partitions) != len(census) or not all(map(Partition.is_of, partitions, census))


def _has_forgotten(partitions: Sequence[Partition], census: Sequence[Census]) -> bool:
    """Whether any of the runs that were looked at was forgotten since."""
    known = {run_id for partition in partitions for run_id in partition.forgotten}
    days = {partition.day for partition in partitions}
    return any(not known.issuperset(each.forgotten) for each in census if each.day in days)


def _empty(order: Order, watermark: int, census: Census) -> Partition:
    """The day without rows: what is known of it before one is read, and all there is of a day in a gap."""
    split = order.splits.of(census.day) if order.splits else None
    dropped = {Reason.FORGOTTEN: len(census.forgotten)}
    if split is Split.GAP:
        dropped[Reason.GAP] = census.runs - len(census.forgotten)
    else:
        dropped[Reason.DRY_RUN] = census.dry_runs
    return Partition(
        day=census.day,
        watermark=watermark,
        runs=census.runs,
        last_entry=census.last_entry,
        rows=0,
        content=Tally().content,
        dropped={reason: count for reason, count in dropped.items() if count},
        forgotten=census.forgotten,
        split=split,
    )


def _require_same(space: Workspace, begun: dict[str, Json], ordered: dict[str, Json]) -> None:
    other = sorted(name for name in ordered if begun.get(name) != ordered[name])
    if other:
        raise _other(space, other)


def _other(space: Workspace, names: list[str]) -> AtomError:
    return AtomError(codes.OTHER_EXPORT, f"{space.folder} was begun with another {', '.join(names)}")
