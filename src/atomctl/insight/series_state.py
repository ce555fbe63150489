"""The past of the series of one watch as a JSON document: versioned, bounded, and exact to the last bit. Pure.

A float's shortest JSON form reads back as the same float, so a detector that goes on from a document gives the scores
of one that never stopped. What is not exactly such a document is no state at all, and the series begin anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from atomctl.canonical import Json
from atomctl.insight.series import Past, SeriesRule

VERSION = 1
"""A change of the document, or of what a score is computed from, is a new version; older ones are not read."""


def to_document(pasts: Mapping[str, Past], definition: str) -> dict[str, Json]:
    """The document of the pasts by series, under the definition of their watch; a past without points is left out."""
    series: dict[str, Json] = {
        key: {
            "values": list(past.values),
            "distances": list(past.distances),
            "rest": past.rest,
            "missing": past.missing,
        }
        for key, past in pasts.items()
        if past.values
    }
    return {"version": VERSION, "definition": definition, "series": series}


def from_document(document: object, definition: str, rule: SeriesRule) -> dict[str, Past] | None:
    """The pasts in a document; None if it is of another version or definition, or damaged."""
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return None
    series = document.get("series")
    if document.get("definition") != definition or not isinstance(series, dict):
        return None
    pasts = {key: _past(each, rule) for key, each in series.items()}
    sound = {key: past for key, past in pasts.items() if past is not None}
    return sound if len(sound) == len(pasts) else None


def _past(document: Any, rule: SeriesRule) -> Past | None:
    try:
        values = tuple(float(value) for value in document["values"])
        distances = tuple(float(value) for value in document["distances"])
        past = Past(values, distances, int(document["rest"]), int(document["missing"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    sound = (
        all(map(math.isfinite, values + distances))
        and max(len(values), len(distances)) <= rule.window
        and 0 <= past.rest <= rule.cooldown
        and 0 <= past.missing <= rule.longest_gap
    )
    return past if sound else None
