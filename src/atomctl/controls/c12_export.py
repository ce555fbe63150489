"""Control 12: a tenant's runs are exported whole, once each, without what must not leave, and nobody else's."""

from __future__ import annotations

import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import atomctl
from atomctl.access import codes as access
from atomctl.access.model import Role
from atomctl.controls.exporting import Exporting
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, PYARROW
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import Company, company, package, packed
from atomctl.controls.site import Site
from atomctl.dataset import codes
from atomctl.runs.secret_forms import forms

_RUNS = 4
_KILLS = 8
_ADDRESS = "ann@probe.example"
_MANIFEST = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: probe-export, version: 1.0.0}
spec:
  runtime: {type: shell}
  parameters:
    type: object
    properties: {note: {type: string, maxLength: 200, default: ""}}
    additionalProperties: false
  safety: {mode: manual, approval_required: true, dry_run_required: false}
  handlers:
    - {name: say, type: shell, config: {command: [printenv, NOTE], env: {NOTE: "${{ params.note }}"}}}
"""
_PLAN, _SIGNED = ".atom-export/plan.json", "manifest.dsse.json"


@dataclass(slots=True)
class _Stage:
    own: Company
    exporting: Exporting
    canary: str
    runs: frozenset[str]
    foreign: str
    other: UUID

    @property
    def folder(self) -> Path:
        return self.exporting.folder


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make, tempfile.TemporaryDirectory(prefix="atom-probe-export-") as folder:
        tenant, canary = make(), f"ghp_{secrets.token_hex(18)}"
        stranger = make()
        own, other = company(tenant), company(stranger)
        own.push(packed({"wpk.yaml": _MANIFEST})).must()
        other.push(package("probe-foreign")).must()
        note = f"mail {_ADDRESS} from {canary}"
        runs = frozenset(_finished(own, "probe-export", note=note) for _ in range(_RUNS))
        exporter = tenant.person("probe-exporter", Role.SECURITY)
        foreign = _finished(other, "probe-foreign")
        yield _Stage(own, Exporting(exporter, Path(folder)), canary, runs, foreign, stranger.id)


def _finished(whose: Company, workflow: str, **parameters: str) -> str:
    run = whose.run(workflow, **parameters).must()
    whose.approve(run).must()
    return str(whose.ended(run["id"])["id"])


def _complete(stage: _Stage, book: Notebook) -> dict[str, Any]:
    """The complete export in `whole`, made at the first call."""
    if not (stage.folder / "whole").exists():
        said, ended = stage.exporting.run(book, stage.exporting.argv("whole"))
        if ended != "ok":
            raise LookupError(f"the export was refused with {ended}")
        (stage.folder / "whole.json").write_text(said)
    document: dict[str, Any] = json.loads((stage.folder / "whole.json").read_text())
    book.note("atomctl dataset", atomctl.__version__, b"the export", str(document["digest"]).encode())
    return document


def _exported(stage: _Stage, book: Notebook) -> str:
    """The rows, read again by code that is not the exporter's, beside the runs as the API has them."""
    document = _complete(stage, book)
    lines = [row for file in (stage.folder / "whole").rglob("*.jsonl") for row in map(json.loads, file.open())]
    ids = [str(row["run_id"]) for row in lines]
    if sorted(ids) != sorted(_parquet_ids(stage.folder / "whole")):
        return "JSONL and Parquet hold different runs"
    states = {run_id: stage.own.owner.get(f"runs/{run_id}")["state"] for run_id in stage.runs}
    if {row["run_id"]: row["status"] for row in lines} != states:
        return f"other runs than {len(states)}: {len(set(ids))}"
    return "every run once" if len(ids) == document["rows"] == _RUNS else f"{len(ids)} rows, {document['rows']} counted"


def _parquet_ids(folder: Path) -> list[str]:
    from pyarrow import parquet

    return [
        str(run_id) for file in folder.rglob("*.parquet") for run_id in parquet.read_table(file)["run_id"].to_pylist()
    ]


def _verified(stage: _Stage, book: Notebook) -> str:
    _complete(stage, book)
    return _verify(stage, book, "whole")


def _verify(stage: _Stage, book: Notebook, folder: str) -> str:
    return stage.exporting.run(book, stage.exporting.verify_argv(folder))[1]


def _killed(stage: _Stage, book: Notebook) -> str:
    """Killed half-way, begun again, and compared byte by byte with the export that was never interrupted."""
    watermark = _complete(stage, book)["watermark"]
    argv = stage.exporting.argv("killed", "--watermark", str(watermark))
    if not any(_kill_in_time(stage, argv) for _ in range(_KILLS)):
        raise LookupError("the export was over before it could be killed")
    _, ended = stage.exporting.run(book, argv)
    same = _contents(stage.folder / "killed") == _contents(stage.folder / "whole")
    return f"{ended}, {'the same bytes' if same else 'other bytes'}"


def _kill_in_time(stage: _Stage, argv: Sequence[str]) -> bool:
    """Whether the export was killed after it had begun and before it was complete."""
    folder = stage.folder / "killed"
    with subprocess.Popen(
        argv,
        env=stage.exporting.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not (folder / _PLAN).exists():
            time.sleep(0.001)
        process.kill()
    if not (folder / _SIGNED).exists():
        return (folder / _PLAN).exists()
    folder.rename(stage.folder / f"too-late-{secrets.token_hex(4)}")
    return False


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _foreign(stage: _Stage, book: Notebook) -> str:
    """Neither the other tenant's run, nor a planted secret or address in any form, is in any byte."""
    _complete(stage, book)
    wanted = {"another tenant's run": [stage.foreign.encode()], "an address": [_ADDRESS.encode()]}
    wanted["a secret"] = list(forms(stage.canary))
    everything = b"\n".join([*_contents(stage.folder / "whole").values(), *_unpacked(stage.folder / "whole")])
    found = [what for what, needles in wanted.items() if any(needle in everything for needle in needles)]
    return ", ".join(found) or "neither"


def _unpacked(folder: Path) -> Iterator[bytes]:
    """The columns of the Parquet files, which are compressed on disk."""
    from pyarrow import parquet

    for file in folder.rglob("*.parquet"):
        yield str(parquet.read_table(file).to_pylist()).encode()


def _read_back(stage: _Stage, _: Notebook) -> str:
    """The planted secret and address do stand where they were said, or their absence would prove nothing."""
    log = stage.own.owner.ask("GET", f"runs/{min(stage.runs)}/logs").granted()
    return "said" if _ADDRESS.encode() in log and stage.canary.encode() in log else "not said"


def _changed(stage: _Stage, book: Notebook) -> str:
    """One byte of a copy's rows differs."""
    import shutil

    _complete(stage, book)
    shutil.copytree(stage.folder / "whole", stage.folder / "changed")
    (file, *_) = sorted((stage.folder / "changed").rglob("*.jsonl"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return _verify(stage, book, "changed")


def _not_allowed(stage: _Stage, book: Notebook) -> str:
    viewer = stage.own.tenant.person("probe-viewer", Role.VIEWER)
    exporting = Exporting(viewer, stage.folder)
    return exporting.run(book, exporting.argv("viewer"))[1]


def _other_tenant(stage: _Stage, book: Notebook) -> str:
    return stage.exporting.run(book, stage.exporting.argv("other", "--tenant", str(stage.other)))[1]


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=12,
    name="export",
    title="Data export",
    promise="An export holds each run of its tenant once, no secret and nobody else's rows, and shows every change.",
    category=Category.RECORDS,
    mapping=Mapping(("C1.1", "PI1.4", "PI1.5"), ("A.5.34", "A.8.11", "A.8.12"), ("AC-4", "SI-12", "MP-6")),
    needs=(API, PYARROW),
    stage=_stage,
    probes=(
        Probe("every run is exported once", _P, "every run once", _exported, seconds=180),
        Probe("the export verifies", _P, "ok", _verified, seconds=180),
        Probe("killed and begun again it is the same", _P, "ok, the same bytes", _killed, seconds=240),
        Probe("what was planted is in the log", _P, "said", _read_back),
        Probe("what was planted and what is another's is in no byte", _N, "neither", _foreign, seconds=180),
        Probe("one changed byte is detected", _N, codes.CHANGED.id, _changed, seconds=180),
        Probe("who may not export is refused", _N, access.FORBIDDEN.id, _not_allowed, seconds=60),
        Probe("another tenant's export is refused", _N, codes.OTHER_TENANT.id, _other_tenant, seconds=60),
    ),
)
