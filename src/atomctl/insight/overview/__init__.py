"""The main series of a tenant, from its own record: what happened in each part of some time, and what waits now."""

from __future__ import annotations

from atomctl.insight.overview.model import LONGEST, PARTS, SHORTEST, Figure, Overview, Series, Unit, Value
from atomctl.insight.overview.reading import overview

__all__ = ["LONGEST", "PARTS", "SHORTEST", "Figure", "Overview", "Series", "Unit", "Value", "overview"]
