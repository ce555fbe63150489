"""What an export says about itself in the words of OpenLineage (openlineage.io/spec, RunEvent 2-0-2). Pure.

One START, then one COMPLETE or FAIL under the same run id. An export that is killed leaves its START alone; whoever
goes on with it is another run of the same job.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import atomctl
from atomctl.canonical import Json
from atomctl.dataset.export import Exported
from atomctl.dataset.model import Order
from atomctl.dataset.schema import fields
from atomctl.errors import AtomError

PRODUCER = f"https://atomctl.dev/atomctl/{atomctl.__version__}"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"


class EventType(enum.StrEnum):
    """What of an export's life is told."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Job:
    """One export under way: `run_id` is its own, `source` the database as `postgres://host:port` and its name."""

    run_id: UUID
    order: Order
    folder: Path
    source: tuple[str, str]

    def started(self, now: datetime.datetime) -> dict[str, Json]:
        """It began."""
        return self._event(EventType.START, now, {}, [self._output()])

    def completed(self, now: datetime.datetime, exported: Exported) -> dict[str, Json]:
        """It is complete; the version of what came out is the digest of its manifest."""
        output = self._output()
        manifest = exported.manifest
        output["facets"] = {
            "schema": _facet("SchemaDatasetFacet", "1-1-1", fields=list[Json](fields())),
            "version": _facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=exported.digest),
        }
        size = sum(file.size for file in manifest.files)
        statistics = _facet("OutputStatisticsOutputDatasetFacet", "1-0-2", rowCount=manifest.rows, size=size)
        output["outputFacets"] = {"outputStatistics": statistics}
        return self._event(EventType.COMPLETE, now, {}, [output])

    def failed(self, now: datetime.datetime, error: BaseException) -> dict[str, Json]:
        """It ended without a new export; what was there before is there still."""
        said = f"{error.code.id}: {error.code.title}" if isinstance(error, AtomError) else type(error).__name__
        message = _facet("ErrorMessageRunFacet", "1-0-1", message=said, programmingLanguage="python")
        return self._event(EventType.FAIL, now, {"errorMessage": message}, [self._output()])

    def _event(
        self, kind: EventType, now: datetime.datetime, facets: dict[str, Json], outputs: list[Json]
    ) -> dict[str, Json]:
        database, name = self.source
        job_type = _facet("JobTypeJobFacet", "2-0-3", processingType="BATCH", integration="ATOM", jobType="COMMAND")
        return {
            "eventType": kind.value,
            "eventTime": _time(now),
            "producer": PRODUCER,
            "schemaURL": _EVENT,
            "run": {"runId": str(self.run_id), "facets": {"nominalTime": self._days(), **facets}},
            "job": {
                "namespace": f"atom/{self.order.tenant_id}",
                "name": "dataset-export",
                "facets": {"jobType": job_type},
            },
            "inputs": [{"namespace": database, "name": f"{name}.atom.workflow_runs"}],
            "outputs": outputs,
        }

    def _days(self) -> dict[str, Json]:
        """The time that the rows are of."""
        until = {"nominalEndTime": _time(_midnight(self.order.until))} if self.order.until else {}
        return _facet("NominalTimeRunFacet", "1-0-1", nominalStartTime=_time(_midnight(self.order.since)), **until)

    def _output(self) -> dict[str, Json]:
        return {"namespace": "file", "name": str(self.folder.absolute())}


def _facet(name: str, version: str, **content: Json) -> dict[str, Json]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}", **content}


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def _time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
