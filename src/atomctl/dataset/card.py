"""The data card: `README.md` of an export, for people who were handed the folder alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from atomctl.dataset.excerpt import SIDE
from atomctl.dataset.manifest import dropped_in
from atomctl.dataset.model import Partition, Reason, Split
from atomctl.dataset.plan import Plan
from atomctl.dataset.scrub.policy import TEXT_LIMIT
from atomctl.dataset.trailing import ENOUGH, WINDOW

_REASONS = {
    Reason.DRY_RUN: "dry runs, which execute nothing",
    Reason.INVALID: "did not fit the schema",
    Reason.LOG_DAMAGED: "a part of the log is gone or damaged",
    Reason.DUPLICATE: "the same as another run of the day in everything but the id",
    Reason.FORGOTTEN: "somebody had them forgotten; the manifest names them as tombstones",
    Reason.GAP: "ended in the days between two parts of the split",
}


def card(plan: Plan, partitions: Sequence[Partition]) -> bytes:
    """The card's bytes, which the plan and the partitions alone decide."""
    order: Any = plan.order
    days = f"from {order['since']} up to {order['until'] or 'the watermark'}" + (
        ", not included" * bool(order["until"])
    )
    rows = sum(partition.rows for partition in partitions)
    dropped = dropped_in(partitions)
    return _CARD.format(
        tenant=order["tenant"],
        days=days,
        rows=rows,
        partitions=len(partitions),
        formats=", ".join(order["formats"]),
        watermark="none: no run ended" if plan.watermark is None else f"entry {plan.watermark}",
        schema=order["rows"]["schema"],
        schema_digest=order["rows"]["digest"],
        labels=order["rows"]["labels"],
        scrub=order["scrub"]["version"],
        scrub_digest=order["scrub"]["digest"],
        key=order["scrub"]["key"],
        parameters=", ".join(f"`{name}`" for name in order["scrub"]["parameters"]),
        dropped="".join(f"| {reason.value} | {count} | {_REASONS[reason]} |\n" for reason, count in dropped.items())
        or "| none | 0 | every run of these days is a row |\n",
        embedding=_embedding(order["embedding"]),
        split=_split(order["splits"], partitions),
        tombstones=sum(len(partition.forgotten) for partition in partitions),
        side=SIDE,
        text=TEXT_LIMIT,
        window=WINDOW,
        enough=ENOUGH,
    ).encode()


def _embedding(embedding: Any) -> str:
    if embedding is None:
        return "none"
    return f"`{embedding['model']}`, {embedding['dimension']} numbers, text version {embedding['text']}"


def _split(splits: Any, partitions: Sequence[Partition]) -> str:
    if splits is None:
        return "none"
    rows = Counter[str]()
    for partition in partitions:
        if partition.split is not None and partition.split is not Split.GAP:
            rows[partition.split.value] += partition.rows
    parts = ", ".join(f"{split.value} {rows[split.value]}" for split in Split if split.value in rows) or "no rows"
    return f"{parts} rows; {splits['gap_days']} days left out before each part"


_CARD = """\
# Runs of one tenant as training data

| | |
|---|---|
| tenant | `{tenant}` |
| days (UTC, by when runs ended) | {days} |
| rows | {rows} in {partitions} partitions |
| formats | {formats} |
| watermark in the tenant's audit log | {watermark} |
| row schema | `{schema}`, `{schema_digest}` |
| labels | version {labels} |
| scrubbing | version {scrub}, `{scrub_digest}`, pseudonym key `{key}` |
| embeddings | {embedding} |
| split by time | {split} |
| tombstones | {tombstones} |

Each row is one run that ended: what was run, with which parameters, how it was decided, how its steps went, the
beginning and the end of its log ({side} bytes each, whole lines), and what to learn from it.

## Labels
- `success`: the run did what it was asked to do.
- `error_type`: why not, one of a closed set.
- `performance_class`: `fast`, `normal` or `slow` beside the {window} successful runs of the same workflow before it
  (below their 10th percentile, above their 90th, between); null if it did not succeed or fewer than {enough} came
  before.

## What was left out
| reason | runs | |
|---|---|---|
{dropped}
Runs that were still going on, or whose end the audit log had not taken at the watermark, are not counted.

A tombstone in the manifest names a run that somebody had forgotten: delete it wherever you copied it to.

## What was taken out
Secrets (known formats of tokens, private keys, values of telling names, passwords in URLs) are `***`, in plain text
and behind percent, backslash, base64 and hex encodings; card numbers are `<card>`; e-mail and IP addresses and words
that look random are pseudonyms such as `<email:3f2a9c01d4e5>`, the same for the same value within this tenant, which
nobody without the instance's key can lead back. Parameters are kept by name: {parameters}.
Step errors and parameters are cut after {text} characters. Outputs of steps and people's ids are not exported at all.
Embeddings are made of the scrubbed text: workflow, outcome, step errors, the end of the log; never of parameters.

Scrubbing is a net, not a wall: a person's name in a log line, or a secret that looks like an ordinary word and stands
behind no telling name, is not recognised. Look before you publish.

## Verify
`manifest.dsse.json` names every file with its SHA-256 and is signed (DSSE, Ed25519) by the key of the instance's audit
log: `atomctl dataset verify . --vkey audit.vkey`. The same order up to the same watermark gives the same bytes.
"""
