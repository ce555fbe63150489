"""Which controls of other catalogues a decision is evidence for. A map of ids, never a claim of compliance.

Ids are those of SOC 2 trust services criteria (2017), ISO/IEC 27001:2022 Annex A and NIST SP 800-53 rev. 5. What a rule
is evidence for stands with the rule; here stands what deciding itself is evidence for.
"""

from __future__ import annotations

from collections.abc import Iterable

from atomctl.rules.model import Controls

DECIDED = Controls(soc2=("CC8.1",), iso27001=("A.8.32",), nist80053=("CM-3", "CM-4"))
"""A change was assessed before it was made: change management, impact analysis."""
APPROVED_BY_OTHERS = Controls(soc2=("CC5.1",), iso27001=("A.5.3",), nist80053=("AC-5",))
"""Others than the author have to agree: segregation of duties."""
BLOCKED = Controls(soc2=("CC7.1",), iso27001=("A.8.8",), nist80053=("RA-5", "SI-10"))
"""A known weakness kept a change out: vulnerability management."""


def combined(parts: Iterable[Controls]) -> Controls:
    """All ids of the parts, each once, sorted."""
    known = list(parts)
    return Controls(
        soc2=tuple(sorted({id_ for part in known for id_ in part.soc2})),
        iso27001=tuple(sorted({id_ for part in known for id_ in part.iso27001})),
        nist80053=tuple(sorted({id_ for part in known for id_ in part.nist80053})),
    )
