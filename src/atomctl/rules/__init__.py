"""The validator: what a package would do, read from its files, with the exact place of everything it says.

`run` validates a package; `CATALOG` holds the rules. Both load the catalogue on first use only, so that naming a
`Finding` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atomctl.rules.model import RuleConfig, Validation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atomctl.rules.model import AnyRule
    from atomctl.wpk.archive import Package

    CATALOG: Mapping[str, AnyRule]

__all__ = ["CATALOG", "RuleConfig", "Validation", "run"]


def run(package: Package, config: RuleConfig | None = None) -> Validation:
    """Everything the rules see in a package; pure. See `atomctl.rules.validate.run`."""
    from atomctl.rules import validate

    return validate.run(package, validate.DEFAULT if config is None else config)


def __getattr__(name: str) -> Any:
    if name == "CATALOG":
        from atomctl.rules import catalog

        return catalog.CATALOG
    raise AttributeError(name)
