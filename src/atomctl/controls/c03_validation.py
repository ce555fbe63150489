"""Control 3: what is dangerous in a package is found before it is stored, and there is no way around that."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import APPLY, READ, Company, company, package, packed, push_body
from atomctl.controls.site import Site
from atomctl.rules import CATALOG
from atomctl.rules.model import Example
from atomctl.wpk import codes as wpk
from atomctl.wpk.archive import Packed

RULES = (
    "privileged-container",
    "dangerous-capability",
    "may-run-as-root",
    "latest-image",
    "no-memory-limit",
    "rbac-escalation",
    "metadata-address-in-container",
    "vendor-token",
    "download-to-shell",
    "rm-variable",
    "script-reaches-internet",
    "plain-http",
    "auto-without-rollback",
    "unreadable-manifest",
)
"""One of each family, by name: a rule that is taken out of the catalogue is missed here."""

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: debug}
spec:
  hostPID: true
  containers:
    - {name: shell, image: "debian:latest", securityContext: {privileged: true}}
"""


@dataclass(frozen=True, slots=True)
class _Stage:
    company: Company


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make:
        yield _Stage(company(make()))


def _found(stage: _Stage, example: Example) -> set[str]:
    """The rules that the API's validator names for a package with this file."""
    files = {example.file: example.text, **dict(example.beside)}
    made = packed(files) if "wpk.yaml" in files else package(handler=READ, files=files)
    body = {"archive": base64.b64encode(made.data).decode()}
    report = stage.company.owner.post("validate", body)
    return {finding["rule"] for finding in report["findings"]}


def _bad(rule: str) -> Callable[[_Stage, Notebook], str]:
    def act(stage: _Stage, _: Notebook) -> str:
        found = _found(stage, CATALOG[rule].bad)
        return rule if rule in found else f"not found; the report names: {', '.join(sorted(found)) or 'nothing'}"

    return act


def _good(stage: _Stage, _: Notebook) -> str:
    wrong = [rule for rule in RULES if rule in _found(stage, CATALOG[rule].good)]
    return ", ".join(wrong) or "nothing is found"


def _clean(stage: _Stage, _: Notebook) -> str:
    pushed = stage.company.push(package("probe-clean", handler=READ, approval=False))
    return f"{pushed.seen}, {len(pushed.must()['decision']['reasons'])} reason"


def _privileged() -> Packed:
    return package("probe-privileged", handler=APPLY, files={"manifests/example.yaml": _POD})


def _bypass(stage: _Stage, _: Notebook) -> str:
    """Pushes past the command line's validator, straight to the API, and runs it."""
    pushed = stage.company.push(_privileged()).must()
    run = stage.company.run("probe-privileged", "1.0.0")
    state = run.document.get("state", run.seen)
    return f"{pushed['state']}, then {state}"


def _no_package(stage: _Stage, _: Notebook) -> str:
    made = package("probe-clean")
    body = push_body(made.data[: len(made.data) // 2], [], name="probe-clean", version="9.9.9")
    return stage.company.owner.ask("POST", "validate", {"archive": body["archive"]}).seen


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=3,
    name="validation",
    title="Static validation",
    promise="Every package is validated by the server itself; what is dangerous in it is named by rule and line.",
    category=Category.DECISION,
    mapping=Mapping(("CC7.1", "CC8.1"), ("A.8.25", "A.8.28", "A.8.29"), ("SA-11", "SI-10", "CM-4")),
    needs=(API,),
    stage=_stage,
    probes=(
        Probe("a package without a flaw is clean", _P, "ok, 1 reason", _clean),
        Probe("what is as it should be is not reported", _P, "nothing is found", _good),
        *(Probe(f"{CATALOG[rule].family}: {rule} is found", _N, rule, _bad(rule)) for rule in RULES if rule in CATALOG),
        Probe("a dangerous package pushed past the command line does not run", _N, "blocked, then BLOCKED", _bypass),
        Probe("half an archive is refused", _N, wpk.TRUNCATED.id, _no_package),
    ),
)
