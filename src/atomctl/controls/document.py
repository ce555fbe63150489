"""A check as a document, `atom.controls/v1`: what is signed, and what every report is drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import atomctl
from atomctl.canonical import Digest, Json
from atomctl.controls.model import ControlResult, Exchange, Missing, ProbeResult, Side, Verdict
from atomctl.controls.verdict import exit_code

SCHEMA = "atom.controls/v1"


def render(run_id: str, deployment: str | None, results: Sequence[ControlResult]) -> dict[str, Json]:
    """The document of a check; everything in it is text, whole numbers and lists, so that it can be signed.

    Args:
        run_id: the check's own id.
        deployment: the verifier key of the deployment's audit log; None where there is none yet.
        results: by control, in order.
    """
    verdicts = Counter(result.verdict for result in results)
    return {
        "schema": SCHEMA,
        "name": run_id,
        "version": atomctl.__version__,
        "deployment": deployment,
        "started": min(result.started for result in results).isoformat(),
        "ended": max(result.ended for result in results).isoformat(),
        "verdicts": {verdict.value: verdicts[verdict] for verdict in Verdict},
        "exit": int(exit_code(result.verdict for result in results)),
        "controls": [_control(result) for result in results],
    }


def _control(result: ControlResult) -> Json:
    control = result.control
    left_out = {text.partition(": ")[0] for text in result.left_out}
    return {
        "number": control.number,
        "name": control.name,
        "title": control.title,
        "promise": control.promise,
        "category": control.category.value,
        "mapped_by_us": {
            "soc2": list(control.mapping.soc2),
            "iso27001": list(control.mapping.iso27001),
            "nist80053": list(control.mapping.nist80053),
        },
        "verdict": result.verdict.value,
        "declared": [probe.name for probe in control.probes if probe.name not in left_out],
        "left_out": list(result.left_out),
        "missing": [_missing(found) for found in result.missing],
        "started": result.started.isoformat(),
        "ended": result.ended.isoformat(),
        "probes": [_probe(probe) for probe in result.probes],
    }


def _missing(found: Missing) -> Json:
    return {"server": found.server, "why": found.why, "command": found.command}


def _probe(probe: ProbeResult) -> Json:
    return {
        "name": probe.name,
        "side": probe.side.value,
        "expected": probe.expected,
        "seen": probe.seen,
        "error": probe.error,
        "started": probe.started.isoformat(),
        "ended": probe.ended.isoformat(),
        "exchanges": [_exchange(exchange) for exchange in probe.exchanges],
        "audit": list(probe.audit),
    }


def _exchange(exchange: Exchange) -> Json:
    return {
        "server": exchange.server,
        "version": exchange.version,
        "request": exchange.request,
        "answer": exchange.answer,
        "at": exchange.at.isoformat(),
    }


def probes_of(control: Mapping[str, Any]) -> list[ProbeResult]:
    """The probes of a control's document, so that its verdict can be drawn again.

    Raises:
        KeyError, ValueError, TypeError: it is no such document.
    """
    return [
        ProbeResult(
            name=str(probe["name"]),
            side=Side(probe["side"]),
            expected=str(probe["expected"]),
            seen=None if probe["seen"] is None else str(probe["seen"]),
            error=None if probe["error"] is None else str(probe["error"]),
            started=datetime.fromisoformat(probe["started"]),
            ended=datetime.fromisoformat(probe["ended"]),
            exchanges=tuple(_read_exchange(exchange) for exchange in probe["exchanges"]),
            audit=tuple(map(str, probe["audit"])),
        )
        for probe in control["probes"]
    ]


def _read_exchange(exchange: Mapping[str, Any]) -> Exchange:
    at = datetime.fromisoformat(exchange["at"])
    texts = (str(exchange["server"]), str(exchange["version"]))
    return Exchange(*texts, Digest(exchange["request"]), Digest(exchange["answer"]), at)


def missing_of(control: Mapping[str, Any]) -> list[Missing]:
    """What a control's document says was missing.

    Raises:
        KeyError, TypeError: it is no such document.
    """
    return [Missing(str(each["server"]), str(each["why"]), str(each["command"])) for each in control["missing"]]


def wrong(probes: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each probe that did not see what was expected."""
    return [
        f"{probe['name']}: {probe['error'] or 'seen ' + repr(probe['seen']) + ', expected ' + repr(probe['expected'])}"
        for probe in probes
        if probe["error"] is not None or probe["seen"] != probe["expected"] or not probe["exchanges"]
    ]
